"""The vocabulary of scenarios: `from nip_ap.scenario import ...` is all that a check imports.

Claims judge. A claim about something that must not happen takes its positive twin as an
argument and establishes it first: no twin seen, no verdict. Longer than most modules, as a
vocabulary is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis.strategies import SearchStrategy

from nip_ap.checking.actor import ANY, AT_ONCE, HTTP, WS, Actor, Clock, Watch, address, all_of
from nip_ap.checking.check import Check
from nip_ap.checking.drafting import Persona
from nip_ap.checking.evidence import ACCEPTED, REFUSED, Ledger, differences
from nip_ap.checking.generation import by_the_seed_alone
from nip_ap.checking.write_answers import answered_alike
from nip_ap.model.capabilities import Capabilities
from nip_ap.model.judgement import Broken, Inconclusive, NotApplicable, ScenarioMistake
from nip_ap.nostr import (
    APPLICATION_DATA,
    DELETION,
    ENGRAM,
    INSTRUCTIONS,
    MANAGED_AGENT,
    NOTE,
    PERSONA,
    PROFILE,
    TEAM,
    TEAM_CATALOG,
    Draft,
    Event,
    Filter,
    SecretKey,
)
from nip_ap.nostr.channel import MESSAGE, WINDOW_BOUNDS, Channel
from nip_ap.resources import data
from nip_ap.wire import Answer, ConnectionLost, NoAnswer, RateLimited, Reading, WireError

__all__ = [
    "ACCEPTED",
    "ANY",
    "APPLICATION_DATA",
    "AT_ONCE",
    "COUNT",
    "DELETION",
    "ENGRAM",
    "HTTP",
    "INSTRUCTIONS",
    "MANAGED_AGENT",
    "MESSAGE",
    "NOTE",
    "PERSONA",
    "PROFILE",
    "REQ",
    "TEAM",
    "TEAM_CATALOG",
    "WINDOW_BOUNDS",
    "WS",
    "Actor",
    "Answer",
    "Broken",
    "Capabilities",
    "Channel",
    "Check",
    "Clock",
    "ConnectionLost",
    "Draft",
    "Event",
    "Filter",
    "Inconclusive",
    "Ledger",
    "NoAnswer",
    "NotApplicable",
    "Persona",
    "RateLimited",
    "Reading",
    "SecretKey",
    "Watch",
    "WireError",
    "accepted",
    "address",
    "all_of",
    "answered",
    "answered_alike",
    "batched",
    "changed",
    "clause",
    "data",
    "delivered",
    "destructive",
    "each",
    "every_door",
    "examples",
    "fill",
    "head_at",
    "indistinguishable",
    "outlives_the_relay",
    "reads_refused",
    "refused",
    "same_events",
    "undelivered",
    "vanishes",
    "withheld",
]

REQ, COUNT = "REQ", "COUNT"

Scenario = TypeVar("Scenario", bound=Callable[..., None])
Value = TypeVar("Value")


def clause(*identifiers: str, needs: Iterable[str] = ()) -> Callable[[Scenario], Scenario]:
    """Make a function the check of a clause. `needs` adds capabilities to those of the clause."""
    return pytest.mark.nip_ap_clause(*identifiers, needs=tuple(needs))


def each(
    argument: str, values: Iterable[object], ids: Callable[[object], str] | None = None
) -> Callable[[Scenario], Scenario]:
    """One check for each value; entries of the form {"name": ...} name themselves."""
    listed = list(values)
    names = [ids(value) if ids else _name_of(value) for value in listed]
    return pytest.mark.parametrize(argument, listed, ids=names)


def _name_of(value: object) -> str:
    if isinstance(value, dict) and "name" in value:
        return str(value["name"])
    return str(value)


def examples(strategy: SearchStrategy[Value], number: int, seed_number: int) -> list[Value]:
    """Distinct values that Hypothesis generates, the same for the same seed."""
    found: dict[Value, None] = {}

    @seed(seed_number)
    @hypothesis_settings(
        max_examples=number * 2,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value: Value) -> None:
        found.setdefault(value)

    with by_the_seed_alone():
        collect()
    return list(found)[:number]


def fill(entry: dict[str, Any], **values: str) -> list[list[str]]:
    """The tags of a fixture entry, with its placeholders filled in."""
    tags = [[element.format(**values) for element in tag] for tag in entry["tags"]]
    repeated, times = entry.get("repeat_tag", ([[], 0]))
    for number in range(times):
        tags += [[element.format(n=number, **values) for element in tag] for tag in [repeated]]
    return tags


def changed(event: dict[str, Any], change: dict[str, Any], **values: str) -> Any:
    """An event's JSON with one change of fixtures/malformed.json; placeholders filled in."""
    if "replace" in change:
        return change["replace"]
    if "remove" in change:
        return {name: value for name, value in event.items() if name != change["remove"]}
    return event | {name: _filled(value, values) for name, value in change["set"].items()}


