"""A bench with somebody's reader on it: plays a script, runs the reader, holds what it shows
against the script (docs/reader-contract.md)."""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from nip_ap.clients.launch import Outcome, start
from nip_ap.clients.scripts import Script, Stage, Staged, script_named
from nip_ap.clients.stub import Stub, shared_stub
from nip_ap.model.frame import RECEIVED, SENT
from nip_ap.model.judgement import Broken, Inconclusive
from nip_ap.nostr import DELETION, PERSONA
from nip_ap.wire import Transcript

BUDGET = 32.0
"""Seconds that a reader may take, unless a check says otherwise."""

INCOMPLETE = 3
"""The exit code of a reader that could not read all."""

_CONTROL, _CONTROL_BUDGET = "control", 60.0
"""The script that shows whether a reader shows anything at all."""

_FRAMES_SHOWN = 40
_DRIVES = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that drive a terminal, or turn text around."""


@dataclass(frozen=True)
class Reading:
    """One run of a reader over a script."""

    stage: Stage
    outcome: Outcome
    personas: tuple[dict[str, Any], ...]
    dropped: tuple[Any, ...]
    asked: tuple[dict[str, Any], ...]
    fault: str = ""
    """Why the output is none of the contract; "" where it is."""

    @property
    def script(self) -> Script:
        """What was played."""
        return self.stage.script

    @property
    def filters(self) -> list[dict[str, Any]]:
        """Every filter that the reader asked with."""
        requests = [one["frame"] for one in self.asked if one["frame"][0] in ("REQ", "COUNT")]
        return [one for frame in requests for one in frame[2:] if isinstance(one, dict)]

    # -- claims ----------------------------------------------------------------

    def shows_what_it_should(self, *, may_be_incomplete: bool = False) -> None:
        """Claim: all that the script names is shown, as it is, and nothing that it hides."""
        self.hides_what_it_should()
        if may_be_incomplete and self.outcome.code == INCOMPLETE:
            return
        self.is_readable()
        missing = [one for one in self.stage.shown() if not self._is_shown(one)]
        if missing:
            raise Broken(f"{_names(missing)} to be shown as published", self._told())
        self.shows_nothing_twice()
        if self.outcome.code != 0:
            raise Broken("exit 0: all was read", str(self.outcome))

    def shows_all_that_came(self) -> None:
        """Claim: what came is shown, be it called incomplete or not."""
        self.is_readable()
        missing = [one for one in self.stage.shown() if not self._is_shown(one)]
        if missing or self.outcome.code not in (0, INCOMPLETE):
            raise Broken(f"{_names(self.stage.shown())}, and exit 0 or 3", self._told())

    def is_readable(self) -> None:
        """Claim: the reader ended in time and printed JSON of the contract."""
        if self.outcome.code is None:
            raise Broken("the reader to end in time", str(self.outcome))
        if self.fault:
            raise Broken("the JSON of the contract", f"{self.fault}; {self.outcome}")

    def hides_what_it_should(self) -> None:
        """Claim: nothing is shown that the script hides, and no text said that it forbids."""
        for one in self.stage.hidden():
            if self._gives_away(one):
                raise Broken(f"{_name(one)} not to be shown", self._told())
        for text in self.script.never_says:
            if self.outcome.mentions(text):
                raise Broken(f"no word of {text}", str(self.outcome))

    def shows_nothing_twice(self) -> None:
        """Claim: each persona is shown once."""
        counts = Counter((one["owner"], one["slug"]) for one in self.personas)
        twice = [slug for (_, slug), number in counts.items() if number > 1]
        if twice:
            raise Broken("each persona once", f"{', '.join(twice)} more than once")

    def tells_what_it_dropped(self) -> None:
        """Claim: what the script wants told is in `dropped` or on standard error."""
        for name in self.script.tells:
            if not self.dropped and not self.outcome.err.strip():
                raise Broken(f"a word about {name}, in `dropped` or on standard error", "silence")

    def does_not_pass_for_whole(self) -> None:
        """Claim: a reading that failed does not look like a list without personas."""
        if self.outcome.code is None:
            raise Broken("the reader to end in time", str(self.outcome))
        if self.outcome.code == 0:
            raise Broken("an exit code that is not 0: nothing could be read", self._told())

    def drives_no_terminal(self) -> None:
        """Claim: no control character and no bidi override is in the output as it is."""
        found = _DRIVES.search(self.outcome.out + self.outcome.err)
        if found is not None:
            raise Broken("such characters escaped", f"U+{ord(found[0]):04X} in the output")

    def named_the_author(self) -> None:
        """Claim: each filter for personas names the owner."""
        for one in self._of_personas():
            if one.get("authors") != [self.stage.owner.pubkey]:
                raise Broken("`authors` with the owner alone in each filter", json.dumps(one)[:200])

    def named_the_kind(self) -> None:
        """Claim: no filter asks for everything that an owner ever wrote."""
        for one in self.filters:
            if "ids" not in one and not set(one.get("kinds", ())) & {PERSONA, DELETION}:
                raise Broken("`kinds` in each filter", json.dumps(one)[:200])

    def _of_personas(self) -> list[dict[str, Any]]:
        found = [one for one in self.filters if PERSONA in one.get("kinds", [PERSONA])]
        asked = [one for one in found if "ids" not in one]
        if not asked:
            raise Inconclusive("the reader asked for no personas by WebSocket")
        return asked

    # -- what is shown ---------------------------------------------------------

    def _is_shown(self, one: Staged) -> bool:
        """Whether it is shown as it is. A display name may be written harmlessly in its own way."""
        prompt = one.body.get("system_prompt")
        plain = not _DRIVES.search(one.display_name or "")
        return any(
            shown["slug"] == one.slug
            and shown["owner"] == one.owner
            and (shown["display_name"] == one.display_name or not plain)
            and (shown.get("system_prompt") or None) == (prompt or None)
            for shown in self.personas
        )

    def _gives_away(self, one: Staged) -> bool:
        if one.display_name is None:
            return any(shown["slug"] == one.slug for shown in self.personas)
        return any(shown["display_name"] == one.display_name for shown in self.personas)

    def _told(self) -> str:
        names = [f"{one['slug']}: {one['display_name']}" for one in self.personas[:8]]
        more = f" and {len(self.personas) - 8} more" if self.personas[8:] else ""
        return f"shown: {', '.join(names) or 'nothing'}{more}; {self.outcome}"


@dataclass(frozen=True)
class ReaderBench:
    """What a check has of a reader. `many` scales scripts of many personas; 0 leaves them."""

    template: str
    subject: str
    seed: str
    now: int
    folder: Path
    stub: Stub
    transcript: Transcript
    many: int = 0

    def reads(self, name: str, *, budget: float = BUDGET, many: int = 0) -> Reading:
        """Play a script and run the reader over it, to its end."""
        script = script_named(name)
        stage = Stage(script, self.seed, self.now, many=many)
        url = self.stub.plays(stage.served(), script.relay)
        outcome = start(self.template, self._places(stage, url, budget), budget=budget).end()
        asked = tuple(self.stub.was_asked())
        self._record(stage, outcome, asked)
        return reading_of(stage, outcome, asked)

    def reads_many(self, name: str, *, budget: float) -> Reading:
        """As `reads`, with as many personas as the run wants."""
        return self.reads(name, budget=budget, many=self.many)

    def _places(self, stage: Stage, url: str, budget: float) -> dict[str, str]:
        key_file = self.folder / "reader.key"
        key_file.touch(mode=0o600)
        key_file.write_text(stage.reader.secret_hex() + "\n", encoding="utf-8")
        return {
            "relay": url,
            "owner": stage.owner.pubkey,
            "slug": stage.script.slug,
            "key": str(key_file),
            "budget": f"{budget:g}",
            "subject": self.subject,
        }

    def _record(self, stage: Stage, outcome: Outcome, asked: Sequence[dict[str, Any]]) -> None:
        served = list(stage.events.values())
        for one in served[:_FRAMES_SHOWN]:
            text = f"{one.name}: {one.text}"[:2000]
            self.transcript.record("reader", "ws", RECEIVED, text)
        for entry in asked[:_FRAMES_SHOWN]:
            self.transcript.record("reader", "ws", SENT, json.dumps(entry["frame"])[:2000])
        self.transcript.note(f"the reader: {outcome}; it printed {outcome.out[:2000]}")


def reading_of(stage: Stage, outcome: Outcome, asked: tuple[dict[str, Any], ...]) -> Reading:
    """What a reader printed over a stage, as a reading."""
    try:
        personas, dropped = _parsed(outcome.out)
    except ValueError as error:
        return Reading(stage, outcome, (), (), asked, str(error))
    return Reading(stage, outcome, personas, dropped, asked)


def _parsed(out: str) -> tuple[tuple[dict[str, Any], ...], tuple[Any, ...]]:
    """The personas of an output, and what it says it dropped. Raises ValueError."""
    value = json.loads(out)
    if isinstance(value, list):
        value = {"personas": value}
    personas = value.get("personas") if isinstance(value, dict) else None
    dropped = value.get("dropped") or [] if isinstance(value, dict) else []
    if not isinstance(personas, list) or not isinstance(dropped, list):
        raise ValueError("neither a list of personas nor an object with one in `personas`")
    for one in personas:
        names = ("owner", "slug", "display_name")
        if not isinstance(one, dict) or not all(isinstance(one.get(name), str) for name in names):
            raise ValueError(f"a persona without owner, slug and display_name: {str(one)[:120]}")
    return tuple(personas), tuple(dropped)


def _name(one: Staged) -> str:
    return repr(one.display_name) if one.display_name is not None else f"slug {one.slug!r}"


def _names(some: Sequence[Staged]) -> str:
    shown = ", ".join(map(_name, some[:5]))
    return f"{shown} and {len(some) - 5} more" if some[5:] else shown


@cache
def fault_of(template: str, subject: str) -> str:
    """Why a reader does not even show a plain persona; "" where it does. Once per process."""
    with tempfile.TemporaryDirectory(prefix="nip-ap-reader-") as folder:
        now = int(time.time())
        stub = shared_stub()
        bench = ReaderBench(template, subject, "control", now, Path(folder), stub, Transcript())
        try:
            bench.reads(_CONTROL, budget=_CONTROL_BUDGET).shows_what_it_should()
        except Broken as error:
            return str(error)
    return ""
