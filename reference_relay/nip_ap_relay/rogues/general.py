"""Rogues of everything at once: broken relays, conformant noise, instability."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import orjson

from nip_ap.nostr import Event, Filter
from nip_ap_relay.couriers import Courier, HangUp, Send
from nip_ap_relay.policy import NOVEMBER, Caller, Policy, Submission
from nip_ap_relay.rogues.declaring import GENERAL, NOISE, UNSTABLE, rogue
from nip_ap_relay.store import Row, Store


@rogue(
    "accepts-everything",
    kind=GENERAL,
    because="It checks nothing at all: no event, no version, no subscription, no reader.",
    remedy="Validate events before you store them, and check who may read before you serve.",
)
class AcceptsEverything(Policy):
    def refusal(self, submission: Submission) -> str | None:
        return None

    def read_refusal(self, filters: Iterable[Filter], caller: Caller, store: Store) -> str | None:
        return None

    def private_read_refusal(self, filters: Iterable[Filter], caller: Caller) -> str | None:
        return None

    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        return True

    def may_read_channel(self, named: str, reader: str | None, store: Store) -> bool:
        return True

    def in_live_scope(self, filters: tuple[Filter, ...], event: Event) -> bool:
        return True

    def deletion_by_address(self, request: Event, store: Store) -> list[Row]:
        return []

    def deletion_by_id(self, request: Event, store: Store) -> list[Row]:
        return []

    def thread_shows_deleted(self) -> bool:
        return True

    def auth_event_is_sound(self, event: Event) -> bool:
        return True

    def auth_challenge_matches(self, given: str, sent: str) -> bool:
        return True

    def supersedes(self, incoming: Event, head: Row) -> bool:
        return True

    def retires(self, head: Row) -> bool:
        return False

    def delivers_although_known(self, event: Event) -> bool:
        return True

    def live_match(self, one: Filter, event: Event) -> bool:
        return True

    def close_ends(self) -> bool:
        return False


@rogue(
    "refuses-everything",
    kind=GENERAL,
    because="It is closed to writers.",
    remedy="Accept valid events of authenticated writers.",
)
class RefusesEverything(Policy):
    def refusal(self, submission: Submission) -> str | None:
        return super().refusal(submission) or "blocked: nobody may write here"


@rogue(
    "stores-nothing",
    kind=GENERAL,
    because="Its storage is a null device.",
    remedy="Store what you answer with OK true.",
)
class StoresNothing(Policy):
    def keeps(self, event: Event) -> bool:
        return False


class _Silent(Courier):
    async def carry(self, frames: list[str], send: Send) -> None:
        return


@rogue(
    "answers-nothing",
    kind=GENERAL,
    because="It reads and is silent.",
    remedy="Answer each EVENT with OK and each REQ with EOSE or CLOSED.",
)
class AnswersNothing(Policy):
    def courier(self) -> Courier:
        return _Silent()


class _HangsUp(Courier):
    async def carry(self, frames: list[str], send: Send) -> None:
        for frame in frames:
            if not frame.startswith('["AUTH"'):
                raise HangUp("no reason given")
            await send(frame)


@rogue(
    "hangs-up",
    kind=GENERAL,
    because="It closes the connection instead of answering.",
    remedy="Answer a refused message with OK or CLOSED and keep the connection.",
)
class HangsUp(Policy):
    def courier(self) -> Courier:
        return _HangsUp()


class _Slow(Courier):
    async def carry(self, frames: list[str], send: Send) -> None:
        await asyncio.sleep(0.2)
        await super().carry(frames, send)


@rogue(
    "slow",
    kind=NOISE,
    because="It takes 200 ms for an answer, which is no fault.",
    remedy="Nothing to fix: slowness is not a fault.",
)
class Slow(Policy):
    def courier(self) -> Courier:
        return _Slow()


class _Reordering(Courier):
    """Swaps answers of different requests; what belongs to one subscription keeps its order."""

    async def carry(self, frames: list[str], send: Send) -> None:
        await asyncio.sleep(0.002)
        by_request: dict[str, list[str]] = {}
        for frame in frames:
            by_request.setdefault(str(orjson.loads(frame)[1]), []).append(frame)
        for answers in reversed(by_request.values()):
            await super().carry(answers, send)


@rogue(
    "reorders-answers",
    kind=NOISE,
    because="It answers concurrent requests as they get ready.",
    remedy="Nothing to fix: answers to different requests may come in any order.",
)
class ReordersAnswers(Policy):
    def courier(self) -> Courier:
        return _Reordering()


class _Notices(Courier):
    async def carry(self, frames: list[str], send: Send) -> None:
        for frame in frames:
            await send('["NOTICE","have a nice day"]')
            await send(frame)


@rogue(
    "sends-notices",
    kind=NOISE,
    because="It chats in NOTICEs between answers.",
    remedy="Nothing to fix: NOTICE is allowed at any time.",
)
class SendsNotices(Policy):
    def courier(self) -> Courier:
        return _Notices()


@rogue(
    "every-fifth-time",
    kind=UNSTABLE,
    turns_red="AP-SLUG-02",
    because="One of its five workers still runs the release without the check.",
    remedy="Deploy the same release on every worker behind the address.",
)
class EveryFifthTime(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._seen = 0

    def is_no_slug(self, value: str | None) -> bool:
        if value != "":
            return super().is_no_slug(value)
        self._seen += 1
        return self._seen % 5 != 0
