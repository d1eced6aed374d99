"""A transcript played back to the scenario that made it: the relay's part is read from the page.

What the scenario sends has to be what the transcript says was sent, in the same order; then the
recorded answers come, no earlier than they came, and no later than the scenario's next step came.
What was awaited in vain is awaited in vain again, without the wait. Where the two part, the
transcript is not of this scenario, seed and relay, or somebody changed it: `divergence` says where.
Longer than most modules: it stands in for every door, and the doors share one place in the text.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NoReturn, cast

import orjson

from nip_ap.model.frame import (
    CONNECTED,
    CUT_OFF,
    GAVE_UP,
    LEFT,
    LOST,
    NOT_CONNECTED,
    NOT_SENT,
    NOTE,
    RECEIVED,
    SENT,
    SUITE,
    WITHIN,
    Frame,
)
from nip_ap.model.judgement import Ending
from nip_ap.nostr import SecretKey
from nip_ap.nostr.keys import signature_verifies
from nip_ap.wire.answers import (
    ConnectionLost,
    Flooded,
    HttpResponse,
    NoAnswer,
    StaleConnection,
    Unreachable,
)
from nip_ap.wire.network import HttpLine, Line, Take
from nip_ap.wire.transcript import Transcript, Value, shortened

Address = tuple[str, str, int]

_READING = re.compile(r"([a-z ]+) reads (.*)\Z", re.DOTALL)
_STATUS = re.compile(r"HTTP (\d{3}) (.*)\Z", re.DOTALL)
_OWN_NOTES = (CONNECTED, NOT_CONNECTED, NOT_SENT, GAVE_UP, LEFT, CUT_OFF)
_HTTP_FAILURES = {one.__name__: one for one in (Unreachable, StaleConnection, Flooded)}
_OTHER_THREADS = 5.0
"""Seconds in which another thread of a scenario has to take its turn."""

_SHOWN = 160


class Diverged(Ending):
    """The scenario and the transcript went different ways; what a scenario makes of it is moot."""

    words = "the transcript does not fit: {}"


class Playback(Transcript):
    """Stands for both the transcript that a check writes and the network that it talks to.

    Frames are played strictly in their order. Threads of a scenario wait for their turn.
    """

    is_played = True

    def __init__(self, frames: Sequence[Frame]) -> None:
        super().__init__()
        self.recorded = tuple(frames)
        self.moved = threading.Condition()
        self.divergence = ""
        self._next = 0
        self._listeners: dict[Address, tuple[Take, Take]] = {}
        self._threads: set[int] = set()
        self._dialled: Counter[tuple[str, str]] = Counter()

    # -- as a transcript -------------------------------------------------------

    def connection(self, who: str, door: str) -> int:
        """See Transcript."""
        with self.moved:
            self._dialled[who, door] += 1
            return self._dialled[who, door]

    def record(self, who: str, door: str, direction: str, text: str, connection: int = 0) -> None:
        """What the scenario does has to be what comes next; what it is given is known already."""
        wanted = Frame(0.0, who, door, direction, shortened(text, direction), connection)
        if self._open and _is_step(wanted):
            self._take(wanted)

    def reads(self, name: str) -> bool:
        """Whether the recorded check took a reading of that name."""
        return any(one.text.startswith(f"{name} reads ") for one in self.recorded)

    def reading(self, name: str, take: Callable[[], Value], who: str = SUITE) -> Value:
        """The recorded value, in place of the one that `take` would give now."""
        with self.moved:
            frame = self._step((who, "", 0), f"reads {name}")
            found = _READING.match(frame.text)
            if found is None or found[1] != name:
                self._diverge(f"{who} reads {name}, where the transcript has {_shown(frame)}")
            self._advance()
            return cast(Value, orjson.loads(found[2]))

    def insert(
        self, whos: Collection[str], frames: Iterable[tuple[str, str, str, str, float]]
    ) -> None:
        """What these actors did and got was told by a reading; here it is passed over."""
        with self.moved:
            while self._next < len(self.recorded) and self.recorded[self._next].who in whos:
                self._next += 1

    def connects_anew(self, who: str, connection: int, found: bool) -> bool:
        """Whether the next thing that the actor did was to connect again."""
        with self.moved:
            steps = (one for one in self.recorded[self._next :] if _is_step(one))
            following = next((one for one in steps if (one.who, one.door) == (who, "ws")), None)
            if following is None or following.connection <= connection:
                return False
            while (frame := self._peek()) is not None and not _is_step(frame):
                self._deliver(frame)
            return True

    def thin_out(self, who: str, door: str, connection: int) -> None:
        """What was left out is left out."""

    def forget(self) -> None:
        """A transcript that is fit to be played has forgotten nothing."""

    def close(self) -> None:
        """See Transcript."""
        self._open = False

    @property
    def frames(self) -> tuple[Frame, ...]:
        """What was played so far."""
        with self.moved:
            return self.recorded[: self._next]

    def finish(self) -> None:
        """Play what still came in at the end, and see that the scenario left nothing out."""
        with self.moved:
            while not self.divergence:
                frame = self._peek()
                if frame is None:
                    return
                if _is_step(frame):
                    self.divergence = (
                        f"the scenario is at its end, where the transcript goes on with "
                        f"{_shown(frame)}"
                    )
                    return
                self._deliver(frame)

    # -- as a network ----------------------------------------------------------

    def dial(self, url: str, who: str, connection: int, *, can_pause: bool, limit: float) -> Line:
        """See Network."""
        address = (who, "ws", connection)
        with self.moved:
            frame = self._step(address, "connects")
            if frame.text.startswith(NOT_CONNECTED):
                raise Unreachable(frame.text.removeprefix(NOT_CONNECTED))
        return _PlayedLine(self, address)

    def http(self, who: str, connection: int) -> HttpLine:
        """See Network."""
        return _PlayedHttp(self, (who, "http", connection))

    def response(self, address: Address) -> HttpResponse:
        """The recorded answer to the request that was just sent."""
        came: list[str] = []
        self._listeners[address] = (came.append, came.append)
        if not self.wait(address, lambda: bool(came)):
            self._raise_as_then(self._step(address, "waits").text.removeprefix(GAVE_UP))
        found = _STATUS.match(came[0])
        if found is None:
            self._diverge(f"an HTTP answer is needed, where the transcript has {came[0][:_SHOWN]}")
        return HttpResponse(int(found[1]), found[2].encode("utf-8", "surrogatepass"))

    def _raise_as_then(self, text: str) -> NoReturn:
        kind, _, reason = text.partition(": ")
        raise _HTTP_FAILURES.get(kind, NoAnswer)(reason)

    # -- the order of things ---------------------------------------------------

    def listen(self, address: Address, take: Take, lose: Take) -> None:
        """Whom to tell what comes at a connection."""
        with self.moved:
            self._listeners[address] = (take, lose)

    def wait(self, address: Address, condition: Callable[[], bool]) -> bool:
        """Let come what came, until a condition holds; False where it was given up then."""
        with self.moved:
            while not condition():
                self._check()
                frame = self._peek()
                if frame is None:
                    self._diverge(f"{address[0]} waits for more, where the transcript ends")
                if not _is_step(frame):
                    self._deliver(frame)
                elif _address(frame) == address and frame.text.startswith(GAVE_UP):
                    return False
                else:
                    self._let_others(
                        f"{address[0]} waits for more, where the transcript goes on with "
                        f"{_shown(frame)}",
                        is_mine=_address(frame) == address,
                    )
            return True

    def failure_of(self, address: Address) -> str | None:
        """Why what was sent last at a connection could not be sent; None where it was."""
        with self.moved:
            for frame in self.recorded[self._next :]:
                if _is_step(frame) and _address(frame) == address:
                    failed = frame.text.startswith(NOT_SENT) and frame.direction == NOTE
                    return frame.text.removeprefix(NOT_SENT) if failed else None
            return None

    def _take(self, wanted: Frame) -> None:
        with self.moved:
            frame = self._step(_address(wanted), _doing(wanted))
            if (frame.direction, _timeless(frame)) != (wanted.direction, _timeless(wanted)):
                self._diverge(
                    f"{wanted.who} {_doing(wanted)}, where the transcript has {_shown(frame)}"
                )
            self._advance()

    def _step(self, address: Address, doing: str) -> Frame:
        """The next step of the scenario, which has to be one at this address."""
        while True:
            self._check()
            frame = self._peek()
            if frame is None:
                self._diverge(f"{address[0]} {doing}, where the transcript ends")
            if not _is_step(frame):
                self._deliver(frame)
            elif _address(frame) == address:
                return frame
            else:
                self._let_others(
                    f"{address[0]} {doing}, where the transcript goes on with {_shown(frame)}"
                )

    def _peek(self) -> Frame | None:
        """The next frame that matters; remarks are passed over."""
        while self._next < len(self.recorded):
            frame = self.recorded[self._next]
            if _is_step(frame) or _comes(frame):
                return frame
            self._next += 1
        return None

    def _deliver(self, frame: Frame) -> None:
        self._next += 1
        take, lose = self._listeners.get(_address(frame), (_nobody, _nobody))
        if frame.direction == RECEIVED:
            take(frame.text)
        else:
            lose(frame.text.removeprefix(LOST))
        self.moved.notify_all()

    def _advance(self) -> None:
        self._next += 1
        self.moved.notify_all()

    def _check(self) -> None:
        self._threads.add(threading.get_ident())
        if self.divergence:
            raise Diverged(self.divergence)

    def _let_others(self, complaint: str, *, is_mine: bool = False) -> None:
        """It is another thread's turn, if there is one."""
        if is_mine or len(self._threads) == 1 or not self.moved.wait(_OTHER_THREADS):
            self._diverge(complaint)

    def _diverge(self, complaint: str) -> NoReturn:
        self.divergence = self.divergence or complaint
        self.moved.notify_all()
        raise Diverged(self.divergence)


