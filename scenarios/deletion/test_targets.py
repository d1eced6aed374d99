"""DEL: what a request names, and what it leaves alone (NIP-09; NIP-AP, "Deletion")."""

from nip_ap.nostr import address_of
from nip_ap.scenario import (
    ANY,
    APPLICATION_DATA,
    DELETION,
    PERSONA,
    Broken,
    Draft,
    Filter,
    Inconclusive,
    NotApplicable,
    address,
    all_of,
    clause,
    delivered,
    each,
    same_events,
    vanishes,
)

HINT = "wss://relay.example"
EARLIER = 10


def request(clock, *tags, reason=""):
    """A kind 5 with exactly these tags."""
    return Draft(DELETION, clock.now(), tuple(tags), reason)


def a(event):
    """The tag that names an event by its address."""
    return ("a", address_of(event))


def e(event):
    """The tag that names an event by its id."""
    return ("e", event.id)


def by_ids(*events):
    """Personas by their ids."""
    return Filter.of(kinds=[PERSONA], ids=[event.id for event in events])


def earlier(persona, clock, slug):
    """A persona that a request of now is later than."""
    return persona(slug, at=clock.now() - EARLIER)


def some(author, persona, clock, check, *names):
    """Personas of one author under fresh slugs, all of them served."""
    events = author.publish_all([earlier(persona, clock, check.slug(name)) for name in names])
    there = author.personas()
    if not all(event in there for event in events):
        raise Inconclusive(f"not all of {len(events)} accepted personas are served: {there}")
    return events


# -- several targets ---------------------------------------------------------------------

SEVERAL = {
    "two addresses": (a, a),
    "two ids": (e, e),
    "an address and an id": (a, e),
    "an id and an address": (e, a),
    "twelve addresses": (a,) * 12,
}


@clause("AP-DEL-09")
@each("named", SEVERAL)
def test_a_request_with_several_targets_is_honoured_or_refused_whole(
    owner, persona, clock, check, named
):
    ways = SEVERAL[named]
    targets = some(owner, persona, clock, check, *(f"target-{n}" for n in range(len(ways))))
    (bystander,) = some(owner, persona, clock, check, "bystander")
    tags = [way(target) for way, target in zip(ways, targets, strict=True)]
    answer = owner.send(owner.signs(request(clock, *tags, ("k", str(PERSONA)))), settle=ANY)
    left = owner.personas()
    check.note(f"a request that names {named} was {answer}")
    expected = [bystander] if answer.accepted else [bystander, *targets]
    same_events(left.events, expected)


# -- whose they are ----------------------------------------------------------------------


def upper(tag):
    """A tag whose hex digits are upper-case letters."""
    head, colon, rest = tag[1].partition(":")
    pubkey, *slug = rest.split(":")
    value = ":".join((head, pubkey.upper(), *slug)) if colon else tag[1].upper()
    return (tag[0], value)


ATTACKS = {
    "an own address, then a foreign one": lambda own, theirs: [a(own), a(theirs)],
    "a foreign address, then an own one": lambda own, theirs: [a(theirs), a(own)],
    "an own id, then a foreign one": lambda own, theirs: [e(own), e(theirs)],
    "an own address, then a foreign id": lambda own, theirs: [a(own), e(theirs)],
    "an own id, then a foreign address": lambda own, theirs: [e(own), a(theirs)],
    "a foreign id with its author": lambda own, theirs: [(*e(theirs), HINT, theirs.pubkey)],
    "a foreign address and its author": lambda own, theirs: [a(theirs), ("p", theirs.pubkey)],
    "a foreign address in upper case": lambda own, theirs: [upper(a(theirs))],
    "a foreign id in upper case": lambda own, theirs: [upper(e(theirs))],
    "ten own addresses, then a foreign one": lambda own, theirs: [*[a(own)] * 10, a(theirs)],
}


