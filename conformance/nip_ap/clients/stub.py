"""The suite's end of the stub relay: a bundled relay whose faults only this process can order."""

from __future__ import annotations

import atexit
import secrets
import socket
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from nip_ap.model.judgement import Inconclusive
from nip_ap.nostr import PERSONA, Event, MalformedEvent, SecretKey
from nip_ap.targets import BundledTarget, TargetError

SOCKET, TOKEN = "NIP_AP_RELAY_CONTROL", "NIP_AP_RELAY_TOKEN"
"""Environment variables that open the relay's control door (nip_ap_relay.stub.control)."""


@dataclass(frozen=True)
class Heard:
    """One EVENT that the stub received, and on which connection. `event` may be wrong in itself."""

    event: dict[str, Any]
    connection: int
    pubkey: str
    at: float

    @property
    def kind(self) -> Any:
        """The kind, whatever was sent as such."""
        return self.event.get("kind")

    @property
    def slugs(self) -> list[str]:
        """The values of its `d` tags."""
        return [str(tag[1]) for tag in self.event.get("tags", []) if tag[0] == "d" and tag[1:]]


class Stub:
    """One stub relay of this process; each check takes it over empty and well behaved."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="nip-ap-stub-")
        path = str(Path(self._folder.name) / "control")
        self._token = secrets.token_hex(16)
        self._target = BundledTarget(environment={SOCKET: path, TOKEN: self._token})
        try:
            self._target.start()
        except TargetError as error:
            raise Inconclusive(f"the stub relay did not start: {error}") from None
        self._door = socket.socket(socket.AF_UNIX)
        self._door.connect(path)
        self._answers = self._door.makefile("rb")
        self.url = self._target.url

    def close(self) -> None:
        """End the relay."""
        self._door.close()
        self._target.stop()
        self._folder.cleanup()

    def ask(self, act: str, **details: Any) -> Any:
        """One request at the control door."""
        self._door.sendall(orjson.dumps({"token": self._token, "do": act, **details}) + b"\n")
        reply = orjson.loads(self._answers.readline() or b'{"error": "the stub is gone"}')
        if "error" in reply:
            raise Inconclusive(f"the stub relay did not obey: {reply['error']}")
        return reply["answer"]

    # -- orders ----------------------------------------------------------------

    def reset(self) -> None:
        """Empty, and well behaved."""
        self.ask("reset")

    def order(self, **orders: Any) -> None:
        """What to do wrong from now on; see nip_ap_relay.stub.faults.Orders."""
        self.ask("order", **orders)

    def goes_down(self) -> None:
        """Close the port."""
        self.ask("down")

    def comes_up(self) -> None:
        """Open it again."""
        self.ask("up")

    def forgets(self) -> None:
        """Lose every event, and remember what came."""
        self.ask("forget")

    def release(self) -> None:
        """Give the answers that were held back."""
        self.ask("release")

    def put(self, event: Event) -> Event:
        """Store an event as if another device had sent it."""
        if not self.ask("put", event=event.to_json()):
            raise Inconclusive("the stub relay did not take an event that the check builds on")
        return event

    def put_forged(self, event: Event) -> Event:
        """Store an event whatever its id and signature are worth."""
        self.order(trusting=True)
        self.put(event)
        self.order(trusting=False)
        return event

    def plays(
        self, events: Iterable[Mapping[str, Any]], manner: Mapping[str, Any], *, port: int = 0
    ) -> str:
        """Begin a script (nip_ap_relay.stub.script); gives the URL at which it is played."""
        url: str = self.ask("play", events=list(events), manner=dict(manner), port=port)
        return url

    def was_asked(self) -> list[dict[str, Any]]:
        """Every frame that came since the script began."""
        found: list[dict[str, Any]] = self.ask("asked")
        return found

    # -- what happened ---------------------------------------------------------

    def waits_for_events(self, number: int, limit: float = 15.0) -> None:
        """Wait until that many EVENTs came. Raises Inconclusive."""
        if not self.ask("wait", events=number, limit=limit):
            raise Inconclusive(f"the migrator sent no {number} EVENT(s) within {limit:g} s")

    def log(self, since: int = 0) -> list[dict[str, Any]]:
        """Every frame and request that came in."""
        found: list[dict[str, Any]] = self.ask("log", since=since)
        return found

    def heard(self, since: int = 0) -> list[Heard]:
        """Every EVENT that came in, good or bad."""
        heard = []
        for entry in self.log(since):
            if not entry["text"].startswith('["EVENT"'):
                continue
            try:
                event = orjson.loads(entry["text"])[1]
            except (orjson.JSONDecodeError, IndexError):
                continue
            heard.append(
                Heard(event, entry["connection"], entry.get("pubkey", ""), float(entry["at"]))
            )
        return heard

    def ids(self, slug: str | None = None, since: int = 0) -> list[str]:
        """The ids of personas that came in, each once, in order of arrival."""
        found = [
            one.event.get("id", "")
            for one in self.heard(since)
            if one.kind == PERSONA and (slug is None or slug in one.slugs)
        ]
        return list(dict.fromkeys(found))

    def stored(self) -> list[Event]:
        """Everything of the agent family that is live, and every deletion request."""
        found = []
        for value in self.ask("heads"):
            try:
                found.append(Event.from_json(value))
            except MalformedEvent:
                continue
        return found

    def heads(self, owner: SecretKey, kind: int = PERSONA) -> dict[str, Event]:
        """What an owner has of a kind, by `d`."""
        return {
            event.slug: event
            for event in self.stored()
            if event.kind == kind and event.pubkey == owner.pubkey
        }


@cache
def shared_stub() -> Stub:
    """The stub of this process, started when a check first needs it."""
    stub = Stub()
    atexit.register(stub.close)
    return stub


@cache
def another_stub() -> Stub:
    """A second stub of this process: the relay of another community."""
    stub = Stub()
    atexit.register(stub.close)
    return stub


def texts_of(entries: Iterable[dict[str, Any]]) -> str:
    """Frames, headers and bodies as one text, to search for what must not be there."""
    lines = []
    for entry in entries:
        lines += [entry["text"], *(f"{name}: {value}" for name, value in entry["headers"].items())]
    return "\n".join(lines)
