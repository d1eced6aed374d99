"""DUR: what a relay said OK to is there after a crash, and after a stop.

Each check has a relay of its own. What it kills, nobody else uses.
"""

from collections import defaultdict
from random import Random

from nip_ap.nostr import address_of
from nip_ap.scenario import (
    ACCEPTED,
    ANY,
    DELETION,
    PERSONA,
    Broken,
    ConnectionLost,
    Draft,
    Filter,
    Inconclusive,
    NoAnswer,
    address,
    all_of,
    batched,
    clause,
    each,
    same_events,
    vanishes,
)

WRITERS, SLUGS, VERSIONS = 4, 120, 3
AT_ONCE = 50


class Burst:
    """Writes under way on several connections, and what the relay said to them."""

    def __init__(self, author, events):
        self.author = author
        self.writers = [author.another_connection() for _ in range(WRITERS)]
        self.shares = [events[number::WRITERS] for number in range(WRITERS)]
        self.sent = 0
        for writer in self.writers:
            writer.read(address(author, "nothing-yet"))  # connected, authenticated, answered

    def send_until(self, answered):
        """Send on all connections until the first got so many answers; the rest stays open."""
        first, share = self.writers[0].ws, self.shares[0]

        def is_enough():
            return sum(map(first.oks_of, share)) >= answered

        for events in zip(*self.shares, strict=True):
            for writer, event in zip(self.writers, events, strict=True):
                writer.ws.post(event)
                self.sent += 1
            if self.author.sees("enough was answered", is_enough):
                return
        first.wait(is_enough, f"{answered} answers")

    def acknowledged(self):
        """The ids that got OK true, once every connection has ended."""
        for writer in self.writers:
            writer.ws.wait(lambda one=writer: not one.ws.is_open, "the end of the connection")
        return {identifier for writer in self.writers for identifier in writer.ws.accepted_so_far()}

    def leave(self):
        for writer in self.writers:
            writer.leave()


def versions_of(author, persona, slugs, now, dice):
    """Three versions of each slug, a second apart, in any order."""
    events = [
        author.signs(persona(slug, at=now - age)) for slug in slugs for age in range(VERSIONS)
    ]
    dice.shuffle(events)
    return events


def acknowledged_heads(events, acknowledged):
    """The best acknowledged version of each slug."""
    heads = {}
    for event in events:
        if event.id in acknowledged:
            rival = heads.setdefault(event.slug, event)
            heads[event.slug] = min(rival, event, key=lambda one: one.order)
    return heads


def served(author, slugs):
    """What the relay serves at each address."""
    found = defaultdict(list)
    for some in batched(sorted(slugs), AT_ONCE):
        for event in author.read(address(author, *some)).events:
            found[event.slug].append(event)
    return found


def holds(author, heads, sent):
    """Each acknowledged head is served, or a better version that was sent; each byte for byte."""
    there = served(author, {event.slug for event in sent.values()})
    lost = []
    for slug, head in heads.items():
        best = min(there[slug], key=lambda event: event.order, default=None)
        if best is None or best.order > head.order:
            lost.append(f"{slug}: {head.id[:8]}, served {best.id[:8] if best else 'nothing'}")
    if lost:
        raise Broken(f"{len(heads)} acknowledged heads", f"{len(lost)} lost: {'; '.join(lost[:5])}")
    for event in (event for events in there.values() for event in events):
        if event.id not in sent or not event.same_bytes_as(sent[event.id]):
            raise Broken("each event absent or whole", f"event {event.id[:8]} as nobody sent it")


@clause("AP-DUR-01")
def test_what_was_acknowledged_survives_a_crash_under_load(
    own_relay, owner, persona, check, clock, seed, kills
):
    dice, sent, heads, acknowledged = Random(seed), {}, {}, 0
    for number in range(kills):
        slugs = [check.slug(f"kill-{number}-{one}") for one in range(SLUGS)]
        events = versions_of(owner, persona, slugs, clock.now(), dice)
        burst = Burst(owner, events)
        burst.send_until(answered=dice.randint(1, len(burst.shares[0])))
        own_relay.kill()
        answered = burst.acknowledged()
        burst.leave()
        own_relay.start_again()
        owner.reconnect()
        sent |= {event.id: event for event in events}
        heads |= acknowledged_heads(events, answered)
        acknowledged += len(answered)
        check.fact("kills", number + 1)
        check.fact("sent", burst.sent + check.ledger.facts.get("sent", 0))
        check.fact("acknowledged", acknowledged)
        check.fact("acknowledged heads", len(heads))
        holds(owner, heads, sent)


def ties_of(author, persona, slug, now):
    """Two versions of one second: the one that NIP-01 makes the head, and the other."""
    versions = [author.signs(persona(slug, at=now, name=name)) for name in "AB"]
    return sorted(versions, key=lambda event: event.order)


def delete_for_good(author, event, at):
    """Ask by address and by id: a relay may know one of the two only."""
    tags = (("a", f"{PERSONA}:{author.pubkey}:{event.slug}"), ("e", event.id), ("k", str(PERSONA)))
    author.publish(Draft(DELETION, at, tags))


