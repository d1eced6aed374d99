"""The claims of scenario.py in both directions, on doors that answer as the test wants."""

from __future__ import annotations

import pytest

from nip_ap.checking.actor import Actor, Clock, Surroundings, Watch
from nip_ap.checking.evidence import Ledger
from nip_ap.model.judgement import Broken, Inconclusive, ScenarioMistake
from nip_ap.nostr import PERSONA, Draft, Filter, SecretKey
from nip_ap.scenario import (
    HTTP,
    WS,
    accepted,
    answered,
    answered_alike,
    delivered,
    indistinguishable,
    reads_refused,
    refused,
    same_events,
    undelivered,
    vanishes,
    withheld,
)
from nip_ap.wire import Answer, NoAnswer, Patience, Reading, Subscription, WebSocketDoor

NOW = 1_800_000_000
ANYTHING = Filter.of(kinds=[PERSONA])


class FakeDoor(WebSocketDoor):
    """A relay in a few lines: `takes` says what it accepts, `shows` what a reader gets."""

    name = "ws"
    was_left_idle = False

    def __init__(self, who, takes=lambda event: True, shows=lambda event, who: True, stored=None):
        self.who, self.takes, self.shows = who, takes, shows
        self.stored = [] if stored is None else stored

    def publish(self, event):
        if not self.takes(event):
            return Answer(event.id, False, "invalid: no", "ws")
        self.stored.append(event)
        return Answer(event.id, True, "", "ws")

    def publish_all(self, events):
        return [self.publish(event) for event in events]

    is_used_up = False
    is_idle = True

    def publish_some(self, events):
        return self.publish_all(events), None

    def post(self, event):
        self.posted = event

    def answer_to(self, event, *, alone=False):
        return self.publish(event)

    def close(self):
        pass

    def query(self, filters):
        found = [one for one in self.stored if any(each.matches(one) for each in filters)]
        shown = tuple(one for one in found if self.shows(one, self.who))
        return Reading(self.who, "ws", tuple(filters), shown)


def actor(name="owner", *, ledger=None, **door):
    made = Actor(
        name,
        SecretKey.derived("claims", name),
        Surroundings(ledger or Ledger(), Clock(NOW), lambda *_: fake, None, Patience(8.0)),
    )
    fake = made._doors["ws"] = FakeDoor(name, **door)
    return made


def persona(slug):
    return Draft(PERSONA, NOW, (("d", slug),), "{}")


def is_good(event):
    return event.slug.islower()


# -- accepted, refused ---------------------------------------------------------------------


def test_accepted_holds_where_the_relay_accepts():
    assert accepted(actor(), persona("a")).slug == "a"


def test_accepted_is_broken_where_the_relay_refuses():
    with pytest.raises(Broken, match="expected the event to be accepted; seen refused 'invalid"):
        accepted(actor(takes=is_good), persona("A"))


def test_refused_holds_where_the_relay_refuses_the_bad_and_serves_the_twin():
    owner = actor(takes=is_good)
    (answer,) = refused(owner, persona("A"), twin=persona("a"))
    assert answer.prefix == "invalid:"
    (control,) = owner.ledger.controls
    assert control.difference == "tag d: ['d','A'] against ['d','a']"
    assert owner.ledger.uncontrolled() == []


def test_refused_is_broken_where_the_relay_accepts_the_bad():
    with pytest.raises(Broken, match=r"tag d: .*'A'.* accepted"):
        refused(actor(), persona("A"), twin=persona("a"))


def test_refused_is_broken_by_one_of_many():
    owner = actor(takes=lambda event: event.slug != "A")
    with pytest.raises(Broken, match="'B'") as caught:
        refused(owner, [persona("A"), persona("B")], twin=persona("a"))
    assert "'A'" not in caught.value.seen


