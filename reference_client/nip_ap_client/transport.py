"""How the migrator talks to a relay: the suite's own doors, pipelined.

Heads are asked for in batches of `#d`: a plain list is cut at the relay's limit, and `until`
cannot split the one second in which a bulk run signs everything (docs/real-relay.md 8).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import orjson

from nip_ap.nostr import INSTRUCTIONS, PERSONA, Event, Filter, SecretKey
from nip_ap.wire.answers import Answer, NoAnswer, RateLimited, WireError
from nip_ap.wire.transcript import Transcript
from nip_ap.wire.websocket import WebSocketDoor

BATCH = 100
"""Slugs in one filter."""

_IN_FLIGHT = 250
_LARGEST_FRAME = 65_536 - 64
"""A frame over 65,536 bytes makes the June relay hang up (docs/real-relay.md 7)."""


class Transport(Protocol):
    """What the migrator needs of a relay. Both methods raise WireError where it is not there."""

    def heads(self, owner: str, slugs: Sequence[str], kind: int = PERSONA) -> dict[str, Event]:
        """The head at each of the owner's addresses of a kind that has one."""

    def submit(self, events: Sequence[Event]) -> Iterator[Answer]:
        """Send events and give the answer to each, in their order, as it comes."""

    def close(self) -> None:
        """End the conversation; never raises."""


class WireTransport:
    """A WebSocket connection, opened when first used; HTTP for what is too large for a frame."""

    def __init__(
        self,
        url: str,
        key: SecretKey,
        *,
        now: Callable[[], int],
        transcript: Transcript | None = None,
        answer_limit: float = 8.0,
    ) -> None:
        self._url = url
        self._key = key
        self._now = now
        self._transcript = transcript or Forgetful()
        self._answer_limit = answer_limit
        self._door: WebSocketDoor | None = None

    @property
    def door(self) -> WebSocketDoor:
        """The connection. Raises Unreachable."""
        if self._door is None:
            self._door = WebSocketDoor(
                self._url,
                who="migrator",
                key=self._key,
                transcript=self._transcript,
                now=self._now,
                answer_limit=self._answer_limit,
            )
        return self._door

    def heads(self, owner: str, slugs: Sequence[str], kind: int = PERSONA) -> dict[str, Event]:
        """See Transport."""
        return heads_through(self.door, owner, slugs, kind)

    def submit(self, events: Sequence[Event]) -> Iterator[Answer]:
        """See Transport. What is too large for a frame goes last, by HTTP."""
        large = [event for event in events if _frame_size(event) > _LARGEST_FRAME]
        small = [event for event in events if event not in large] if large else events
        yield from submit_through(self.door, small)
        for event in large:
            yield self._post(event)

    def _post(self, event: Event) -> Answer:
        from nip_ap.wire.http import HttpDoor
        from nip_ap.wire.network import LiveNetwork

        door = HttpDoor(
            self._url,
            who="migrator",
            key=self._key,
            transcript=self._transcript,
            now=self._now,
            network=LiveNetwork(),
            answer_limit=self._answer_limit,
        )
        try:
            answer = door.publish(event)
        finally:
            door.close()
        if answer.status in (404, 405):
            return next(submit_through(self.door, [event]))
        return answer

    def close(self) -> None:
        """See Transport."""
        if self._door is not None:
            self._door.close()


class DoorTransport:
    """A door that somebody else opened and will close, such as a check's."""

    def __init__(self, door: WebSocketDoor) -> None:
        self.door = door

    def heads(self, owner: str, slugs: Sequence[str], kind: int = PERSONA) -> dict[str, Event]:
        """See Transport."""
        return heads_through(self.door, owner, slugs, kind)

    def submit(self, events: Sequence[Event]) -> Iterator[Answer]:
        """See Transport."""
        return submit_through(self.door, events)

    def close(self) -> None:
        """The door's opener closes it."""


