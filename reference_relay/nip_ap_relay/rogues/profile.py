"""Rogues of profiles, names and agents."""

from __future__ import annotations

from collections.abc import Mapping

from nip_ap.nostr import PROFILE, Event
from nip_ap_relay.policy import Policy
from nip_ap_relay.rogues.declaring import rogue


@rogue(
    "profiles-pile-up",
    turns_red="AP-PROFILE-01",
    because="It replaces kinds from 10000 on, and forgot that 0 is replaceable too.",
    remedy="Keep one kind 0 of each key: the newest.",
)
class ProfilesPileUp(Policy):
    def address(self, event: Event) -> str | None:
        return None if event.kind == PROFILE else super().address(event)


@rogue(
    "names-not-taken-over",
    turns_red="AP-PROFILE-02",
    blinds="AP-PROFILE-03 AP-PROFILE-04",
    because="It takes over the names of a list that it was given, and no others.",
    remedy="Take the name of a profile over as the profile is stored.",
)
class NamesNotTakenOver(Policy):
    def name_claimed(self, profile: Event, before: str | None) -> str | None:
        claimed = super().name_claimed(profile, before)
        return claimed if claimed and "probe" in claimed else None


@rogue(
    "names-never-change",
    turns_red="AP-PROFILE-03 AP-PROFILE-04",
    because="It takes a name over once, and never looks again.",
    remedy="Let the name follow each newer profile.",
)
class NamesNeverChange(Policy):
    def name_claimed(self, profile: Event, before: str | None) -> str | None:
        return before or super().name_claimed(profile, before)


@rogue(
    "names-kept-for-ever",
    turns_red="AP-PROFILE-03 AP-PROFILE-04",
    because="It adds the new name and leaves the old one.",
    remedy="Give up the old name when a newer profile claims another.",
)
class NamesKeptForEver(Policy):
    def gives_up_old_names(self) -> bool:
        return False


@rogue(
    "names-kept-from-elsewhere",
    turns_red="AP-PROFILE-04",
    because="It skips a name of another domain, and with it that the one here was given up.",
    remedy="Clear the name where a newer profile claims one of another domain.",
)
class NamesKeptFromElsewhere(Policy):
    def name_claimed(self, profile: Event, before: str | None) -> str | None:
        claimed = super().name_claimed(profile, before)
        here = (before or "@").partition("@")[2]
        return before if before and claimed and claimed.partition("@")[2] != here else claimed


@rogue(
    "names-for-own-pages",
    turns_red="AP-PROFILE-05",
    because="It answers for names without the header that lets a page read the answer.",
    remedy="Send `Access-Control-Allow-Origin: *` with the document of names.",
)
class NamesForOwnPages(Policy):
    def headers_of_names(self) -> Mapping[str, str]:
        return {}


@rogue(
    "agents-cannot-say-nobody",
    turns_red="AP-PROFILE-06",
    because="It knows `owner_only`, and takes every other word for anyone.",
    remedy="Refuse a kind 9000 for an agent whose policy is `nobody`.",
)
class AgentsCannotSayNobody(Policy):
    def policy_allows(self, policy: str) -> bool:
        return policy == "nobody" or super().policy_allows(policy)


@rogue(
    "agents-are-anybodys",
    turns_red="AP-PROFILE-06",
    because="It knows `nobody`, and lets everybody pass for the owner of an agent.",
    remedy="Refuse a kind 9000 for an agent whose policy is `owner_only`, but from its owner.",
)
class AgentsAreAnybodys(Policy):
    def policy_allows(self, policy: str) -> bool:
        return policy == "owner_only" or super().policy_allows(policy)


@rogue(
    "agents-ask-to-be-asked",
    turns_red="AP-PROFILE-07",
    blinds="AP-PROFILE-06",
    because="It does not know the word `anyone`, and refuses what it does not know.",
    remedy="Let an agent be added whose policy is `anyone`, or that has none.",
)
class AgentsAskToBeAsked(Policy):
    def policy_allows(self, policy: str) -> bool:
        return policy == ""


@rogue(
    "agents-do-not-add-themselves",
    turns_red="AP-PROFILE-08",
    because="It asks for the policy of whoever is added, also where they add themselves.",
    remedy="Let a key be added by itself, whatever its policy.",
)
class AgentsDoNotAddThemselves(Policy):
    def one_may_add_oneself(self) -> bool:
        return False