@clause("AP-DUR-02")
@each("end", ["crash", "stop"])
def test_replaced_and_deleted_stay_so(own_relay, owner, persona, check, clock, end):
    now = clock.now()
    old, new = (owner.signs(persona(check.slug("kept"), at=now - age)) for age in (9, 8))
    doomed = owner.signs(persona(check.slug("deleted"), at=now - 9))
    winner, loser = ties_of(owner, persona, check.slug("tie"), now - 5)
    late_winner, late_loser = ties_of(owner, persona, check.slug("late-tie"), now - 5)
    for event in (old, new, doomed, winner, loser, late_loser, late_winner):
        owner.publish(event, expect=ANY if event is loser else ACCEPTED)
    everything = all_of(owner)
    replaced = Filter.of(kinds=[PERSONA], ids=[one.id for one in (old, loser, late_loser, doomed)])
    with vanishes(doomed, everything, for_=owner, control=True):
        delete_for_good(owner, doomed, now - 7)
    before, replaced_before = owner.read(everything), owner.read(replaced)
    if new not in before or old in before:
        raise Inconclusive(f"a replaced version was served before the {end} already: {before}")
    if end == "crash":
        own_relay.kill()
    else:
        own_relay.stop()
    own_relay.start_again()
    owner.reconnect()
    after = owner.read(everything)
    lost = {one.slug for one in before.events} - {one.slug for one in after.events}
    if lost:
        raise Inconclusive(f"heads are lost, which is for AP-DUR-01 to judge: {sorted(lost)}")
    same_events(after.events, before.events)
    back = set(owner.read(replaced).ids) - set(replaced_before.ids)
    if back:
        raise Broken("what was replaced or deleted to stay so", f"served again by id: {back}")


@clause("AP-DUR-03")
def test_a_clean_stop_closes_connections_and_loses_nothing(
    own_relay, owner, stranger, persona, check, clock, seed
):
    dice = Random(seed)
    idle = stranger.another_connection()
    idle.read(address(owner, "nothing-yet"))
    subscriber = owner.another_connection()
    subscriber.watch(Filter.of(kinds=[PERSONA], authors=[owner.pubkey]))
    slugs = [check.slug(f"stop-{one}") for one in range(SLUGS)]
    events = versions_of(owner, persona, slugs, clock.now(), dice)
    burst = Burst(owner, events)
    burst.send_until(answered=dice.randint(1, len(burst.shares[0])))
    if not own_relay.stop():
        raise Broken("the relay to end by itself when asked to", "it had to be killed")
    for actor in (idle, subscriber):
        try:
            actor.ws.wait(lambda one=actor: not one.ws.is_open, "the end of the connection")
        except ConnectionLost:
            pass
        except NoAnswer as error:
            raise Broken("each connection to be closed", str(error)) from error
    answered = burst.acknowledged()
    heads = acknowledged_heads(events, answered)
    check.fact("acknowledged", len(answered))
    own_relay.start_again()
    owner.reconnect()
    holds(owner, heads, {event.id: event for event in events})


def restart(own_relay, author):
    """A crash, and a start with what was stored; the author connects anew."""
    own_relay.kill()
    own_relay.start_again()
    author.reconnect()


@clause("AP-DUR-04")
def test_a_deleted_event_sent_again_after_a_restart_does_not_come_back(
    own_relay, owner, persona, check, clock
):
    now = clock.now()
    kept, by_address, by_id = owner.publish_all(
        [persona(check.slug(name), at=now - 9) for name in ("kept", "by-address", "by-id")]
    )
    with (
        vanishes(by_address, all_of(owner), for_=owner, control=True),
        vanishes(by_id, all_of(owner), for_=owner, control=True),
    ):
        owner.publish(Draft(DELETION, now - 7, (("a", address_of(by_address)),)))
        owner.publish(Draft(DELETION, now - 7, (("e", by_id.id),)))
    restart(own_relay, owner)
    if owner.personas().events != (kept,):
        raise Inconclusive("the deletions did not survive, which is for AP-DUR-02 to judge")
    owner.publish_all([by_address, by_id], expect=ANY)
    same_events(owner.personas().events, [kept])


@clause("AP-DUR-05")
def test_a_stale_write_after_a_restart_never_becomes_the_head(
    own_relay, owner, persona, check, clock
):
    now = clock.now()
    superseded, unseen, head = (
        owner.signs(persona(check.slug("head"), at=now - age)) for age in (9, 8, 7)
    )
    winner, loser = ties_of(owner, persona, check.slug("tie"), now - 5)
    owner.publish_all([superseded, head, winner])
    restart(own_relay, owner)
    owner.publish_all([superseded, unseen, loser], expect=ANY)
    for best in (head, winner):
        assert newest(owner, best.slug) == best
        assert owner.head(best.slug) == best


def newest(author, slug):
    """What the relay itself holds for the head: its answer to a limit of one."""
    return next(iter(author.read(address(author, slug).changed(limit=1)).events), None)
