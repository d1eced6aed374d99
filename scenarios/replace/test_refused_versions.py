"""REPL: a version that was refused has no effect (NIP-AP, "Ingest validation")."""

from functools import partial

from nip_ap.scenario import WS, Broken, Inconclusive, address, clause, every_door

DAY = 86_400


def newer(owner, persona, head, **fields):
    """A version of now under the slug of a head."""
    return owner.signs(persona(head.slug, name="newer", **fields))


def flipped(event):
    """The event with one bit of its signature changed."""
    return event.altered(sig=f"{int(event.sig, 16) ^ 1:0128x}")


BAD = {
    "a second `d` tag": lambda good, new: new(tags=[("d", "another")]),
    "a second `d` tag of the same slug": lambda good, new: new(tags=[("d", good.slug)]),
    "a malformed `shared` tag": lambda good, new: new(tags=[("shared", "maybe")]),
    "a date a day ahead": lambda good, new: new(at=good.created_at + DAY),
    "a broken signature": lambda good, new: flipped(good),
    "a wrong id": lambda good, new: good.altered(id=good.id[::-1]),
    "content changed after signing": lambda good, new: good.altered(content=good.content + " "),
}


@clause("AP-REPL-20")
@every_door
def test_a_refused_version_leaves_the_head(owner, persona, clock, check, via):
    heads = owner.publish_all(
        [persona(check.slug(f"head-{n}"), at=clock.now() - 10) for n in range(len(BAD))], via=via
    )
    versions = [
        make(newer(owner, persona, head), partial(newer, owner, persona, head))
        for make, head in zip(BAD.values(), heads, strict=True)
    ]
    sender = owner.another_connection()  # some relays end a connection over a forgery
    answers = sender.submit(versions) if via == WS else sender.send_all(versions, via=via)
    pairs = zip(BAD, heads, answers, strict=True)
    kept = {name: head for name, head, answer in pairs if not (answer and answer.accepted)}
    if not kept:
        raise Inconclusive("the relay refuses none of these versions, so none can be looked at")
    check.note(f"refused: {', '.join(kept)}")
    listed = owner.personas(via=via)
    found = owner.read_each([address(owner, head.slug) for head in kept.values()], via=via)
    gone = [
        name
        for (name, head), reading in zip(kept.items(), found, strict=True)
        if head not in reading or head not in listed
    ]
    if gone:
        raise Broken("the head to stay after a refused version", f"it is gone after {gone}")
