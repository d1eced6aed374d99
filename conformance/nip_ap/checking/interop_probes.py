"""Probes for what else the real relay offers: wraps, direct messages, profiles, media."""

from __future__ import annotations

from nip_ap.checking.probing import Probing, probe
from nip_ap.model.capabilities import NO, YES
from nip_ap.nostr import Draft, Filter
from nip_ap.nostr.channel import is_channel_id
from nip_ap.nostr.direct_message import hidden_of, hiding, opening, response_in
from nip_ap.nostr.gift_wrap import GIFT_WRAP, addressed_to


@probe("gift-wraps")
def _gift_wraps(probing: Probing) -> tuple[str, str]:
    """Any relay takes a kind 1059; one that knows wraps keeps them from strangers.

    The probe is signed by its sender, and strangers ask in two ways: what goes wrong in one of
    them, or with a one-time key, is for the checks to find.
    """
    owner, stranger = probing.owner, probing.stranger
    wrap = owner.signs(Draft(GIFT_WRAP, probing.now, (("p", owner.pubkey),), "probe"))
    answer = owner.send(wrap)
    if not answer.accepted:
        return NO, f"a kind 1059 was refused: {answer.message!r}"
    if wrap not in owner.try_to_read(addressed_to(owner.pubkey)):
        return NO, "a kind 1059 was accepted and is not served to whom it is addressed"
    ways = (addressed_to(owner.pubkey), Filter.of(kinds=[GIFT_WRAP], ids=[wrap.id]))
    seen = sum(wrap in stranger.try_to_read(one) for one in ways)
    if seen == len(ways):
        return NO, "a stranger reads a kind 1059 that is addressed to somebody else"
    return YES, f"a kind 1059 is served to whom it is addressed; to a stranger in {seen} of 2 ways"


@probe("direct-messages")
def _direct_messages(probing: Probing) -> tuple[str, str]:
    answer = probing.owner.send(probing.owner.signs(_opening(probing, 0)))
    if not answer.accepted:
        return NO, f"a kind 41010 was refused: {answer.message!r}"
    if not is_channel_id(str(response_in(answer.message).get("channel_id"))):
        return NO, f"a kind 41010 was accepted as any event is, and opened nothing: {answer}"
    return YES, f"a kind 41010 opened a direct message: {answer.message!r}"


def _opening(probing: Probing, earlier: int) -> Draft:
    return opening(probing.stranger.pubkey, at=probing.now - earlier)


@probe("dm-visibility")
def _dm_visibility(probing: Probing) -> tuple[str, str]:
    if not probing.offers("direct-messages"):
        return NO, "the relay has no direct messages that could be hidden"
    owner = probing.owner
    answer = owner.send(owner.signs(_opening(probing, 1)))
    channel = str(response_in(answer.message).get("channel_id"))
    answer = owner.send(owner.signs(hiding(channel, at=probing.now)))
    if not answer.accepted:
        return NO, f"a kind 41012 was refused: {answer.message!r}"
    reading = owner.try_to_read(hidden_of(owner.pubkey))
    if not reading.events:
        return NO, f"a direct message was hidden, and the relay does not say so: {reading}"
    return YES, "hiding a direct message gave an event of kind 30622 to who hid it"