def test_refused_is_inconclusive_where_the_twin_is_refused_too():
    with pytest.raises(Inconclusive, match="did not accept an event that the check builds on"):
        refused(actor(takes=lambda event: False), persona("A"), twin=persona("a"))


def test_refused_is_inconclusive_where_the_twin_is_accepted_and_not_served():
    owner = actor(takes=is_good, shows=lambda event, who: False)
    with pytest.raises(Inconclusive, match="accepted but is not served"):
        refused(owner, persona("A"), twin=persona("a"))


def test_refused_is_a_mistake_where_the_twin_differs_in_two_respects():
    with pytest.raises(ScenarioMistake, match="one respect, not 2"):
        refused(actor(), persona("A"), twin=persona("a").changed(content="{ }"))


def test_refused_is_a_mistake_where_the_twin_is_the_same():
    with pytest.raises(ScenarioMistake, match="one respect, not 0"):
        refused(actor(), persona("a"), twin=persona("a"))


@pytest.mark.parametrize(
    ("slugs", "via", "expected"),
    [
        (["A"], WS, "a refusal of 1 event (OK false)"),
        (["A"], HTTP, "a refusal of 1 event (HTTP 4xx)"),
        (["A", "B"], WS, "a refusal of 2 events (OK false to each)"),
        (["A", "B"], HTTP, "a refusal of 2 events (HTTP 4xx to each)"),
    ],
    ids=str,
)
def test_what_a_refusal_would_have_been_is_said_in_the_words_of_the_door(
    slugs, via, expected, monkeypatch
):
    owner = actor()
    monkeypatch.setattr(Actor, "http", property(lambda self: self._doors["ws"]))
    with pytest.raises(Broken) as caught:
        refused(owner, [persona(slug) for slug in slugs], twin=persona("a"), via=via)
    assert caught.value.expected == expected


def test_an_answer_of_duplicate_is_no_refusal(monkeypatch):
    owner = actor(takes=is_good)
    duplicate = writer(lambda one: Answer(one.id, False, "duplicate: have it", WS), monkeypatch)
    monkeypatch.setattr(owner, "another_connection", lambda: duplicate.another_connection())
    with pytest.raises(Broken, match="duplicate: have it"):
        refused(owner, persona("A"), twin=persona("a"))


@pytest.mark.parametrize("is_kept", [True, False])
def test_where_no_answer_comes_what_is_stored_tells(is_kept, monkeypatch):
    owner = actor()
    silent = writer(lambda one: owner.door(WS).stored.append(one) if is_kept else None, monkeypatch)
    monkeypatch.setattr(owner, "another_connection", lambda: silent.another_connection())
    if is_kept:
        with pytest.raises(Broken, match="no answer at all"):
            refused(owner, persona("A"), twin=persona("a"))
        return
    (answer,) = refused(owner, persona("A"), twin=persona("a"))
    assert not answer.accepted
    assert owner.ledger.uncontrolled() == []


def order_of_arrival(bad, twin):
    came = []
    owner = actor(takes=lambda one: came.append(one) or one.id == twin.id)
    refused(owner, bad, twin=twin)
    return ["twin" if one.id == twin.id else "bad" for one in came]


@pytest.mark.parametrize(
    ("tags", "order"),
    [
        ([("d", "b")], ["twin", "bad"]),
        ([("d",)], ["twin", "bad"]),
        ([("d", "b"), ("d", "a")], ["bad", "twin"]),
        ([("d", "a", "more")], ["bad", "twin"]),
    ],
    ids=str,
)
def test_only_what_competes_with_its_twin_for_an_address_goes_first(tags, order):
    key, topic = SecretKey.derived("claims", "owner"), ("t", "a")
    twin = Draft(PERSONA, NOW, (("d", "a"), topic), "{}").signed_by(key)
    assert order_of_arrival(twin.resigned(key, tags=(*tags, topic)), twin) == order


