"""A device with somebody's migrator on it: base directory, key file, and what its runs did."""

from __future__ import annotations

import contextlib
import copy
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from nip_ap.clients.launch import Outcome, Running, start
from nip_ap.clients.stub import Stub, shared_stub
from nip_ap.model.frame import SENT
from nip_ap.model.judgement import Broken, Inconclusive
from nip_ap.nostr import PERSONA, Event, SecretKey
from nip_ap.resources import data
from nip_ap.wire import Transcript
from nip_ap_client.mapping import CONTENT_ORDER
from nip_ap_client.records import FILE_NAME

Record = dict[str, Any]

BUDGET = 30.0
"""Seconds that one run may take, unless a check says otherwise."""

_FRAMES_SHOWN = 60


@dataclass
class Device:
    """One installation of a client. `template` is the command of --migrator."""

    name: str
    base: Path
    key: SecretKey
    key_file: Path
    template: str
    subject: str
    stub: Stub
    transcript: Transcript
    records: list[Record] = field(default_factory=list)
    _logged: int = 0

    # -- the client's file -----------------------------------------------------

    @property
    def file(self) -> Path:
        """personas.json."""
        return self.base / FILE_NAME

    @property
    def store_file(self) -> Path:
        """What {store} stands for."""
        return self.base / "store.db"

    def has(self, records: Sequence[Record]) -> None:
        """Write the client's file, as the client does: pretty-printed, moved into place."""
        self.records = copy.deepcopy(list(records))
        self.writes(orjson.dumps(self.records, option=orjson.OPT_INDENT_2))

    def writes(self, data: bytes) -> None:
        """Write the file's bytes."""
        beside = self.file.with_suffix(".json.tmp")
        beside.write_bytes(data)
        beside.replace(self.file)

    def edits(self, identifier: str, **fields: Any) -> None:
        """Change one record in the file."""
        self.has([one | fields if one["id"] == identifier else one for one in self.records])

    def adds(self, record: Record) -> None:
        """Append a record."""
        self.has([*self.records, record])

    def removes(self, identifier: str) -> None:
        """Take a record out."""
        self.has([one for one in self.records if one["id"] != identifier])

    def has_family(self, family: Mapping[str, Sequence[Record]]) -> None:
        """Write the files that lie beside it: teams.json and managed-agents.json."""
        for name, records in family.items():
            path = self.base / f"{name}.json"
            beside = path.with_suffix(".json.tmp")
            beside.write_bytes(orjson.dumps(list(records), option=orjson.OPT_INDENT_2))
            beside.replace(path)

    def gets_key(self) -> None:
        """Write the key file, which nobody else may read."""
        self.key_file.touch(mode=0o600)
        self.key_file.write_text(self.key.secret_hex() + "\n", encoding="utf-8")

    # -- runs ------------------------------------------------------------------

    def starts(self, *, budget: float = BUDGET, task: str = "migrate") -> Running:
        """Start the migrator, or the client with another task of the contract."""
        places = {
            "base": str(self.base),
            "relay": self.stub.url,
            "key": str(self.key_file),
            "store": str(self.store_file),
            "budget": f"{budget:g}",
            "task": task,
            "subject": self.subject,
        }
        return start(self.template, places, budget=budget)

    def runs(self, *, budget: float = BUDGET, task: str = "migrate") -> Outcome:
        """Run the migrator to its end. Raises Broken where it does not end in time."""
        outcome = self.starts(budget=budget, task=task).end()
        self.recorded(outcome)
        if outcome.code is None:
            raise Broken(f"the migrator to end within {budget:g} s", str(outcome))
        return outcome

    def crashes_before_an_answer(self) -> Outcome:
        """Run the migrator, and kill it once it has sent an event that nobody answers."""
        self.stub.order(silent=True)
        running = self.starts()
        self.stub.waits_for_events(len(self.stub.heard()) + 1)
        outcome = self.recorded(running.killed())
        self.stub.order(silent=False)
        return outcome

    def recorded(self, outcome: Outcome) -> Outcome:
        """Put what the run sent into the check's transcript."""
        entries = self.stub.log(self._logged)
        self._logged += len(entries)
        for entry in entries[:_FRAMES_SHOWN]:
            self.transcript.record(self.name, entry["door"], SENT, entry["text"][:2000])
        if len(entries) > _FRAMES_SHOWN:
            self.transcript.note(f"... and {len(entries) - _FRAMES_SHOWN} more frames")
        self.transcript.note(f"{self.name}: {outcome}")
        return outcome

    def heads(self, kind: int = PERSONA) -> dict[str, Event]:
        """The owner's heads at the stub, of one kind."""
        return self.stub.heads(self.key, kind)

    def moves_to(self, stub: Stub) -> Device:
        """The same installation, with another relay as that of its owner's community."""
        return replace(self, stub=stub, _logged=len(stub.log()))

    # -- what checks build on --------------------------------------------------

    def migrates(self, records: Sequence[Record]) -> dict[str, Event]:
        """A first run that has to work. Raises Inconclusive where it does not; gives the heads."""
        self.has(records)
        outcome = self.runs()
        heads = self.heads()
        wanted = published_of(records)
        if len(heads) < len(wanted):
            raise Inconclusive(
                f"the first run published {len(heads)} of {len(wanted)} personas, so that "
                f"nothing can be said of later ones (AP-MIG-01): {outcome}"
            )
        return heads

    def head_of(self, record: Record) -> Event:
        """The head that holds a record, by its display name. Raises Inconclusive."""
        for event in self.heads().values():
            if body_of(event).get("display_name") == record["display_name"]:
                return event
        raise Inconclusive(f"no head has the display name {record['display_name']!r}")

    def slug_of(self, record: Record) -> str:
        """The slug under which a record was published."""
        return self.head_of(record).slug

    @contextlib.contextmanager
    def publishes_nothing_new(self, *, after: str = "") -> Iterator[None]:
        """Claim: no id comes up in the block that was not on the wire before."""
        before = self.stub.ids()
        if not before:
            raise Inconclusive("no persona was on the wire before, so silence proves nothing")
        yield
        fresh = [one for one in self.stub.ids() if one not in before]
        if fresh:
            raise Broken(f"no new id{after}", f"{len(fresh)} new id(s): {_short(fresh)}")

    def publishes_only(self, number: int, slug: str) -> Callable[[], list[str]]:
        """Claim, to be closed by calling it: exactly so many new ids, all of one slug."""
        before = set(self.stub.ids())

        def closed() -> list[str]:
            fresh = [one for one in self.stub.ids() if one not in before]
            own = [one for one in self.stub.ids(slug) if one not in before]
            if len(fresh) != number or fresh != own:
                raise Broken(
                    f"{number} new id(s), for {slug} alone",
                    f"{len(own)} for it and {len(fresh) - len(own)} for others: {_short(fresh)}",
                )
            return own

        return closed