@clause("AP-DEL-10")
def test_the_author_of_every_target_is_checked(owner, other_owner, persona, clock, check):
    names = [f"victim-{number}" for number in range(len(ATTACKS))]
    victims = some(owner, persona, clock, check, *names)
    pawns = some(other_owner, persona, clock, check, *names)
    requests = [
        request(clock, *attack(own, theirs))
        for attack, own, theirs in zip(ATTACKS.values(), pawns, victims, strict=True)
    ]
    other_owner.publish_all(requests, expect=ANY)
    left = owner.personas()
    lost = [how for how, theirs in zip(ATTACKS, victims, strict=True) if theirs not in left]
    if lost:
        raise Broken("nobody to delete another's persona", f"it is gone after: {'; '.join(lost)}")
    with vanishes(victims[0], address(owner, victims[0].slug), for_=owner, control=True):
        owner.publish(request(clock, a(victims[0])))


@clause("AP-DEL-16")
def test_a_forged_request_deletes_nothing(owner, persona, clock, check):
    first, second = some(owner, persona, clock, check, "first", "second")
    genuine = owner.signs(request(clock, a(first)))
    broken = f"{int(genuine.sig, 16) ^ 1:0128x}"
    redirected = owner.signs(request(clock, a(second))).altered(tags=(a(first),))
    owner.publish_all([genuine.altered(sig=broken), redirected], expect=ANY)
    same_events(owner.personas().events, [first, second])
    with vanishes(first, address(owner, first.slug), for_=owner, control=True):
        owner.publish(genuine)


# -- what else stands in a request -------------------------------------------------------

FURTHER = {
    "a relay hint": lambda one: [(*a(one), HINT)],
    "an empty hint": lambda one: [(*a(one), "")],
    "a hint and the author behind an id": lambda one: [(*e(one), HINT, one.pubkey)],
    "the kinds of other targets": lambda one: [a(one), ("k", "1"), ("k", str(PERSONA))],
    "the kind first": lambda one: [("k", str(PERSONA)), a(one)],
    "tags of other sorts": lambda one: [("alt", "a deletion"), a(one), ("client", "conformance")],
    "a `p` tag": lambda one: [("p", one.pubkey), a(one)],
}


@clause("AP-DEL-11")
def test_hints_and_further_tags_change_nothing(owner, persona, clock, check):
    plain, reasoned, *rest = some(
        owner, persona, clock, check, "plain", "reason", *(f"further-{n}" for n in range(7))
    )
    with vanishes(plain, address(owner, plain.slug), for_=owner, control=True):
        owner.publish(request(clock, a(plain)))
    shapes = dict(zip(FURTHER, rest, strict=True))
    requests = [request(clock, *FURTHER[shape](target)) for shape, target in shapes.items()]
    requests.append(request(clock, a(reasoned), reason="published by accident"))
    owner.publish_all(requests, expect=ANY)
    left = owner.personas()
    kept = [shape for shape, target in {**shapes, "a reason": reasoned}.items() if target in left]
    if kept:
        raise Broken("a request to be honoured with whatever it also has", f"not with {kept}")


# -- what a request does not name --------------------------------------------------------


@clause("AP-DEL-12")
@each("deleted", ("the persona", "the other kind"))
def test_another_kind_under_the_same_d_stays(owner, persona, slug, clock, deleted):
    mine = owner.publish(earlier(persona, clock, slug))
    other = owner.signs(Draft(APPLICATION_DATA, mine.created_at, (("d", slug),), "other"))
    answer = owner.send(other)
    if not answer.accepted:
        raise NotApplicable(f"the relay does not take kind {other.kind}: {answer.message!r}")
    doomed, kept = (mine, other) if deleted == "the persona" else (other, mine)
    with vanishes(doomed, address(owner, slug, kind=doomed.kind), for_=owner, control=True):
        owner.publish(request(clock, a(doomed), ("k", str(doomed.kind))))
    same_events(owner.read(address(owner, slug, kind=kept.kind)).events, [kept])


