"""The orders that the controllable relay follows, and the record of what came in."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from weakref import WeakKeyDictionary

from nip_ap.nostr import Event
from nip_ap_relay.couriers import HangUp
from nip_ap_relay.interceptor import Answer, Door, Interceptor

_RATE_LIMITED = "rate-limited: too many events; retry in 0.2 s"


@dataclass
class Orders:
    """What the relay is told to do wrong. As it stands here, it does nothing wrong."""

    clock_offset: int = 0
    window: int = 900
    silent: bool = False
    withhold: bool = False
    hold: bool = False
    cut_after: int | None = None
    limit_every: int = 0
    page: int | None = None
    """The most stored events that one filter gives, the newest; None for the relay's own limit."""
    trusting: bool = False
    """Whether an event is stored whatever its id and signature are worth."""
    refuse: Mapping[str, str] = field(default_factory=dict)


class Faults(Interceptor):
    """The orders in force, what they have done so far, and the record of what came in."""

    def __init__(self) -> None:
        self.orders = Orders()
        self.log: list[dict[str, Any]] = []
        self.seen = 0
        self._changed = asyncio.Event()
        self._submitted = 0
        self._limited: set[str] = set()
        self._held: list[Callable[[], None]] = []
        self._numbers: WeakKeyDictionary[Door, int] = WeakKeyDictionary()
        self._connections = 0

    def reset(self) -> None:
        """Behave again, and forget what happened."""
        self.release()
        self.order(**{one.name: getattr(Orders(), one.name) for one in fields(Orders)})
        self.log.clear()
        self.seen = 0

    def order(self, **orders: Any) -> None:
        """Change some orders; counts start anew."""
        for name, value in orders.items():
            if name not in Orders.__dataclass_fields__:
                raise ValueError(f"there is no order {name!r}")
            setattr(self.orders, name, value)
        self._submitted = 0
        self._limited.clear()

    def release(self) -> None:
        """Give the answers that were held back, and hold no more."""
        self.orders.hold = False
        held, self._held = self._held, []
        for answer in held:
            answer()

    # -- the record ------------------------------------------------------------

    def connected(self, door: Door, headers: Mapping[str, str]) -> None:
        """Note an opening handshake."""
        self._connections += 1
        self._numbers[door] = self._connections
        self._note(connection=self._connections, door="ws", text="(connected)", headers=headers)

    def heard(self, door: Door, text: str) -> None:
        """Note a frame."""
        number = self._numbers.get(door, 0)
        self._note(connection=number, door="ws", text=text, pubkey=door.pubkey or "")

    def posted(self, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """Note an HTTP request."""
        self._connections += 1
        text = body.decode("utf-8", "replace")
        if path.endswith("/events"):
            text = f'["EVENT",{text}]'
        self._note(connection=self._connections, door=f"http {path}", text=text, headers=headers)

    def _note(self, *, text: str, headers: Mapping[str, str] | None = None, **rest: Any) -> None:
        self.log.append({"at": time.time(), "text": text, "headers": dict(headers or {}), **rest})
        if text.startswith('["EVENT"'):
            self.seen += 1
        self._changed.set()

    async def wait_for(self, events: int, limit: float) -> bool:
        """Wait until that many EVENTs came since the last reset."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                while self.seen < events:
                    self._changed.clear()
                    await self._changed.wait()
        return self.seen >= events

    # -- what an event meets ---------------------------------------------------

    def intercepted(self, event: Event, answer: Answer) -> Answer | None:
        """The answer to use for an event, or None where the relay goes no further with it.

        Raises HangUp where the connection is to be cut.
        """
        orders = self.orders
        if orders.silent:
            return None
        if orders.cut_after is not None and self._submitted >= orders.cut_after:
            raise HangUp("cut on request")
        self._submitted += 1
        if event.slug in orders.refuse:
            answer(False, orders.refuse[event.slug])
            return None
        if self._is_limited(event):
            answer(False, _RATE_LIMITED)
            return None
        if orders.withhold:
            return _unheard
        return self._later(answer) if orders.hold else answer

    def _is_limited(self, event: Event) -> bool:
        every = self.orders.limit_every
        if not every or self._submitted % every or event.id in self._limited:
            return False
        self._limited.add(event.id)
        return True

    def _later(self, answer: Answer) -> Answer:
        return lambda accepted, message: self._held.append(lambda: answer(accepted, message))


def _unheard(accepted: bool, message: str) -> None:
    """An answer that is never sent."""
