"""Playing recorded requests to a relay in this process, to see where a rogue answers otherwise.

The proof runs each check on each rogue. Most pairs are pointless: a rogue that cuts slugs at 63
characters answers a check about deletion exactly as the reference does, and a check that gets the
same answers gives the same verdict. A rehearsal finds these pairs. It feeds the requests that a
check sent to the reference relay to both relays, in memory, and compares every answer; the pairs
that differ are then run for real.

It holds for relays that answer by what they were asked and when. What a rogue does in timing, in
how answers travel, or in what is not in a transcript (HTTP credentials) cannot be rehearsed; each
seam says that of itself (rehearsable.py), and which checks can have met it.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

import orjson

from nip_ap.nostr import SecretKey
from nip_ap_relay.bridge import Bridge, Reply
from nip_ap_relay.couriers import Courier, HangUp
from nip_ap_relay.policy import Policy
from nip_ap_relay.recording import Line, Recording, Where, anywhere, readable, received
from nip_ap_relay.rehearsable import where_only_a_run_shows
from nip_ap_relay.relay import Relay
from nip_ap_relay.rogues import RelayRogue
from nip_ap_relay.session import Session
from nip_ap_relay.store import Store

_RELAY_KEY = "rehearsal"
_MET: Mapping[str, Where] = {
    # What is forgotten too soon shows where an authorization comes again, which is refused.
    "authorizations_remembered": received("HTTP 401"),
}
"""Where a limit can have been met that no answer in memory shows; others, anywhere."""
_POST = re.compile(r"POST (\S+)((?: \[[^\]]+\])*) (.*)\Z", re.DOTALL)


def beyond_rehearsal(rogue: RelayRogue) -> list[Where]:
    """Where a conversation met what a rogue does and a rehearsal cannot show."""
    overridden = {
        name
        for one in rogue.policy.__mro__[: rogue.policy.__mro__.index(Policy)]
        for name in vars(one)
    }
    found = [_MET.get(name, anywhere) for name in overridden & Policy.only_a_run_shows]
    seams = (where_only_a_run_shows(getattr(Policy, name, None)) for name in overridden)
    return found + [where for where in seams if where is not None]


def shown_in(rogue: RelayRogue, recordings: Sequence[Recording]) -> list[str]:
    """The checks that may have met what a rogue does and a rehearsal cannot show."""
    places = beyond_rehearsal(rogue)
    return [one.check for one in recordings if any(where(one) for where in places)]


def rehearse(recordings: Sequence[Recording], policy: Policy) -> dict[str, str]:
    """A digest of all answers to each check's requests, by check."""
    return asyncio.run(_rehearse(recordings, policy))


async def _rehearse(recordings: Sequence[Recording], policy: Policy) -> dict[str, str]:
    relay = Relay(policy, Store())
    relay.key = SecretKey.derived(_RELAY_KEY, "relay")
    digests = {}
    for recording in recordings:
        stage = _Stage(relay, recording)
        digests[recording.check] = stage.play()
        await asyncio.sleep(0)
    relay.close()
    return digests


class _Stage:
    """One check's connections to the relay."""

    def __init__(self, relay: Relay, recording: Recording) -> None:
        self._relay = relay
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
        self._sessions[line.who] = Session(self._relay, self._recording.url, Courier(), challenge)

    def _frame(self, line: Line) -> None:
        session = self._sessions.get(line.who)
        if session is None:
            return
        request = readable(line.text, *_limits(self._relay.policy))
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