def test_an_event_with_its_twins_id_is_sent_before_the_twin():
    owner = actor(takes=lambda event: not event.problems)
    twin = owner.signs(persona("a"))
    refused(owner, twin.altered(sig="0" * 128), twin=twin)
    assert owner.written == [twin]


# -- withheld, vanishes --------------------------------------------------------------------------


@pytest.fixture
def two_readers():
    stored, ledger = [], Ledger()

    def make(shows):
        owner = actor("owner", ledger=ledger, shows=shows, stored=stored)
        stranger = actor("stranger", ledger=ledger, shows=shows, stored=stored)
        return owner, stranger, owner.publish(persona("a"))

    return make


def test_withheld_holds_where_only_one_reader_gets_the_event(two_readers):
    owner, stranger, event = two_readers(lambda event, who: who == "owner")
    withheld(event, ANYTHING, from_=stranger, seen_by=owner)
    assert [one.difference for one in owner.ledger.controls] == ["reader: stranger against owner"]
    assert owner.ledger.uncontrolled() == []


def test_withheld_is_broken_where_both_get_it(two_readers):
    owner, stranger, event = two_readers(lambda event, who: True)
    with pytest.raises(Broken, match="to be withheld from stranger"):
        withheld(event, ANYTHING, from_=stranger, seen_by=owner)


def test_withheld_is_inconclusive_where_nobody_gets_it(two_readers):
    owner, stranger, event = two_readers(lambda event, who: False)
    with pytest.raises(Inconclusive, match="the control did not see event"):
        withheld(event, ANYTHING, from_=stranger, seen_by=owner)


def test_vanishes_holds_where_the_event_was_there_before_and_is_not_after():
    owner = actor()
    event = owner.publish(persona("a"))
    with vanishes(event, ANYTHING, for_=owner):
        owner.door("ws").stored.clear()
    assert owner.ledger.uncontrolled() == []


def test_vanishes_is_broken_where_the_event_stays():
    owner = actor()
    event = owner.publish(persona("a"))
    with pytest.raises(Broken, match="to be gone"), vanishes(event, ANYTHING, for_=owner):
        pass


def test_vanishes_is_inconclusive_where_the_event_never_was_there():
    owner = actor()
    event = owner.signs(persona("a"))
    with (
        pytest.raises(Inconclusive, match="was not there before"),
        vanishes(event, ANYTHING, for_=owner),
    ):
        pytest.fail("the block must not run")


@pytest.mark.parametrize(("control", "ending"), [(True, Inconclusive), (False, Broken)])
def test_a_control_that_does_not_vanish_judges_nothing(control, ending):
    owner = actor()
    event = owner.publish(persona("a"))
    with pytest.raises(ending), vanishes(event, ANYTHING, for_=owner, control=control):
        pass


def test_a_control_that_vanishes_holds():
    owner = actor()
    event = owner.publish(persona("a"))
    with vanishes(event, ANYTHING, for_=owner, control=True):
        owner.door("ws").stored.clear()


# -- refused reads, and sights -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refusal", "status", "via", "holds"),
    [
        ("restricted: not yours", 0, WS, True),
        ("restricted: not yours", 403, HTTP, True),
        ("restricted: not yours", 401, HTTP, False),
        ("auth-required: who are you", 403, HTTP, False),
        ("auth-required: who are you", 0, WS, False),
        (None, 0, WS, False),
        (None, 200, HTTP, False),
    ],
)
def test_a_refused_read_says_restricted_and_over_http_403(refusal, status, via, holds, monkeypatch):
    reader = actor("reader")
    answer = Reading("reader", via, (ANYTHING,), (), refusal, status)
    monkeypatch.setattr(reader, "try_to_read", lambda *_, **__: answer)
    if holds:
        reads_refused(reader, {"plainly": ANYTHING}, via=via)
        return
    with pytest.raises(Broken, match="a refusal with restricted:") as caught:
        reads_refused(reader, {"plainly": ANYTHING}, via=via)
    assert "plainly" in caught.value.seen


