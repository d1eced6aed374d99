"""GATE: what a write tells about a hidden persona: nothing (NIP-AP, "Access control")."""

from nip_ap.nostr import address_of
from nip_ap.scenario import (
    DELETION,
    NOTE,
    PERSONA,
    Broken,
    Draft,
    NotApplicable,
    answered_alike,
    clause,
    every_door,
)

REACTION, REPORT, COMMENT = 7, 1984, 1111


def about(clock, channel=None):
    """Events that name another by its id or address, by name; each is made of its target."""

    def draft(kind, *tags, content="+"):
        return Draft(kind, clock.now(), tags, content)

    named = {
        "a reaction": lambda one: draft(REACTION, ("e", one.id), ("p", one.pubkey)),
        "a reaction to the address": lambda one: draft(
            REACTION, ("e", one.id), ("a", address_of(one)), ("k", str(PERSONA))
        ),
        "a report": lambda one: draft(REPORT, ("e", one.id, "spam"), ("p", one.pubkey)),
        "a reply in a note": lambda one: draft(NOTE, ("e", one.id, "", "reply")),
        "a comment": lambda one: draft(COMMENT, ("E", one.id), ("e", one.id), ("K", str(PERSONA))),
        "a deletion by id": lambda one: draft(DELETION, ("e", one.id), ("k", str(PERSONA))),
        "a deletion by address": lambda one: draft(DELETION, ("a", address_of(one))),
    }
    if channel is not None:
        named["a reply in a channel"] = lambda one: channel.reply("a reply", to=one)
    return named


@clause("AP-GATE-34")
@every_door
def test_a_write_about_a_hidden_persona_is_answered_like_one_about_nothing(
    owner, stranger, persona, check, clock, relay, via
):
    channel = check.new_channel(stranger, "own") if relay.offers("channels") else None
    hidden = owner.publish(persona(check.slug("hidden")), via=via)
    absent = owner.signs(persona(check.slug("absent")))
    alike = answered_alike(hidden, absent, about(clock, channel), by=stranger, via=via)
    check.fact("answers about a hidden persona", alike)


@clause("AP-GATE-35")
@every_door
def test_a_hidden_persona_sent_by_a_stranger_is_not_called_a_duplicate(
    owner, stranger, persona, check, via
):
    hidden = owner.publish(persona(check.slug("hidden")))
    again = owner.send(hidden, via=via)
    if not again.accepted:
        raise NotApplicable(f"its own author may not send it twice: {again.message!r}")
    absent = owner.signs(persona(check.slug("absent")))
    of_absent, of_hidden = stranger.send_all([absent, hidden], via=via)
    check.note(
        f"a stranger sends what its author never sent: {of_absent}; what is hidden: {of_hidden}"
    )
    if of_hidden.prefix == "duplicate:":
        raise Broken("no word to a stranger of what is stored", str(of_hidden))
    if not of_absent.accepted and of_absent.message != of_hidden.message:
        raise Broken(f"what is said of one that was never sent, {of_absent}", str(of_hidden))
