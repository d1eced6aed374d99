"""Playing recorded requests to a relay in this process, to see where a rogue answers otherwise.

The proof runs each check on each rogue. Most pairs are pointless: a rogue that cuts slugs at 63
characters answers a check about deletion exactly as the reference does, and a check that gets the
same answers gives the same verdict. A rehearsal finds these pairs. It feeds the requests that a
check sent to the reference relay to both relays, in memory, and compares every answer; the pairs
that differ are then run for real.

It holds for relays that answer by what they were asked and when. What a rogue does in timing, in
how answers travel, or in what is not in a transcript (HTTP credentials) cannot be rehearsed; there
it is only known, of some rules, which checks can have met them.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import orjson

from nip_ap.nostr import SecretKey
from nip_ap_relay.bridge import Bridge, Reply
from nip_ap_relay.couriers import Courier, HangUp
from nip_ap_relay.policy import Policy
from nip_ap_relay.protocol import Complaint, Request, parse_frame
from nip_ap_relay.relay import Relay
from nip_ap_relay.rogues import Rogue
from nip_ap_relay.session import Session
from nip_ap_relay.store import Store

_RELAY_KEY = "rehearsal"
_POST = re.compile(r"POST (\S+)((?: \[[^\]]+\])*) (.*)\Z", re.DOTALL)
_AUTHENTICATION = re.compile(r'\["AUTH",\{[^}]*"id":"([0-9a-f]{64})"')
_UNREHEARSED = re.compile(
    r"courier|challenge.*|survives|stores_before_answering|batch_is_committed|http_.*|x_pubkey.*"
    r"|claimed_nips|version|auth_to_.*|.*limit|read_ahead|.*backlog"
)


@dataclass(frozen=True)
class Line:
    """One line of a transcript: a frame that an actor sent, or one that it received."""

    at: float
    who: str
    door: str
    sent: bool
    text: str


@dataclass(frozen=True)
class Recording:
    """What one check sent to the reference relay; `keys` are public keys by actor."""

    check: str
    clock: int
    keys: Mapping[str, str]
    lines: tuple[Line, ...]

    @property
    def uses_http(self) -> bool:
        """Whether any of it went through the HTTP door."""
        return any(line.door == "http" for line in self.lines)


def _unrehearsed(rogue: Rogue) -> set[str]:
    """The rules that a rogue overrides and that a rehearsal cannot show."""
    overridden = {
        name
        for one in rogue.policy.__mro__[: rogue.policy.__mro__.index(Policy)]
        for name in vars(one)
        if hasattr(Policy, name) and not name.startswith("__")
    }
    own_limits = {"row_limit", "largest_limit", "gate_before_limit", "within_depth"}
    return {name for name in overridden - own_limits if _UNREHEARSED.fullmatch(name)}


def shown_in(rogue: Rogue, recordings: Sequence[Recording]) -> list[str]:
    """The checks that may have met what a rogue does and a rehearsal cannot show."""
    rules = _unrehearsed(rogue)
    return [one.check for one in recordings if any(_may_meet(rule, one) for rule in rules)]


def _may_meet(rule: str, recording: Recording) -> bool:
    """Whether a check made the relay ask a rule; of most rules nothing less than a run tells."""
    for pattern, met in _MEETINGS:
        if re.fullmatch(pattern, rule):
            return met(recording)
    return True


def _holds(*beginnings: str, sent: bool = False) -> Callable[[Recording], bool]:
    """Whether a line of a recording, received unless `sent`, begins with one of these."""
    return lambda recording: any(
        line.sent is sent and line.text.startswith(beginnings) for line in recording.lines
    )


def _had_an_authentication_refused(recording: Recording) -> bool:
    found = (_AUTHENTICATION.match(line.text) for line in recording.lines if line.sent)
    return _holds(*(f'["OK","{one.group(1)}",false' for one in found if one))(recording)


def _sent_what_cannot_be_read(recording: Recording) -> bool:
    policy = Policy()
    return any(
        len(line.text) > policy.frame_limit or _parsed(line.text, *_limits(policy)) is None
        for line in recording.lines
        if line.sent and line.door == "ws"
    )


_MEETINGS: Sequence[tuple[str, Callable[[Recording], bool]]] = (
    (r"http_(url|method|payload)_matches|http_time_is_near", _holds("HTTP 401")),
    (r"http_replay_is_refused|http_answers_nobody", _holds("HTTP 401")),
    (r"http_answers_large_body", _holds("HTTP 413")),
    (r"http_answers_bad_json", _holds("HTTP 400")),
    (r"http_receipt", _holds("POST /events", sent=True)),
    (r"http_.*", lambda recording: recording.uses_http),
    (r"survives", _sent_what_cannot_be_read),
    (r"challenge", _had_an_authentication_refused),
)
"""What shows in a transcript when a relay asked a rule that a rehearsal does not ask."""


def rehearse(recordings: Sequence[Recording], url: str, policy: Policy) -> dict[str, str]:
    """A digest of all answers to each check's requests, by check."""
    return asyncio.run(_rehearse(recordings, url, policy))


