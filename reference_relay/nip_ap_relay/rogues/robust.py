"""Rogues of bad input and load."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from nip_ap.nostr import Event, Filter
from nip_ap_relay.couriers import Courier, Send
from nip_ap_relay.policy import NOVEMBER, Policy
from nip_ap_relay.rogues.declaring import ANYTHING, rogue
from nip_ap_relay.store import Row


@rogue(
    "frame-limit-exclusive",
    turns_red="AP-ROB-02",
    because="It reads frames below the limit that it announces, and not those of just the limit.",
    remedy="Accept a frame of exactly `max_message_length` bytes.",
)
class FrameLimitExclusive(Policy):
    def frame_fits(self, size: int) -> bool:
        return size < self.frame_limit


@rogue(
    "large-frame-crashes",
    turns_red="AP-ROB-01 AP-ROB-02",
    blinds=ANYTHING,
    because="It reads a frame into a fixed buffer.",
    remedy="Bound the frame and refuse what is larger, in a buffer that can hold the bound.",
)
class LargeFrameCrashes(Policy):
    def survives(self, complaint: str) -> bool:
        return "too large" not in complaint


@rogue(
    "req-silent",
    turns_red="AP-ROB-03 AP-SEARCH-09",
    because="It drops filters that can match nothing, and the answer with them.",
    remedy="Answer every REQ with EOSE, also where nothing can match.",
)
class ReqSilent(Policy):
    def ends_stored_events(self, rows: list[Row], filters: Sequence[Filter]) -> bool:
        return not any(one.kinds == () or one.authors == () for one in filters)


@rogue(
    "drops-in-a-burst",
    turns_red="AP-ROB-04",
    because="Its queue overflows under one author's burst, after the OK.",
    remedy="Block or refuse when the queue is full; never drop what was answered with OK true.",
)
class DropsInABurst(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._written: Counter[str] = Counter()

    def keeps(self, event: Event) -> bool:
        self._written[event.pubkey] += 1
        return self._written[event.pubkey] < 350 or self._written[event.pubkey] % 7 > 0


@rogue(
    "drops-under-load",
    turns_red="AP-ROB-06",
    because="Each key has a pool of connections; who finds no place there writes into nothing.",
    remedy="Fail the write with OK false where no connection to the store is free.",
)
class DropsUnderLoad(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._connections: Counter[str] = Counter()
        self._crowded: Counter[str] = Counter()

    def auth_event_is_sound(self, event: Event) -> bool:
        self._connections[event.pubkey] += 1
        return super().auth_event_is_sound(event)

    def keeps(self, event: Event) -> bool:
        if self._connections[event.pubkey] < 18:
            return True
        self._crowded[event.pubkey] += 1
        return self._crowded[event.pubkey] % 5 > 0


class _OneAtATime(Courier):
    """Waits with frames of a middling size behind every other connection."""

    def __init__(self, turn: asyncio.Lock) -> None:
        self._turn = turn

    async def carry(self, frames: list[str], send: Send) -> None:
        for frame in frames:
            if 15_000 < len(frame) < 20_000:
                async with self._turn:
                    await send(frame)
            else:
                await send(frame)


@rogue(
    "hangs-after-a-fan-out",
    turns_red="AP-ROB-07",
    by_chance="AP-HTTP-03 AP-INFO-03 AP-INFO-05 AP-INT-06 AP-READ-01 AP-ROB-03",
    blinds=ANYTHING,
    because="Two locks are taken in opposite order by one who delivers and one who leaves.",
    remedy="Take locks in one order everywhere, and hold none while you send.",
)
class HangsAfterAFanOut(Policy):
    """An event that goes to eighteen subscribers is the last thing it does."""

    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._copies: Counter[str] = Counter()
        self._hangs = False

    def live_copies(self, event: Event) -> int:
        self._copies[event.id] += 1
        self._hangs = self._hangs or self._copies[event.id] > 18
        return super().live_copies(event)

    def ends_stored_events(self, rows: list[Row], filters: Sequence[Filter]) -> bool:
        return not self._hangs


@rogue(
    "slow-reader-blocks-all",
    turns_red="AP-ROB-05",
    blinds=ANYTHING,
    because="One buffer for frames of some kilobytes serves all, until the frame is out.",
    remedy="Give each connection a bounded buffer and drop the reader that does not keep up.",
)
class SlowReaderBlocksAll(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._turn = asyncio.Lock()

    def courier(self) -> Courier:
        return _OneAtATime(self._turn)
