"""One WebSocket connection of one actor: a conversation over a line, written into a transcript.

What comes is taken in at once, so no answer is lost behind another, and no relay is held up by a
check that looks elsewhere. Whoever waits says what for, and never waits without a limit.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

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
    WITHIN,
)
from nip_ap.wire.answers import (
    ConnectionLost,
    Flooded,
    NoAnswer,
    RateLimited,
    Unreachable,
    WireError,
)
from nip_ap.wire.backoff import LIMITED
from nip_ap.wire.bounds import FLOODS, flood
from nip_ap.wire.conversation import Conversation
from nip_ap.wire.network import Line, Network
from nip_ap.wire.pace import Patience
from nip_ap.wire.transcript import Transcript

DOOR = "ws"
_SILENCE = 0.5
"""Seconds of silence after which a connection ends for it, and not for what was said."""
_AFTER_SILENCE = "after a silence "
_GOODBYE = re.compile(
    r"the relay closed the connection(: received (1000|1001|1008|1013|[34]\d{3})\b.*)?", re.DOTALL
)
"""How a connection ends that nothing is wrong with, 1008 being some relays' word for idle."""
_MANY_SENT = 4_000
"""Frames sent after which an idle connection is left for a new one: relays cap them a minute."""


class Connection(Conversation):
    """A conversation whose texts come from a network and go there."""

    name = DOOR

    def __init__(
        self,
        url: str,
        *,
        who: str,
        transcript: Transcript,
        network: Network,
        patience: Patience,
        answer_limit: float,
        can_pause: bool = False,
    ) -> None:
        """Connect. Raises Unreachable.

        One that can pause has hardly any buffers: the relay feels it when it stops reading.
        """
        super().__init__()
        self.url = url
        self.who = who
        self.patience = patience
        self.answer_limit = answer_limit
        self._transcript = transcript
        self._sent = 0
        self._characters = 0
        self._lost: str | None = None
        self._spoke = time.monotonic()
        self._left = False
        self._connection = transcript.connection(who, DOOR)
        self._line = self._dialled(network, can_pause)
        self._changed = self._line.changed
        self._line.listen(self._take, self._lose)

    def _dialled(self, network: Network, can_pause: bool) -> Line:
        try:
            line = network.dial(
                self.url, self.who, self._connection, can_pause=can_pause, limit=self.answer_limit
            )
        except Unreachable as error:
            self._remark(f"{NOT_CONNECTED}{error}")
            raise
        self._remark(CONNECTED)
        return line

    def _remark(self, text: str) -> None:
        """Something that happened to the connection itself, for the transcript."""
        self._transcript.record(self.who, DOOR, NOTE, text, self._connection)

    # -- what comes ------------------------------------------------------------

    def _take(self, text: str) -> None:
        if self._lost is not None:
            return
        self._spoke = time.monotonic()
        self._transcript.record(self.who, DOOR, RECEIVED, text, self._connection)
        self.receive(text)
        self._characters += len(text)
        problem = flood(len(self.received), self._characters, self._sent)
        if problem is not None:
            self._lose(problem)
            self._transcript.thin_out(self.who, DOOR, self._connection)
            self._line.abort()

    def _lose(self, reason: str) -> None:
        if self._lost is not None:
            return
        if self._is_for_silence(reason):
            reason = f"{_AFTER_SILENCE}{reason}"
        self._lost = reason
        if not self._left:
            self._remark(f"{LOST}{reason}")

    def _is_for_silence(self, reason: str) -> bool:
        """Whether the relay took its leave, long after the last word and with nothing open."""
        if not self.is_idle or not _GOODBYE.fullmatch(reason):
            return False
        return time.monotonic() - self._spoke >= _SILENCE

    # -- sending and waiting ---------------------------------------------------

    def send(self, frame: Any) -> None:
        """Send a frame as JSON. Raises ConnectionLost, Flooded, OutOfTime."""
        self.patience.keep_to_the_deadline()
        self.note_sent(frame)
        self.send_text(orjson.dumps(frame).decode())

    def send_text(self, text: str | bytes, *, as_text: bool | None = None) -> None:
        """Send a text frame as it is, or bytes as a binary frame. Raises ConnectionLost.

        With as_text=True bytes go into a text frame, be they UTF-8 or not.
        """
        shown = text if isinstance(text, str) else f"(bytes: {text.hex()})"
        self._transcript.record(self.who, DOOR, SENT, shown, self._connection)
        self._sent += 1
        self._spoke = time.monotonic()
        try:
            self._line.send(text, as_text)
        except ConnectionLost as error:
            self._remark(f"{NOT_SENT}{error}")
            raise self._ended(self._lost or str(error)) from error

    def _ended(self, why: str) -> WireError:
        """The end of the connection: an accident, unless the relay said that it is for now only."""
        if self.limits or LIMITED in why:
            return RateLimited(why)
        return _ending(why)

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something came. Raises what ended the wait, naming what was awaited.

        That is NoAnswer, ConnectionLost, Flooded or OutOfTime.
        """
        limit, began = self.patience.limit, time.monotonic()
        with self._changed:
            came = self._line.wait(lambda: condition() or self._lost is not None, limit)
            if came and condition():
                self.patience.answered(time.monotonic() - began)
                return
            if self._lost is not None:
                raise self._ended(f"{self._lost}; {what} was awaited")
            self._remark(f"{GAVE_UP}{what}{WITHIN}{limit:g} s")
        self.patience.keep_to_the_deadline()
        self.patience.gave_up()
        notices = f"; last notice: {self.notices[-1]!r}" if self.notices else ""
        raise NoAnswer(f"{what}{WITHIN}{limit:g} s{notices}")

    def accepted_so_far(self) -> list[str]:
        """The ids that got OK true, of the events whose answers nobody has taken yet."""
        with self._changed:
            return self.accepted_ids()

    @property
    def is_open(self) -> bool:
        """Whether the relay still holds the connection."""
        return self._lost is None

    @property
    def was_turned_away(self) -> bool:
        """Whether the relay ended it with the words that it may be tried later."""
        return self._lost is not None and (bool(self.limits) or LIMITED in self._lost)

    @property
    def was_left_idle(self) -> bool:
        """Whether the relay ended it for its silence alone: then a new one serves as well."""
        found = self._lost is not None and self._lost.startswith(_AFTER_SILENCE)
        return self._transcript.connects_anew(self.who, self._connection, found)

    @property
    def has_nothing_under_way(self) -> bool:
        """Whether no answer is awaited and no subscription open."""
        return self._transcript.reading(
            "nothing is under way", lambda: self.is_idle and self._sent > 0, self.who
        )

    @property
    def is_used_up(self) -> bool:
        """Whether so much went through an idle connection that a new one is better."""
        return self._sent >= _MANY_SENT and self.is_idle

    # -- the end ---------------------------------------------------------------

    def stop_reading(self) -> None:
        """Leave everything that the relay sends from now on where it is."""
        self._line.stop_reading()

    def close(self) -> None:
        """End the connection; never raises."""
        with self._changed:
            if self._lost is None and not self._left:
                self._left = True
                self._remark(LEFT)
        self._line.close()

    def abort(self) -> None:
        """Cut the TCP connection without a closing handshake."""
        self._remark(CUT_OFF)
        self._line.abort()


def _ending(reason: str) -> WireError:
    """The error of a connection that is no more."""
    return Flooded(reason) if reason.startswith(FLOODS) else ConnectionLost(reason)
