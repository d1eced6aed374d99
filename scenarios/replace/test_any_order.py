"""REPL-09: whatever the order of writes, resends and deletions, the same head remains.

Hypothesis makes up sequences, plays them against the relay and against a model of sixty lines
(nip_ap/model.py), and shrinks the first one that ends differently.
"""

from collections import Counter

from hypothesis import strategies
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from nip_ap.checking.address_model import AddressModel
from nip_ap.checking.state_machine import STEPS, asking, run_machine
from nip_ap.nostr import address_of
from nip_ap.scenario import ANY, DELETION, PERSONA, Broken, Draft, clause

AUTHORS = strategies.integers(0, 1)
SLUGS = ("{}", "{}-b", "other-{}")
PERSONAS = {"{}": "persona A", "{}-b": "persona B", "other-{}": "persona C"}
WRITERS = ("the first author", "the second author")
"""What the steps of a sequence call slugs and authors, for people."""

AGES = strategies.integers(0, 3)
PAST = strategies.integers(1, 3)  # of deletion requests: writes of the last second always count
RANKS = 4
BUDGET = 30.0  # seconds; a relay that takes long for each answer gets fewer sequences
ANY_RANK = strategies.integers(0, RANKS - 1)


def version_of(event):
    """An event in a few words."""
    return f"version {event.id[:8]}" if event else "no version"


def before(age):
    """A time of a step in words."""
    return f"{age} s ago" if age else "now"


def ordinal(rank):
    """A place among the ids of versions, in words."""
    return ("lowest", "second lowest", "third lowest", "highest")[rank]


def honours_deletion(owner, persona, clock, check):
    """Whether a deletion request by address does what NIP-09 says; if not, AP-DEL-01 judges that.

    The sequences then have none, so that they still say something about the order of writes.
    """
    gone = owner.publish(persona(check.slug("deleted"), at=clock.now() - 5))
    if owner.head(gone.slug) is None:
        return True  # it serves nothing, so that nothing can be said; the sequences will tell
    owner.publish(Draft(DELETION, clock.now(), (("a", address_of(gone)), ("k", str(PERSONA)))))
    honoured = owner.head(gone.slug) is None
    if not honoured:
        check.note("a deletion request by address changes nothing here: sequences have none")
    return honoured


