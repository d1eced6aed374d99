"""Scripts for apps without a command: one is played, and a person says what the app shows.

What a machine can tell is not asked: whether the app asked the relay at all, and how. What a person
says of an app that never asked is worth nothing, and such a check is inconclusive.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nip_ap.clients.launch import Outcome
from nip_ap.clients.reading import reading_of
from nip_ap.clients.scripts import Script, Stage, script_named, script_names, scripts_of
from nip_ap.clients.stub import Stub
from nip_ap.engine.declarations import declarations
from nip_ap.model.capabilities import Capabilities
from nip_ap.model.check_id import CheckId
from nip_ap.model.clauses import NOVEMBER, READER, register
from nip_ap.model.faults import UsageFault
from nip_ap.model.frame import NOTE, RECEIVED, SENT, Frame
from nip_ap.model.judgement import Broken, Inconclusive
from nip_ap.model.report import Report, TargetName
from nip_ap.model.result import Result, level_of
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Subject
from nip_ap.model.verdict import Verdict
from nip_ap.nostr.bech32 import NPUB, encoded
from nip_ap.reporting import report_of

YES, NO, SKIP = "yes", "no", "skip"
ANSWERS = (YES, NO, SKIP)

WITNESSED = "witnessed by a person"

_FRAMES = 40
_SHOWN = 2000
_NO_OUTPUT = Outcome(0, "", "", 0.0)


class NoSuchScript(UsageFault, ValueError):
    """A name that no script and no clause of a reader has."""


class AnswersFault(UsageFault, ValueError):
    """A file of answers that cannot be used; the message says why."""


@dataclass(frozen=True)
class Answer:
    """What a person said, and a remark on it."""

    word: str
    note: str = ""


@dataclass(frozen=True)
class Played:
    """One script that was played to an app."""

    stage: Stage
    answer: Answer
    asked: tuple[dict[str, Any], ...]
    seconds: float

    @property
    def script(self) -> Script:
        """The script."""
        return self.stage.script


def chosen(names: Sequence[str]) -> list[Script]:
    """The scripts of clauses (READER-07, AP-WRITER-11) or of names; all of them for none.

    Raises NoSuchScript.
    """
    if not names:
        clauses = [clause.id for clause in register() if clause.role == READER]
        return [script_named(one) for clause in clauses for one in scripts_of(clause)]
    return [script for name in names for script in _meant(name)]


def _meant(name: str) -> list[Script]:
    clause = name.upper() if name.upper().startswith("AP-") else f"AP-{name.upper()}"
    found = scripts_of(clause) or [one for one in script_names() if one == name]
    if not found:
        raise NoSuchScript(
            f"there is no script {name!r}: a clause such as READER-07, or one of "
            f"{', '.join(script_names())}"
        )
    return [script_named(one) for one in found]


def read_answers(path: Path) -> dict[str, Answer]:
    """A JSON object of answers by the name of the script: "yes", "no", "skip", or an object with
    `answer` and `note`. Raises AnswersFault."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AnswersFault(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(given, dict):
        raise AnswersFault(f'{path} must hold an object such as {{"stranger": "yes"}}')
    return {name: _answer(path, name, value) for name, value in given.items()}


def _answer(path: Path, name: str, value: object) -> Answer:
    if name not in script_names():
        raise AnswersFault(f"{path} answers for {name!r}, and there is no such script")
    word, note = (
        (value.get("answer"), value.get("note", "")) if isinstance(value, dict) else (value, "")
    )
    if word not in ANSWERS or not isinstance(note, str):
        raise AnswersFault(f"{path}: the answer for {name} must be one of {', '.join(ANSWERS)}")
    return Answer(str(word), note)


# -- playing ---------------------------------------------------------------------------


def play(
    script: Script, stub: Stub, seed: str, port: int, ask: Callable[[Stage, str], Answer]
) -> Played:
    """Serve a script, and take what `ask` gives for the stage and the relay's URL.

    Each script has an owner of its own: apps remember what they have seen.
    """
    began = time.monotonic()
    stage = Stage(script, f"{seed} {script.name}", int(time.time()))
    url = stub.plays(stage.served(), script.relay, port=port)
    answer = ask(stage, url)
    return Played(stage, answer, tuple(stub.was_asked()), time.monotonic() - began)


def npub(stage: Stage) -> str:
    """Whose personas a person has to look at."""
    return encoded(NPUB, bytes.fromhex(stage.owner.pubkey))


# -- judging ---------------------------------------------------------------------------


