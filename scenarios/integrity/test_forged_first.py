"""INT: what was tried in an event's name does not stand in its way (NIP-01)."""

import contextlib
import hashlib
import json

from nip_ap.scenario import (
    HTTP,
    PERSONA,
    Broken,
    Inconclusive,
    WireError,
    accepted,
    all_of,
    clause,
    delivered,
    every_door,
)

# -- a forged twin -----------------------------------------------------------------------


def forged(event):
    """Events of the same id that are not the event."""
    return [
        event.altered(sig=f"{int(event.sig, 16) ^ 1:0128x}"),
        event.altered(content=event.content + " "),
    ]


@clause("AP-INT-08")
@every_door
def test_a_genuine_event_is_stored_after_its_forged_twins(owner, persona, slug, other_slug, via):
    watch = owner.another_connection().watch(all_of(owner))
    owner.publish(persona(other_slug), via=via)
    event = owner.signs(persona(slug))
    twins = forged(event)
    forger = owner.another_connection()  # some relays end a connection over a forgery
    answers = [forger.send(one, via=via) for one in twins] if via == HTTP else forger.submit(twins)
    if any(answer is not None and answer.accepted for answer in answers):
        raise Inconclusive("a forged event was accepted, which is for AP-INT-02 to judge")
    accepted(owner, event, via=via)
    served = owner.head(slug, via=via)
    assert served == event
    assert served.same_bytes_as(event)
    delivered(event, on=watch)


# -- half a character --------------------------------------------------------------------

LONE = "\ud800"


def with_a_lone_surrogate(owner, slug, now, hashed):
    """An EVENT frame as text whose content has half a surrogate pair, escaped.

    No such event exists: it cannot be written in UTF-8. Its id is the hash of what some decoders
    make of it, `hashed`, or of the bytes of the half itself.
    """
    tags, text = [["d", slug]], f"half a character: {LONE}"
    content = text if hashed is None else text.replace(LONE, hashed)
    fields = [0, owner.pubkey, now, PERSONA, tags, content]
    written = json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
    identifier = hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()
    event = {
        "id": identifier,
        "pubkey": owner.pubkey,
        "created_at": now,
        "kind": PERSONA,
        "tags": tags,
        "content": text,
        "sig": owner.key.sign(bytes.fromhex(identifier)),
    }
    return json.dumps(["EVENT", event])


@clause("AP-INT-07")
def test_half_a_character_does_no_harm(owner, persona, slug, clock, check):
    witness = owner.publish(persona(slug))
    for number, hashed in enumerate((None, "\ufffd", "?", "")):
        text = with_a_lone_surrogate(owner, check.slug(f"half-{number}"), clock.now(), hashed)
        sender = owner.another_connection()
        with contextlib.suppress(WireError):  # to end this connection is a fine answer
            sender.ws.send_text(text)
            sender.try_to_read(all_of(sender))
    assert owner.ws.is_open, "it cost another connection its life"
    reading = owner.try_to_read(all_of(owner))
    strays = [one for one in map(str, owner.ws.strays) if one.lstrip("[ \n").startswith('"EVENT"')]
    unread = [str(one)[:200] for one in (*strays, *owner.ws.malformed)]
    if unread:
        raise Broken("nothing to be served that cannot be read", "; ".join(unread))
    wrong = [event.id[:8] for event in reading.events if event.problems]
    if wrong:
        raise Broken("nothing to be served that does not verify", f"events {wrong}")
    assert witness in reading