def by_sight(name, monkeypatch, sight):
    """An actor whose sight of a question is a function of the slug that it names."""
    seer = actor(name)
    monkeypatch.setattr(
        seer, "sight", lambda questions, **_: [sight(dict(one.tags)["d"][0]) for one in questions]
    )
    return seer


def compared(monkeypatch, of_stranger, of_owner=lambda slug: ("EVENT",) if slug == "h" else ()):
    owner = by_sight("owner", monkeypatch, of_owner)
    stranger = by_sight("stranger", monkeypatch, of_stranger)
    hidden, absent = owner.signs(persona("h")), owner.signs(persona("x"))

    def questions(event):
        return [Filter.of(kinds=[PERSONA], d=[event.slug]), Filter.of(d=[event.slug])]

    indistinguishable(hidden, absent, questions, to=stranger, seen_by=owner)
    return owner.ledger


def test_what_looks_like_nothing_to_a_stranger_is_indistinguishable(monkeypatch):
    ledger = compared(monkeypatch, lambda slug: ("EOSE",))
    assert ledger.controls[-1].difference == "reader: stranger against owner"


def test_what_can_be_told_apart_is_broken_and_both_sights_are_shown(monkeypatch):
    long = "x" * 401
    with pytest.raises(Broken) as caught:
        compared(monkeypatch, lambda slug: ("a", "b") if slug == "h" else ())
    assert caught.value.seen == "a / b"
    assert caught.value.expected.endswith("the sight of an event that never was: nothing")
    for length, shown in [(400, long[:400]), (401, f"{long[:400]}...")]:
        with pytest.raises(Broken) as caught:
            compared(monkeypatch, lambda slug, n=length: (long[:n],) if slug == "h" else ())
        assert caught.value.seen == shown


def test_what_looks_absent_to_its_author_too_proves_nothing(monkeypatch):
    with pytest.raises(Inconclusive, match="looks absent to owner too"):
        compared(monkeypatch, lambda slug: (), of_owner=lambda slug: ())


# -- live ----------------------------------------------------------------------------------------


class FakeWire:
    """The part of a door that a subscription waits on: nothing more ever comes."""

    name = "ws"
    malformed = ()

    def wait(self, condition, what):
        if not condition():
            raise NoAnswer(f"{what} did not come within 0 s")


@pytest.fixture
def watching():
    def make(*live):
        subscription = Subscription(FakeWire(), "s", ())
        subscription.live, subscription.ended = list(live), True
        return Watch(subscription, Ledger())

    return make


@pytest.fixture
def event():
    return actor().signs(persona("a"))


@pytest.fixture
def fence():
    return actor().signs(persona("b"))


BASE = persona("base").signed_by(SecretKey.derived("claims", "base"))


def test_answered_gives_what_is_stored_and_is_broken_by_silence(event, monkeypatch):
    owner = actor()
    watch = Watch(Subscription(FakeWire(), "s", ()), Ledger())
    watch.subscription.stored = [event]
    monkeypatch.setattr(owner, "watch", lambda *filters: watch)
    assert answered(owner, ANYTHING) == (event,)

    def silence(*filters):
        raise NoAnswer("EOSE did not come")

    monkeypatch.setattr(owner, "watch", silence)
    with pytest.raises(Broken, match="EOSE after the stored events"):
        answered(owner, ANYTHING)


def test_delivered_holds_where_the_event_came(watching, event):
    delivered(event, on=watching(event))


def test_delivered_is_broken_where_it_did_not_come(watching, event, fence):
    with pytest.raises(Broken, match="to be delivered live"):
        delivered(event, on=watching(fence))


def test_undelivered_holds_where_only_the_fence_came(watching, event, fence):
    watch = watching(fence)
    undelivered(event, on=watch, fence=fence)
    assert watch.ledger.controls[0].claim == "not delivered"