def _filled(value: Any, values: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_filled(one, values) for one in value]
    return value.format(**values) if isinstance(value, str) and "{" in value else value


def batched(values: Sequence[Value], size: int) -> Iterator[Sequence[Value]]:
    """The values in their order, a few at a time."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


destructive = pytest.mark.nip_ap_destructive
"""This check might end or spoil a relay: it runs late, and on a relay apart where there is one."""

outlives_the_relay = pytest.mark.nip_ap_outlives
"""This check runs last of all, also on a relay that fell."""

every_door = pytest.mark.parametrize("via", [WS, HTTP])
"""One check for each door; the HTTP one applies where the relay has the bridge."""


def accepted(actor: Actor, draft: Draft | Event, *, via: str = WS) -> Event:
    """Claim: the relay accepts this. Gives the event."""
    event = draft if isinstance(draft, Event) else actor.signs(draft)
    actor.keeps_to_frames([event], via)
    answer = actor.send(event, via=via)
    if not answer.accepted:
        raise Broken("the event to be accepted", str(answer))
    return event


def head_at(actor: Actor, slug: str, *, of: Actor | None = None, via: str = WS) -> Event:
    """Claim: there is a head at an address. Gives it, for checks that look into it."""
    return actor.heads(slug, of=of, via=via)[slug]


def _refusal_of(number: int, via: str) -> str:
    """What was expected of the relay, in the words of its door."""
    answer = "OK false" if via == WS else "HTTP 4xx"
    if number == 1:
        return f"a refusal of 1 event ({answer})"
    return f"a refusal of {number} events ({answer} to each)"


def refused(
    actor: Actor,
    bad: Draft | Event | Sequence[Draft | Event],
    *,
    twin: Draft | Event,
    via: str = WS,
) -> list[Answer]:
    """Claim: the relay refuses this, and accepts and serves a twin that differs in one respect.

    `bad` may be several events, each held against the same twin. They go before the twin where
    they share its id or an address: a relay may refuse a copy or a loser of a tie, and that would
    say nothing about the respect in question. Raises Inconclusive where the twin is not accepted
    and served: then the refusal says nothing either.
    """
    drafts = [bad] if isinstance(bad, (Draft, Event)) else list(bad)
    bad_events = [one if isinstance(one, Event) else actor.signs(one) for one in drafts]
    twin_event = twin if isinstance(twin, Event) else actor.signs(twin)
    respects = [_one_respect(one, twin_event) for one in bad_events]
    twin_first = not any(_compete(one, twin_event) for one in bad_events)
    if twin_first:
        _see_twin(actor, twin_event, via)
    answers = _answers_to_bad(actor, bad_events, via)
    wrong = [
        f"{respect}: {answer}"
        for respect, answer in zip(respects, answers, strict=True)
        if answer.accepted or answer.prefix == "duplicate:"
    ]
    if wrong:
        raise Broken(_refusal_of(len(bad_events), via), "; ".join(wrong))
    if not twin_first:
        _see_twin(actor, twin_event, via)
    for respect in respects:
        actor.ledger.control("refused", f"accepted and served: {twin_event.short_id}", respect)
    return answers


def _compete(one: Event, other: Event) -> bool:
    slugs = {tag[1] for tag in one.tags if tag[0] == "d" and len(tag) > 1}
    return one.id == other.id or other.slug in slugs


def _answers_to_bad(actor: Actor, events: Sequence[Event], via: str) -> list[Answer]:
    """What the relay says, on a connection apart: some hold one up after a refusal.

    Where it says nothing at all, what it did tells: an event that cannot be read was refused.
    """
    if via == HTTP:
        return actor.send_all(events, via=via)
    sender = actor.another_connection()
    answers = []
    for event, answer in zip(events, sender.submit(events), strict=True):
        if answer is None:
            stored = actor.read(Filter.of(kinds=[event.kind], ids=[event.id]))
            answer = Answer(event.id, event in stored, "(no answer at all)", WS)
            actor.ledger.observe(ACCEPTED if answer.accepted else REFUSED, WS)
        answers.append(answer)
    return answers


def _one_respect(bad: Event, twin: Event) -> str:
    respects = differences(bad, twin)
    if len(respects) != 1:
        raise ScenarioMistake(
            f"event and twin must differ in one respect, not {len(respects)}: {respects}"
        )
    return respects[0]


def _see_twin(actor: Actor, twin: Event, via: str) -> None:
    actor.publish(twin, via=via)
    reading = actor.read(
        Filter.of(kinds=[twin.kind], authors=[twin.pubkey], ids=[twin.id]), via=via
    )
    if twin not in reading:
        raise Inconclusive(
            "the positive control was accepted but is not served, so a refusal proves nothing"
        )


def withheld(event: Event, *filters: Filter, from_: Actor, seen_by: Actor, via: str = WS) -> None:
    """Claim: an actor's read does not give an event that another's, of the same filters, gives.

    A refusal of the actor's read withholds it as well. What an actor is given is a leak whatever
    the control sees; that it is given nothing says something only beside a control that sees it.
    """
    control = seen_by.try_to_read(*filters, via=via)
    reading = from_.try_to_read(*filters, via=via)
    if event in reading:
        raise Broken(f"event {event.short_id} to be withheld from {from_.name}", str(reading))
    if event not in control:
        raise Inconclusive(f"the control did not see event {event.short_id} either: {control}")
    seen_by.ledger.control(
        "withheld",
        f"returned to {seen_by.name}: event {event.short_id}",
        f"reader: {from_.name} against {seen_by.name}",
    )


@contextmanager
def vanishes(
    event: Event, *filters: Filter, for_: Actor, via: str = WS, control: bool = False
) -> Iterator[None]:
    """Claim: what happens in the block takes an event out of the answer to these filters.

    As a control it judges nothing: Inconclusive where the event stays.
    """
    before = for_.read(*filters, via=via)
    if event not in before:
        raise Inconclusive(f"event {event.short_id} was not there before: {before}")
    for_.ledger.control(
        "gone", f"returned before: event {event.short_id}", "time: after against before"
    )
    yield
    after = for_.read(*filters, via=via)
    if event in after and control:
        raise Inconclusive(f"the control failed: event {event.short_id} is not gone: {after}")
    if event in after:
        raise Broken(f"event {event.short_id} to be gone", str(after))


def answered(actor: Actor, *filters: Filter) -> tuple[Event, ...]:
    """Claim: a REQ is answered, its stored events ended by EOSE. Gives these events."""
    try:
        return actor.watch(*filters).stored
    except NoAnswer as error:
        raise Broken("EOSE after the stored events", str(error)) from error


def reads_refused(reader: Actor, questions: Mapping[str, Filter], *, via: str = WS) -> None:
    """Claim: each question, by what it is, is refused as restricted; over HTTP with 403."""
    answers = {how: reader.try_to_read(one, via=via) for how, one in questions.items()}
    wrong = {
        how: str(one)
        for how, one in answers.items()
        if not (one.refusal or "").startswith("restricted:") or (via == HTTP and one.status != 403)
    }
    if wrong:
        raise Broken("a refusal with restricted:", str(wrong))


def delivered(event: Event, *, on: Watch) -> None:
    """Claim: a live subscription gets an event."""
    try:
        on.wait_for(event)
    except NoAnswer as error:
        raise Broken(f"event {event.short_id} to be delivered live", str(error)) from error


def undelivered(event: Event, *, on: Watch, fence: Event) -> None:
    """Claim: a live subscription does not get an event.

    The proof is a fence: an event published later that does arrive on the same subscription.
    """
    try:
        on.wait_for(fence)
    except NoAnswer as error:
        raise Inconclusive(
            f"the fence did not arrive, so silence proves nothing: {error}"
        ) from error
    on.ledger.control(
        "not delivered",
        f"delivered later: fence {fence.short_id}",
        "; ".join(differences(event, fence)),
    )
    if on.copies_of(event):
        raise Broken(f"event {event.short_id} not to be delivered", "its live delivery")


def indistinguishable(
    hidden: Event,
    absent: Event,
    questions: Callable[[Event], Sequence[Filter]],
    *,
    to: Actor,
    seen_by: Actor,
    verb: str = REQ,
    via: str = WS,
) -> None:
    """Claim: an event that is hidden from an actor looks to them like one that never was.

    Same frames in the same order, same count, same HTTP status and body, for each of the questions
    about it, once the ids, keys and slugs that a question names are masked. The control is somebody
    to whom the hidden one does not look absent.
    """
    control = seen_by.sight(questions(hidden), verb=verb, via=via)
    nothing = seen_by.sight(questions(absent), verb=verb, via=via)
    if any(one == other for one, other in zip(control, nothing, strict=True)):
        raise Inconclusive(f"event {hidden.short_id} looks absent to {seen_by.name} too")
    seen_by.ledger.control(
        "indistinguishable",
        f"{seen_by.name} sees event {hidden.short_id}",
        f"reader: {to.name} against {seen_by.name}",
    )
    of_hidden = to.sight(questions(hidden), verb=verb, via=via)
    of_absent = to.sight(questions(absent), verb=verb, via=via)
    for question, one, other in zip(questions(hidden), of_hidden, of_absent, strict=True):
        if one != other:
            raise Broken(
                f"to {to.name} asking {question.to_json()} the sight of an event that never was: "
                f"{_lines(other)}",
                _lines(one),
            )


def _lines(sight: Sequence[str], longest: int = 400) -> str:
    text = " / ".join(sight) or "nothing"
    return text if len(text) <= longest else f"{text[:longest]}..."


def same_events(seen: Iterable[Event], expected: Iterable[Event]) -> None:
    """Claim: these events and no others, in any order, each once."""
    seen_ids = sorted(event.short_id for event in seen)
    expected_ids = sorted(event.short_id for event in expected)
    if seen_ids != expected_ids:
        raise Broken(f"exactly {expected_ids}", str(seen_ids))