async def _rehearse(recordings: Sequence[Recording], url: str, policy: Policy) -> dict[str, str]:
    relay = Relay(policy, Store())
    relay.key = SecretKey.derived(_RELAY_KEY, "relay")
    digests = {}
    for recording in recordings:
        stage = _Stage(relay, url, recording)
        digests[recording.check] = stage.play()
        await asyncio.sleep(0)
    relay.close()
    return digests


class _Stage:
    """One check's connections to the relay."""

    def __init__(self, relay: Relay, url: str, recording: Recording) -> None:
        self._relay = relay
        self._url = url
        self._recording = recording
        self._sessions: dict[str, Session] = {}
        self._bridge = Bridge(relay)
        self._digest = hashlib.sha256()

    def play(self) -> str:
        """Feed every line; give the digest of the answers."""
        for line, answer in self._with_answers():
            now = self._recording.clock + int(line.at)
            self._relay.policy.now = lambda now=now: now  # type: ignore[method-assign, misc]
            if not line.sent:
                self._maybe_connect(line)
                continue
            if line.door == "http":
                self._post(line, answer)
            else:
                self._frame(line)
            self._relay.flush()
            self._collect()
        for session in self._sessions.values():
            session.close()
        return self._digest.hexdigest()

    def _with_answers(self) -> Iterable[tuple[Line, str]]:
        """Each line with the next thing its actor received at that door."""
        waiting: dict[tuple[str, str], str] = {}
        paired = []
        for line in reversed(self._recording.lines):
            if not line.sent:
                waiting[(line.who, line.door)] = line.text
            paired.append((line, waiting.get((line.who, line.door), "")))
        return reversed(paired)

    def _maybe_connect(self, line: Line) -> None:
        """A challenge that came marks a new connection of its receiver."""
        if line.door != "ws" or not line.text.startswith('["AUTH"'):
            return
        old = self._sessions.pop(line.who, None)
        if old is not None:
            old.close()
        challenge = orjson.loads(line.text)[1]
        self._sessions[line.who] = Session(self._relay, self._url, Courier(), challenge)

    def _frame(self, line: Line) -> None:
        session = self._sessions.get(line.who)
        if session is None:
            return
        request = _parsed(line.text, *_limits(self._relay.policy))
        try:
            if request is None:
                session.receive(line.text)
            else:
                session.act_on(request)
        except HangUp as end:
            self._digest.update(f"{line.who} is hung up on: {end} {end.last_frame}\n".encode())
            self._sessions.pop(line.who).close()

    def _post(self, line: Line, answer: str) -> None:
        found = _POST.match(line.text)
        if found is None or answer.startswith("HTTP 401"):
            return
        path, headers, text = found.groups()
        pubkey = self._recording.keys.get(line.who)
        if not headers or pubkey is None:
            return
        body = text.encode("utf-8", "surrogatepass")
        if path == "/events":
            self._bridge.events(body, pubkey, self._note)
        elif path == "/query":
            self._note(self._bridge.query(body, pubkey))
        elif path == "/count":
            self._note(self._bridge.count(body, pubkey))

    def _note(self, reply: Reply) -> None:
        self._digest.update(f"{reply.status} {reply.text}\n".encode())

    def _collect(self) -> None:
        for who, session in self._sessions.items():
            for frame in session.take_queued():
                self._digest.update(f"{who} {frame}\n".encode())


def _limits(policy: Policy) -> tuple[int, int]:
    return policy.filters_at_once, policy.longest_subscription_id


@cache
def _parsed(text: str, most_filters: int, longest_id: int) -> Request | None:
    """A frame that can be read, once for all rogues; None where it has to be complained about."""
    try:
        return parse_frame(text, most_filters=most_filters, longest_id=longest_id)
    except Complaint:
        return None
