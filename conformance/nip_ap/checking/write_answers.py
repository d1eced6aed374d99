"""What the answers to writes give away: whether two of them can be told apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from nip_ap.checking.actor import HTTP, Actor
from nip_ap.model.judgement import Broken, Inconclusive
from nip_ap.nostr import Draft, Event, address_of
from nip_ap.wire import Answer

About = Callable[[Event], Draft]
"""Makes an event that names another."""


def answered_alike(
    hidden: Event, absent: Event, about: Mapping[str, About], *, by: Actor, via: str
) -> dict[str, str]:
    """Claim: writes about an event that is hidden are answered like those about one that never was.

    Same verdict, same words, same notices, same HTTP status, once the ids and addresses are masked.
    `about` has the writes by name, one for each kind of thing that can be said about an event.
    Gives the answers by name.
    """
    of_hidden, of_absent = (_answers(one, about, by, via) for one in (hidden, absent))
    different = [
        f"{name}: {seen!r}, not {of_absent[name]!r}"
        for name, seen in of_hidden.items()
        if seen != of_absent[name]
    ]
    if different:
        raise Broken(f"to {by.name} the answers for an event that never was", "; ".join(different))
    if all(seen == _SILENCE for seen in of_hidden.values()):
        raise Inconclusive("the relay answers none of these writes")
    return of_hidden


_NOTICES = "notices"
_SILENCE = "no answer"


def _answers(target: Event, about: Mapping[str, About], by: Actor, via: str) -> dict[str, str]:
    """What the relay says to each write about a target, masked; and its notices meanwhile."""
    writer = by.another_connection()
    events = [writer.signs(make(target)) for make in about.values()]
    answers: Sequence[Answer | None]
    answers = writer.send_all(events, via=via) if via == HTTP else writer.submit(events)
    shown = {name: _masked(answer, target) for name, answer in zip(about, answers, strict=True)}
    if via != HTTP:
        shown[_NOTICES] = _without(target, " / ".join(writer.ws.notices)) or _SILENCE
    return shown


def _masked(answer: Answer | None, target: Event) -> str:
    if answer is None:
        return _SILENCE
    text = _without(target, str(answer))
    return text.replace(answer.event_id, "(the write)") if answer.event_id else text


def _without(target: Event, text: str) -> str:
    for value in (address_of(target), target.id, target.slug):
        text = text.replace(value, "(what was named)")
    return text