@clause("AP-REPL-09")
def test_any_order_of_writes_ends_at_the_same_head(owner, other_owner, persona, clock, check):
    authors = (owner, other_owner)
    played, broken = Counter(), []
    deletes = honours_deletion(owner, persona, clock, check)

    class AnyOrder(RuleBasedStateMachine):
        """Two authors, three slugs, four seconds: few enough for everything to collide."""

        def __init__(self):
            super().__init__()
            self.model = AddressModel()
            self.sent = []
            self.deletions = 0
            self.name = check.next_sequence()
            self.goes_on = check.has_time_left(BUDGET)
            played["sequences"] += self.goes_on

        @rule(author=AUTHORS, slug=strategies.sampled_from(SLUGS), age=AGES, rank=ANY_RANK)
        def write(self, author, slug, age, rank):
            event = self.version(author, slug, age, rank)
            if event in self.sent:
                return self.resend_this(event)
            if not self.model.is_settled(self.address(author, slug), event.created_at):
                return None
            check.step(
                f"{WRITERS[author]} publishes {PERSONAS[slug]}, dated {before(age)}: of {RANKS} "
                f"versions the one with the {ordinal(rank)} id"
            )
            self.publish(author, event)
            self.sent.append(event)
            self.model.write(event)
            return self.look(author, slug)

        @precondition(lambda self: self.sent)
        @rule(data=strategies.data())
        def resend(self, data):
            self.resend_this(data.draw(strategies.sampled_from(self.sent)))

        @precondition(lambda self: self.heads())
        @rule(data=strategies.data(), rank=ANY_RANK)
        def write_rival(self, data, rank):
            """Of the same second as a head: what chance alone would rarely give."""
            self.write(*self.place_of(data.draw(strategies.sampled_from(self.heads()))), rank)

        @precondition(lambda self: self.may_delete() and self.heads())
        @rule(data=strategies.data(), stays=strategies.booleans())
        def delete_at_a_head(self, data, stays):
            """Up to a head's second, or to the second before it, so that it has to stay."""
            author, slug, age = self.place_of(data.draw(strategies.sampled_from(self.heads())))
            self.delete(author, slug, max(age + stays, 1))

        @precondition(lambda self: self.superseded())
        @rule(data=strategies.data())
        def resend_superseded(self, data):
            self.resend_this(data.draw(strategies.sampled_from(self.superseded())))

        @precondition(lambda self: self.may_delete())
        @rule(author=AUTHORS, slug=strategies.sampled_from(SLUGS), age=PAST)
        def delete(self, author, slug, age):
            check.step(f"{WRITERS[author]} deletes {PERSONAS[slug]} as of {before(age)}")
            address, at = self.address(author, slug), clock.now() - age
            tags = (("a", address), ("k", str(PERSONA)))
            self.deletions += 1
            self.publish(author, Draft(DELETION, at, tags, self.name))
            self.model.delete(address, at)
            self.look(author, slug)

        def may_delete(self):
            """Not more often than there were writes: else most sequences are of deletions alone."""
            return deletes and self.deletions < len(self.sent)

        def heads(self):
            """What was sent and is a head."""
            return [one for one in self.sent if self.model.head(address_of(one)) == one]

        def superseded(self):
            """What was sent and is not a head, the latest first: the likeliest to come back."""
            heads = self.heads()
            return [event for event in reversed(self.sent) if event not in heads]

        def place_of(self, event):
            """Author, slug and age, as the rules have them."""
            author = 0 if event.pubkey == owner.pubkey else 1
            return author, event.slug.replace(self.name, "{}"), clock.now() - event.created_at

        def version(self, author, slug, age, rank):
            """The version of that rank by id among its siblings, so that ties replay alike."""
            siblings = [
                authors[author].signs(
                    persona(slug.format(self.name), at=clock.now() - age, name=f"v{number}")
                )
                for number in range(RANKS)
            ]
            return sorted(siblings, key=lambda event: event.id)[rank]

        def address(self, author, slug):
            return f"{PERSONA}:{authors[author].pubkey}:{slug.format(self.name)}"

        def resend_this(self, event):
            author, slug, _ = self.place_of(event)
            if not self.model.is_settled(self.address(author, slug), event.created_at):
                return
            check.step(f"{WRITERS[author]} sends version {event.id[:8]} of {PERSONAS[slug]} again")
            self.publish(author, event)
            self.model.resend(event)
            self.look(author, slug)

        def look(self, author, slug):
            """All addresses of the writer, and the other author's under the same slug."""
            self.compare(author, SLUGS)
            self.compare(1 - author, (slug,))

        def publish(self, author, event):
            """To the relay, unless the time is up: then the rest is played to the model alone."""
            if self.goes_on:
                with asking():
                    authors[author].publish(event, expect=ANY)

        def compare(self, author, slugs):
            if not self.goes_on:
                return
            with asking():
                heads = authors[author].heads(*(slug.format(self.name) for slug in slugs))
            for slug in slugs:
                head = heads.get(slug.format(self.name))
                right = self.model.head(self.address(author, slug))
                if head != right:
                    whose = f"{PERSONAS[slug]} of {WRITERS[author]}"
                    wanted = f"{version_of(right)} as the head of {whose}"
                    seen = f"{version_of(head)}, after these steps: {check.trail()}"
                    broken.append(Broken(wanted, seen))
                    raise broken[-1]

    try:
        run_machine(AnyOrder, check, broken)
    finally:
        check.note(f"{played['sequences']} sequences of up to {STEPS} steps were played")