class _PlayedLine:
    """One connection of a playback."""

    def __init__(self, playback: Playback, address: Address) -> None:
        self.changed = playback.moved
        self._playback = playback
        self._address = address

    def listen(self, take: Take, lose: Take) -> None:
        """See Line."""
        self._playback.listen(self._address, take, lose)

    def send(self, message: str | bytes, as_text: bool | None) -> None:
        """See Line; what is sent was compared when it was recorded."""
        failure = self._playback.failure_of(self._address)
        if failure is not None:
            raise ConnectionLost(failure)

    def wait(self, condition: Callable[[], bool], limit: float) -> bool:
        """See Line."""
        return self._playback.wait(self._address, condition)

    def stop_reading(self) -> None:
        """What was not read then is in no transcript."""

    def abort(self) -> None:
        """Nothing: the outcome follows in the transcript."""

    def close(self) -> None:
        """There is nothing to end."""


class _PlayedHttp:
    """The HTTP requests of one actor of a playback."""

    def __init__(self, playback: Playback, address: Address) -> None:
        self._playback = playback
        self._address = address

    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes,
        headers: Mapping[str, str],
        limit: float,
        fresh: bool = False,
    ) -> HttpResponse:
        """See HttpLine; what is sent was compared already."""
        return self._playback.response(self._address)

    def close(self) -> None:
        """There is nothing to end."""


