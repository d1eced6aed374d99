"""Rogues of what a relay announces: limits that it does not keep to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nip_ap_relay.policy import NOVEMBER, Policy
from nip_ap_relay.rogues.declaring import rogue


class _Claiming(Policy):
    """A relay whose limits are lower than what its NIP-11 document says."""

    kept: ClassVar[Mapping[str, int]] = {}

    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._claimed: dict[str, int] = {name: getattr(self, name) for name in self.kept}
        for name, value in self.kept.items():
            setattr(self, name, value)

    def announced(self, name: str) -> int:
        return self._claimed.get(name) or super().announced(name)


@rogue(
    "announced-limit-not-kept",
    turns_red="AP-INFO-01",
    because="Its database layer has a page size of its own, which nobody told NIP-11.",
    remedy="Return as many events as `max_limit` announces.",
)
class AnnouncedLimitNotKept(_Claiming):
    kept: ClassVar = {"largest_limit": 40}


@rogue(
    "announced-subscriptions-not-kept",
    turns_red="AP-INFO-02",
    because="A proxy before it allows fewer subscriptions than it announces.",
    remedy="Allow as many subscriptions as `max_subscriptions` announces.",
)
class AnnouncedSubscriptionsNotKept(_Claiming):
    kept: ClassVar = {"subscriptions_at_once": 24}


@rogue(
    "announced-filters-not-kept",
    turns_red="AP-INFO-03",
    because="Its parser has a limit of filters that its configuration does not know.",
    remedy="Accept as many filters in a REQ as `max_filters` announces.",
)
class AnnouncedFiltersNotKept(_Claiming):
    kept: ClassVar = {"filters_at_once": 6}


@rogue(
    "announced-frame-not-kept",
    turns_red="AP-INFO-04 AP-ROB-02",
    because="Its socket library closes on frames that it announces it would read.",
    remedy="Accept frames up to the announced `max_message_length`.",
)
class AnnouncedFrameNotKept(_Claiming):
    kept: ClassVar = {"frame_limit": 262_144}


@rogue(
    "announced-id-length-not-kept",
    turns_red="AP-INFO-05",
    because="It follows NIP-01 and takes 64 characters, and announces more.",
    remedy="Accept subscription ids up to the announced `max_subid_length`.",
)
class AnnouncedIdLengthNotKept(_Claiming):
    kept: ClassVar = {"longest_subscription_id": 64}