class Forgetful(Transcript):
    """A transcript that keeps nothing, for runs that nobody judges."""

    def record(self, who: str, door: str, direction: str, text: str, connection: int = 0) -> None:
        """Drop the frame."""


def heads_through(
    door: WebSocketDoor, owner: str, slugs: Sequence[str], kind: int = PERSONA
) -> dict[str, Event]:
    """The heads at an owner's addresses, where there are any. Raises WireError."""
    if kind == INSTRUCTIONS:
        return _current_through(door, owner, slugs)
    filters = [
        Filter.of(kinds=[kind], authors=[owner], d=slugs[start : start + BATCH])
        for start in range(0, len(slugs), BATCH)
    ]
    heads = _newest(_stored(door, filters))
    if set(heads) >= set(slugs):
        return heads
    # Some relays answer several values of `#d` with one head (AP-READ-03): the whole list helps.
    listed = _newest(_events(door, Filter.of(kinds=[kind], authors=[owner])))
    return {slug: head for slug, head in listed.items() if slug in slugs} | heads


def _current_through(door: WebSocketDoor, owner: str, subjects: Sequence[str]) -> dict[str, Event]:
    """The current version about each subject, `p:key` or `t:team`: tags match before a limit."""
    found: dict[str, Event] = {}
    for subject in subjects:
        name, _, value = subject.partition(":")
        asked = Filter.of(kinds=[INSTRUCTIONS], authors=[owner], limit=1, tags={name: [value]})
        for event in sorted(_events(door, asked), key=lambda one: one.order)[:1]:
            if value in event.tag_values(name):
                found[subject] = event
    return found


def _newest(events: Iterable[Event]) -> dict[str, Event]:
    """The head of each address. Of several, one that verifies: a forged one must not hide it."""
    heads: dict[str, Event] = {}
    for event in events:
        best = heads.setdefault(event.slug, event)
        if best.id == event.id or event.problems:
            continue
        if best.problems or event.order < best.order:
            heads[event.slug] = event
    return heads


def _stored(door: WebSocketDoor, filters: Sequence[Filter]) -> Iterator[Event]:
    """What matches the filters, each its own request: the first alone, for it authenticates."""
    for one in filters[:1]:
        yield from _events(door, one)
    asked = [(one, door.subscribe([one])) for one in filters[1:]]
    for one, subscription in asked:
        subscription.wait_for_answer()
        if subscription.closed is None:
            subscription.close()
            yield from subscription.stored
        else:
            yield from _events(door, one)


def _events(door: WebSocketDoor, one: Filter) -> Iterable[Event]:
    reading = door.query([one])
    if reading.refusal is not None:
        raise NoAnswer(f"the relay refused to list the owner's personas: {reading.refusal}")
    return reading.events


def submit_through(door: WebSocketDoor, events: Sequence[Event]) -> Iterator[Answer]:
    """Send events, many in flight at once; one that is told to wait is sent again. Lazy."""
    accepted: list[Event] = []
    for start in range(0, len(events), _IN_FLIGHT):
        chunk = events[start : start + _IN_FLIGHT]
        for event in chunk:
            door.send(["EVENT", event.to_json()])
        for event in chunk:
            answer = door.answer_to(event)
            if answer.prefix in ("rate-limited:", "auth-required:"):
                answer = _patiently(door, event, answer)
            accepted = [event] if answer.accepted else accepted
            if event is events[-1]:
                door.catch_up(accepted)
            yield answer


def _patiently(door: WebSocketDoor, event: Event, first: Answer) -> Answer:
    """Try again what was put off; the door authenticates and backs off."""
    try:
        return door.publish(event)
    except RateLimited:
        return first


def _frame_size(event: Event) -> int:
    return len(orjson.dumps(["EVENT", event.to_json()]))


__all__ = ["DoorTransport", "Forgetful", "Transport", "WireError", "WireTransport"]