def result_of(played: Played) -> Result:
    """What one script came to."""
    verdict, reason, seen = _judged(played)
    known = register()
    clause = played.script.clause
    level = level_of([clause], known, NOVEMBER)
    if verdict is Verdict.FAIL and level != "MUST":
        verdict = Verdict.WARN
    return Result(
        check=str(check_of(played.script)),
        clauses=(clause,),
        verdict=verdict,
        level=level,
        sentence=played.script.title,
        reason=reason,
        expected=played.script.sees if seen else "",
        seen=seen,
        notes=(WITNESSED, *([played.answer.note] if played.answer.note else [])),
        seconds=played.seconds,
        frames=tuple(_frames(played)),
        beyond=WITNESSED,
    )


def _judged(played: Played) -> tuple[Verdict, str, str]:
    """The verdict, the reason where there is none, and what was seen where it is broken."""
    if played.answer.word == SKIP:
        return Verdict.INCONCLUSIVE, "nobody said what the app shows", ""
    if not any(one["frame"][0] == "REQ" for one in played.asked):
        return Verdict.INCONCLUSIVE, "the app never asked this relay for anything", ""
    if played.answer.word == NO:
        return Verdict.FAIL, "", f"something else, says a person. {played.answer.note}".strip()
    try:
        reading_of(played.stage, _NO_OUTPUT, played.asked).named_the_author()
    except Broken as error:
        if played.script.clause == "AP-WRITER-15":
            return Verdict.FAIL, "", str(error)
    except Inconclusive as error:
        return Verdict.INCONCLUSIVE, str(error), ""
    return Verdict.PASS, "", ""


def check_of(script: Script) -> CheckId:
    """The check that plays the script where there is a command."""
    declared = next(one for one in declarations() if script.clause in one.clauses)
    several = len(scripts_of(script.clause)) > 1
    return CheckId.of(script.clause, declared.function, script.name if several else "")


def _frames(played: Played) -> Iterable[Frame]:
    for one in list(played.stage.events.values())[:_FRAMES]:
        yield Frame(0.0, "app", "ws", RECEIVED, f"{one.name}: {one.text}"[:_SHOWN], 1)
    for entry in played.asked[:_FRAMES]:
        text = json.dumps(entry["frame"])[:_SHOWN]
        yield Frame(0.0, "app", "ws", SENT, text, entry["connection"])
    said = f"{WITNESSED}: {played.answer.word} {played.answer.note}".strip()
    yield Frame(round(played.seconds, 3), "suite", "", NOTE, said)


def report_on(app: str, seed: str, played: Sequence[Played], started: float) -> tuple[Run, Report]:
    """The run and the report of all that was played to an app."""
    results = tuple(result_of(one) for one in played)
    every = {str(check_of(script)) for script in chosen(())}
    capabilities = Capabilities({}, NOVEMBER, "scripts for readers are of the newest revision")
    run = Run(
        Subject("", "ws://127.0.0.1", capabilities),
        Settings(seed=seed, reader=app),
        tuple(one.check for one in results),
        results,
        left_out=len(every - {one.check for one in results}),
    )
    report = report_of(
        run,
        register(),
        started=started,
        seconds=time.time() - started,
        target=TargetName("url", (app,)),
        workers=1,
    )
    return run, report


# -- the page --------------------------------------------------------------------------


def page() -> str:
    """docs/reader-scripts.md."""
    lines = [_PAGE_HEAD]
    for clause, scripts in _by_clause().items():
        entry = register()[clause]
        lines += [f"## {clause}: {entry.title}", "", f"{entry.level}. {entry.text}", ""]
        lines += ["| script | what is served | what a person sees |", "| --- | --- | --- |"]
        lines += [f"| `{one.name}` | {_cell(one.title)} | {_cell(one.sees)} |" for one in scripts]
        lines.append("")
    return "\n".join(lines)


def _by_clause() -> Mapping[str, list[Script]]:
    found: dict[str, list[Script]] = {}
    for script in chosen(()):
        found.setdefault(script.clause, []).append(script)
    return found


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


_PAGE_HEAD = """# Scripts for a person

<!-- made by `nip-ap play --page docs/reader-scripts.md` from the register and fixtures/reader/ -->

An app that has no command is tested by a person. `nip-ap play READER-06` serves the scripts of a
clause on a port, one after another: point the app at the relay that is printed, look at the
personas of the owner that is printed, and say whether you see what the sentence says.

    nip-ap play READER-06 --app 'Some App 1.2' --out report
    nip-ap play --app 'Some App 1.2' --out report          # all of them
    nip-ap play READER-06 --answers answers.json --app 'Some App 1.2'

Each script has an owner of its own, since apps remember what they have seen; each is played on the
same port. Where an app has to log in, the script says so, and the file with the key is named.
A file of answers is an object: `{"stranger": "yes", "deleted": {"answer": "no", "note": "there"}}`;
the next script comes when the app has asked for this one (at most `--wait` seconds).

In the report each check is marked as witnessed by a person. What an app never asked for is
inconclusive, whatever is said of it. Such a run is never certified.
"""
