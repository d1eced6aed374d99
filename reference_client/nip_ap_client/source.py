"""Where a reader gets events: one relay, asked again where a connection or a request fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from nip_ap.nostr import Event, Filter, SecretKey
from nip_ap.wire.answers import ConnectionLost, NoAnswer, WireError
from nip_ap.wire.websocket import Subscription, WebSocketDoor
from nip_ap_client.transport import Forgetful

ANSWER_LIMIT = 8.0
"""Seconds that one answer may take."""

_ATTEMPTS = 3
_PAUSE = 0.2
"""Seconds before a request is tried again."""
_IMPATIENT = 0.5
"""Seconds for each further answer of a relay that has not ended one."""


@dataclass(frozen=True)
class Answered:
    """The events of one answer. `trouble` says why it may not be all of it."""

    events: tuple[Event, ...]
    malformed: tuple[str, ...] = ()
    trouble: str = ""


class Source(Protocol):
    """What a reader needs of a relay."""

    def ask(self, wanted: Filter) -> Answered:
        """The stored events that match. Raises WireError where there is no answer."""


class WireSource:
    """A WebSocket connection, opened when first used and again when it is lost."""

    def __init__(
        self,
        url: str,
        key: SecretKey | None,
        *,
        now: Callable[[], int],
        answer_limit: float = ANSWER_LIMIT,
    ) -> None:
        """`key` answers a relay that asks who reads; None stays anonymous."""
        self._url = url
        self._key = key
        self._now = now
        self._answer_limit = answer_limit
        self._door: WebSocketDoor | None = None

    def door(self) -> WebSocketDoor:
        """The connection. Raises Unreachable."""
        if self._door is None:
            self._door = WebSocketDoor(
                self._url,
                who="reader",
                key=self._key,
                transcript=Forgetful(),
                now=self._now,
                answer_limit=self._answer_limit,
            )
        return self._door

    def close(self) -> None:
        """End the conversation; never raises."""
        if self._door is not None:
            self._door.close()
            self._door = None

    def ask(self, wanted: Filter) -> Answered:
        """See Source. What fails is tried again, on a new connection where the old one is lost."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self.asked_once(wanted)
            except WireError as error:
                self.close()
                if attempt == _ATTEMPTS or not self.is_worth_another_try(error):
                    return self.given_up(error)
                time.sleep(_PAUSE)
        raise AssertionError("the last attempt returns")

    def given_up(self, error: WireError) -> Answered:
        """What is made of a relay that does not answer: an error, and not an empty list."""
        raise error

    def is_worth_another_try(self, error: WireError) -> bool:
        """Whether what went wrong may go well the next time."""
        return isinstance(error, ConnectionLost | NoAnswer)

    def asked_once(self, wanted: Filter) -> Answered:
        """One request; one that is closed is made again, with authentication where that helps."""
        subscription = self.door().subscribe([wanted])
        try:
            self.wait(subscription)
        except NoAnswer as error:
            return self.unended(subscription, error)
        if subscription.closed is not None:
            return self.closed(wanted, subscription.closed)
        subscription.close()
        return Answered(tuple(subscription.stored), subscription.malformed)

    def wait(self, subscription: Subscription) -> None:
        """Wait for the end of an answer. Raises WireError."""
        subscription.wait_for_answer()

    def closed(self, wanted: Filter, reason: str) -> Answered:
        """A request that the relay closed is made once more. Raises NoAnswer."""
        again = self.door().query([wanted])
        if again.refusal is not None:
            raise NoAnswer(f"the relay does not let these be read: {again.refusal}")
        return Answered(again.events, again.malformed)

    def unended(self, subscription: Subscription, error: NoAnswer) -> Answered:
        """What came of an answer without an end. Raises NoAnswer where nothing did."""
        self._answer_limit = min(self._answer_limit, _IMPATIENT)
        self.close()
        return Answered(
            tuple(subscription.stored),
            subscription.malformed,
            f"the relay did not say that this is all: {error}",
        )