def published_of(records: Sequence[Record]) -> list[Record]:
    """The records that are to be published: all but the built-in ones."""
    return [one for one in records if not one.get("is_builtin")]


def body_of(event: Event) -> dict[str, Any]:
    """The content as an object; empty where it is none."""
    try:
        body = orjson.loads(event.content)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def fields_of(source: Mapping[str, Any]) -> dict[str, Any]:
    """The mapped fields of a record or a body, absent and empty ones left out."""
    return {name: source[name] for name in CONTENT_ORDER if source.get(name) not in (None, [])}


@dataclass(frozen=True)
class Works:
    """Whether a migrator works at all; found out once per process."""

    does: bool
    why: str


@cache
def works(template: str, subject: str) -> Works:
    """Whether a migrator publishes two plain personas to a healthy relay: a control for checks
    that begin with trouble, where nothing published would otherwise look like the fault."""
    with _control(template, subject) as device:
        device.has(_TWO_PLAIN)
        outcome = device.runs()
        found = len(device.heads())
    return Works(found == 2, f"{found} of 2 plain personas were published: {outcome}")


@cache
def deletes(template: str, subject: str) -> bool:
    """Whether a migrator deletes from the relay what leaves its file: no text makes it."""
    with _control(template, subject) as device:
        device.has(_TWO_PLAIN)
        device.runs()
        device.removes(_TWO_PLAIN[0]["id"])
        device.runs()
        return len(device.heads()) == 1


@cache
def publishes(template: str, subject: str) -> frozenset[int]:
    """The kinds that a migrator publishes of one persona, one shared team and one agent."""
    with _control(template, subject) as device:
        device.has(_TWO_PLAIN)
        device.has_family(data("family/records"))
        device.runs()
        return frozenset(one.kind for one in device.stub.heard() if isinstance(one.kind, int))


_PLAIN = {"system_prompt": "Hello.", "is_builtin": False, "is_active": True}
_DATES = dict.fromkeys(("created_at", "updated_at"), "2025-01-01T00:00:00+00:00")
_TWO_PLAIN: list[Record] = [
    {"id": f"plain-{n}", "display_name": f"Plain {n}", **_PLAIN, **_DATES} for n in (1, 2)
]


@contextlib.contextmanager
def _control(template: str, subject: str) -> Iterator[Device]:
    """A device of its own on a healthy relay, for what has to be known of a migrator first."""
    stub = shared_stub()
    stub.reset()
    with tempfile.TemporaryDirectory(prefix="nip-ap-works-") as folder:
        base = Path(folder) / "agents"
        base.mkdir()
        key_file = Path(folder) / "key"
        key = SecretKey.fresh()
        device = Device("control", base, key, key_file, template, subject, stub, Transcript())
        device.gets_key()
        yield device
    stub.reset()


def _short(ids: Sequence[str]) -> str:
    shown = ", ".join(one[:8] for one in ids[:8])
    return shown if len(ids) <= 8 else f"{shown} and {len(ids) - 8} more"