@pytest.mark.parametrize("order", ["event first", "fence first"])
def test_undelivered_is_broken_where_the_event_came(watching, event, fence, order):
    live = (event, fence) if order == "event first" else (fence, event)
    with pytest.raises(Broken, match="not to be delivered"):
        undelivered(event, on=watching(*live), fence=fence)


def test_undelivered_is_inconclusive_where_the_fence_did_not_come(watching, event, fence):
    with pytest.raises(Inconclusive, match="silence proves nothing"):
        undelivered(event, on=watching(), fence=fence)


def test_a_subscription_that_nothing_rests_on_needs_no_control(watching):
    watch = watching()
    watch.ledger.settle()
    assert watch.ledger.uncontrolled() == []


@pytest.mark.parametrize("relies", [lambda one: one.live, lambda one: one.copies_of(BASE)])
def test_a_silence_that_a_claim_rests_on_is_a_negative_without_its_twin(watching, relies):
    watch = watching()
    relies(watch)
    watch.ledger.settle()
    assert watch.ledger.uncontrolled() == [
        "nothing delivered at door ws, but never delivered there"
    ]


def test_same_events_counts_each_once(event, fence):
    same_events([event, fence], [fence, event])
    for seen in ([], [event], [event, event], [event, fence, fence]):
        with pytest.raises(Broken):
            same_events(seen, [event, fence])


def test_what_was_awaited_and_came_is_the_twin_of_a_silence_elsewhere(watching, event):
    heard, silent = watching(event), watching()
    silent.ledger = heard.ledger
    assert silent.copies_of(event) == 0
    heard.wait_for(event)
    heard.ledger.settle()
    assert heard.ledger.uncontrolled() == []


# -- answers to writes ---------------------------------------------------------------------

REACTION = {"a reaction": lambda one: Draft(7, NOW, (("e", one.id),), "+")}


def writer(answer, monkeypatch):
    """A stranger whose writes are answered by a function of the event."""
    stranger = actor("stranger")
    other = actor("stranger 2")
    other.ws.notices = []
    monkeypatch.setattr(stranger, "another_connection", lambda: other)
    monkeypatch.setattr(other, "submit", lambda events: [answer(one) for one in events])
    return stranger


def hidden_and_absent():
    owner = actor()
    return owner.signs(persona("hidden")), owner.signs(persona("absent"))


def test_answered_alike_masks_what_was_named(monkeypatch):
    hidden, absent = hidden_and_absent()

    def answer(event):
        return Answer(event.id, False, f"invalid: no event {event.tags[0][1]}", "ws")

    alike = answered_alike(hidden, absent, REACTION, by=writer(answer, monkeypatch), via="ws")
    assert alike["a reaction"] == "refused 'invalid: no event (what was named)'"


def test_answered_alike_is_broken_by_another_word(monkeypatch):
    hidden, absent = hidden_and_absent()

    def answer(event):
        known = event.tags[0][1] == hidden.id
        return Answer(event.id, False, "restricted: not yours" if known else "invalid: none", "ws")

    with pytest.raises(Broken, match="a reaction: \"refused 'restricted: not yours'"):
        answered_alike(hidden, absent, REACTION, by=writer(answer, monkeypatch), via="ws")


def test_answered_alike_is_inconclusive_where_nothing_is_answered(monkeypatch):
    hidden, absent = hidden_and_absent()
    stranger = writer(lambda event: None, monkeypatch)
    with pytest.raises(Inconclusive, match="answers none of these writes"):
        answered_alike(hidden, absent, REACTION, by=stranger, via="ws")


def test_a_read_is_asked_again_until_the_event_is_there():
    looks = iter(range(9))
    owner = actor(shows=lambda event, who: next(looks) >= 2)
    event = owner.publish(persona("late"))
    assert event in owner.read_until(event, ANYTHING)
    assert next(looks) == 3