class RecordedKey(SecretKey):
    """A key whose secret is not at hand: it signs what it signed in a transcript, and no more."""

    __slots__ = ("_signatures",)

    def __init__(self, pubkey: str, frames: Sequence[Frame]) -> None:
        """`frames` are where the signatures are looked for."""
        self.pubkey = pubkey
        self._signatures = signatures_of(pubkey, frames)

    def sign(self, message: bytes, aux: bytes | None = None) -> str:
        """The recorded signature; zeros, which verify for nobody, where there is none."""
        return self._signatures.get(message.hex(), "0" * 128)

    def secret_hex(self) -> str:
        """Nobody here knows it."""
        raise ValueError("the secret of a recorded key is not known")


def signatures_of(pubkey: str, frames: Sequence[Frame]) -> dict[str, str]:
    """The genuine signatures of a key among the sent frames, by the id that they sign."""
    event = re.compile(
        rf'"id":"([0-9a-f]{{64}})","pubkey":"{pubkey}".*"sig":"([0-9a-f]{{128}})"', re.DOTALL
    )
    found = {}
    for frame in frames:
        signed = event.search(frame.text) if frame.direction == SENT else None
        if signed and signature_verifies(signed[2], bytes.fromhex(signed[1]), pubkey):
            found[signed[1]] = signed[2]
    return found


def _is_step(frame: Frame) -> bool:
    """Whether a frame is something that the scenario did, or read off a clock."""
    if frame.direction != NOTE:
        return frame.direction == SENT
    if frame.connection:
        return frame.text.startswith(_OWN_NOTES)
    return bool(_READING.match(frame.text))


def _comes(frame: Frame) -> bool:
    """Whether a frame is something that befell the scenario."""
    lost = frame.direction == NOTE and frame.connection and frame.text.startswith(LOST)
    return frame.direction == RECEIVED or bool(lost)


def _timeless(frame: Frame) -> str:
    """The text without the seconds that were waited, which depend on the checks before."""
    gave_up = frame.direction == NOTE and frame.text.startswith(GAVE_UP)
    return frame.text.partition(WITHIN)[0] if gave_up else frame.text


def _address(frame: Frame) -> Address:
    return (frame.who, frame.door, frame.connection)


def _nobody(text: str) -> None:
    """Nobody listens at a connection that the scenario has not opened."""


def _doing(frame: Frame) -> str:
    verb = "sends" if frame.direction == SENT else "notes"
    return f"{verb} {frame.text[:_SHOWN]}"


def _shown(frame: Frame) -> str:
    verb = "sends" if frame.direction == SENT else "notes"
    return f"{frame.who} {verb} {frame.text[:_SHOWN]}"
