"""Probes for what else the real relay offers: wraps, direct messages, search, profiles, media."""

from __future__ import annotations

from nip_ap.checking.media import UPLOAD, headers_for
from nip_ap.checking.probing import Probing, probe
from nip_ap.checking.profiles import NAMES, add_policy, domain_of, holder_in, named_profile
from nip_ap.model.capabilities import NO, YES
from nip_ap.nostr import NOTE, Draft, Filter
from nip_ap.nostr.channel import MESSAGE, is_channel_id
from nip_ap.nostr.direct_message import hidden_of, hiding, opening, response_in
from nip_ap.nostr.gift_wrap import GIFT_WRAP, addressed_to
from nip_ap.wire import WireError


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


@probe("text-search")
def _text_search(probing: Probing) -> tuple[str, str]:
    """Whether what people say can be searched: messages of a channel, or notes without one."""
    owner = probing.owner
    words = [f"{name}{owner.pubkey[:12]}" for name in ("alpha", "omega")]
    in_channel = probing.offers("channels")
    sought, other = owner.send_all(
        [owner.signs(draft) for draft in (said_in(probing, word) for word in words)]
    )
    kind, what = (MESSAGE, "a message") if in_channel else (NOTE, "a note")
    if not (sought.accepted and other.accepted):
        return NO, f"{what} was refused: {sought.message or other.message!r}"
    event = owner.signs(said_in(probing, words[0]))
    wanted = Filter.of(
        kinds=[kind],
        search=words[0],
        limit=5,
        tags={"h": [probing.channel.id]} if in_channel else {},
    )
    claims = probing.claims(50)
    reading = owner.read_until(event, wanted) if claims else owner.try_to_read(wanted)
    if reading.ids == (event.id,):
        return YES, f"a search for a fresh word found {what} that has it, and nothing else"
    return NO, f"a search for a fresh word of {what} gave {reading}"


def said_in(probing: Probing, text: str) -> Draft:
    """A message of the probes' channel, or a note where there are no channels."""
    if probing.offers("channels"):
        return probing.channel.message(text)
    return Draft(NOTE, probing.now, (), text)


@probe("nip05", nip=5)
def _nip05(probing: Probing) -> tuple[str, str]:
    """Any relay takes a profile; one that serves names takes over what the profile claims."""
    owner = probing.owner
    name = f"probe{owner.pubkey[:12]}"
    profile = owner.signs(named_profile(owner, f"{name}@{domain_of(owner)}", at=probing.now))
    answer = owner.send(profile)
    if not answer.accepted:
        return NO, f"a profile was refused: {answer.message!r}"
    try:
        response = owner.http.fetch("GET", f"{NAMES}?name={name}")
    except WireError as error:
        return NO, f"{NAMES} was not served: {error}"
    if holder_in(response, name) == owner.pubkey:
        return YES, f"{NAMES} gave the key of a profile that claims a name of this relay"
    return NO, f"{NAMES} for a name that a profile claims: HTTP {response.status}"


@probe("channel-add-policy")
def _channel_add_policy(probing: Probing) -> tuple[str, str]:
    """Asked for with two policies: a relay that minds one of them has it."""
    if not probing.offers("channels"):
        return NO, "the relay has no channels that somebody could be added to"
    owner, agent = probing.owner, probing.stranger
    for number, policy in enumerate(("nobody", "owner_only")):
        wish = agent.send(agent.signs(add_policy(policy, at=probing.now - 5 + number)))
        if not wish.accepted:
            return NO, f"a kind 10100 was refused: {wish.message!r}"
        answer = owner.send(owner.signs(probing.channel.membership(agent.pubkey)))
        if not answer.accepted:
            return YES, f"an agent whose policy is {policy} was not added: {answer.message!r}"
        owner.send(owner.signs(probing.channel.expulsion(agent.pubkey)))
    return NO, "an agent was added to a channel, whatever its kind 10100 says"


@probe("media")
def _media(probing: Probing) -> tuple[str, str]:
    body = f"probe {probing.owner.pubkey}".encode()
    try:
        bare = probing.owner.http.fetch("PUT", UPLOAD, body=body)
    except WireError as error:
        return NO, f"PUT {UPLOAD} was not answered: {error}"
    if bare.status not in (401, 403):
        return NO, f"PUT {UPLOAD} without an authorization answered HTTP {bare.status}, not 401"
    response = probing.owner.http.fetch(
        "PUT", UPLOAD, body=body, headers=headers_for(probing.owner, body)
    )
    if response.status != 200:
        said = response.text[:100]
        return NO, f"PUT {UPLOAD} with an authorization answered HTTP {response.status} {said}"
    return YES, f"PUT {UPLOAD} took a body of {len(body)} bytes"