def misspelt(event):
    """Values of an `a` tag that nearly name an event's address, and do not."""
    kind, pubkey, slug = event.kind, event.pubkey, event.slug
    return {
        "another kind": f"{kind + 1}:{pubkey}:{slug}",
        "kind 30078": f"{APPLICATION_DATA}:{pubkey}:{slug}",
        "no kind": f":{pubkey}:{slug}",
        "no author": f"{kind}::{slug}",
        "no slug": f"{kind}:{pubkey}:",
        "no third part": f"{kind}:{pubkey}",
        "kind and slug": f"{kind}:{slug}",
        "the slug alone": slug,
        "the author alone": pubkey,
        "half an author": f"{kind}:{pubkey[:32]}:{slug}",
        "a fourth part": f"{kind}:{pubkey}:{slug}:more",
        "an empty value": "",
        "colons": "::",
        "half the slug": f"{kind}:{pubkey}:{slug[:-4]}",
        "a star": f"{kind}:{pubkey}:*",
        "a percent sign": f"{kind}:{pubkey}:%",
    }


@clause("AP-DEL-15")
def test_an_address_that_is_misspelt_takes_nothing_away(owner, persona, clock, check):
    target, bystander = some(owner, persona, clock, check, "target", "bystander")
    shapes = misspelt(target)
    for shape, value in shapes.items():
        check.step(f"asks for {shape}: {value!r}")
    requests = [request(clock, ("a", value)) for value in shapes.values()]
    requests += [request(clock, ("a",)), request(clock, ("e", target.id[:63])), request(clock)]
    owner.submit([owner.signs(draft) for draft in requests])
    left = owner.another_connection().personas()
    gone = [one.slug for one in (target, bystander) if one not in left]
    if gone:
        culprit = culprit_of(owner, persona, clock, check)
        raise Broken("a misspelt address to delete nothing", f"{gone} gone after {culprit}")
    check.fact("upper case is honoured", honours_upper_case(owner, persona, clock, check))
    with vanishes(target, address(owner, target.slug), for_=owner, control=True):
        owner.publish(request(clock, a(target)))


def culprit_of(owner, persona, clock, check):
    """The first misspelling that deletes something, each asked alone."""
    for number, shape in enumerate(misspelt(owner.signs(persona("x")))):
        (target,) = some(owner, persona, clock, check, f"again-{number}")
        owner.submit([owner.signs(request(clock, ("a", misspelt(target)[shape])))])
        if target not in owner.another_connection().personas():
            return f"{shape}: {misspelt(target)[shape]!r}"
    return "several requests"


def honours_upper_case(owner, persona, clock, check):
    """Whether an own address in upper-case hex is honoured; NIP-01 writes hex in lower case."""
    (target,) = some(owner, persona, clock, check, "upper-case")
    owner.submit([owner.signs(request(clock, upper(a(target))))])
    return target not in owner.personas()


# -- the request itself ------------------------------------------------------------------


@clause("AP-DEL-13")
def test_a_deletion_of_a_deletion_changes_nothing(owner, persona, slug, clock):
    doomed = owner.publish(earlier(persona, clock, slug))
    with vanishes(doomed, address(owner, slug), for_=owner, control=True):
        deletion = owner.publish(request(clock, a(doomed), e(doomed)))
    requests = Filter.of(kinds=[DELETION], authors=[owner.pubkey], ids=[deletion.id])
    if deletion not in owner.read(requests):
        raise Inconclusive("the request is not served, which is for AP-DEL-08 to judge")
    owner.publish(request(clock, e(deletion), ("k", str(DELETION))), expect=ANY)
    same_events(owner.read(address(owner, slug)).events, [])
    same_events(owner.read(by_ids(doomed)).events, [])
    same_events(owner.read(requests).events, [deletion])


@clause("AP-DEL-14")
def test_a_request_is_delivered_live(owner, persona, slug, clock):
    doomed = owner.publish(earlier(persona, clock, slug))
    watches = [
        owner.another_connection().watch(all_of(owner, kinds=kinds))
        for kinds in ([DELETION], [PERSONA, DELETION])
    ]
    deletion = owner.publish(request(clock, a(doomed)))
    for watch in watches:
        delivered(deletion, on=watch)
