"""The run of the reference relay: made once for a version of the suite, kept, and rehearsed from.

A proof compares every rogue with it. It depends on the relay's code without its rogues, on the
suite's code and on the fixtures - that is the version - and on the scenario file of a check. So a
changed scenario file costs the checks of that file, and a new rogue costs none.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import nip_ap
import nip_ap_relay
from nip_ap.model.frame import NOTE, SENT
from nip_ap.model.result import Result
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.verdict import RunVerdict
from nip_ap.proof.cache import Cache, digest, digest_of_files
from nip_ap.proof.gallery import REFERENCE, Gallery
from nip_ap.proof.role import ProofBroken
from nip_ap.proof.session import files_of_checks, run_checks
from nip_ap.resources import resource
from nip_ap_relay.recording import Line, Recording

_INTRODUCED = re.compile(r"(.+) has the key ([0-9a-f]{64})\Z")
_CLOCK = re.compile(r"clock reads (\d+)")
_OUTCOME = "signatures.json"
"""What a proof writes among the fixtures, for reports to read."""
_NOT_OF_A_RUN = ("cli.py", "run_command.py", "proof", "reporting", "certificate", "__pycache__")
"""What of the suite has no part in what a check sends."""


@dataclass(frozen=True)
class Reference:
    """The reference relay's run, with a recording of each check, and a name for all of it."""

    run: Run
    recordings: tuple[Recording, ...]
    name: str


def version_of_the_suite(settings: Settings) -> str:
    """A name for all that the recordings of every scenario file depend on."""
    relay = Path(nip_ap_relay.__file__).parent
    suite = Path(nip_ap.__file__).parent
    scenarios = resource("scenarios")
    files = [
        *_source(relay, but=("rogues", "__pycache__")),
        *_source(suite, but=_NOT_OF_A_RUN),
        *(one for one in scenarios.rglob("*.py") if not one.name.startswith("test_")),
        *(one for one in resource("fixtures").rglob("*") if one.is_file() and one.name != _OUTCOME),
    ]
    return digest(digest_of_files(files), sys.version, repr(sorted(asdict(settings).items())))


def reference_run(
    gallery: Gallery,
    files: Sequence[Path],
    workers: int,
    cache: Cache,
    on_result: Callable[[Result, int], None] | None,
) -> Reference:
    """The run of the reference relay, as far as it is kept, and made where it is not.

    Raises ProofBroken where the reference does not conform.
    """
    names = {file: f"{file.stem}-{digest_of_files([file])}" for file in files}
    kept = {file: cache.read(name) for file, name in names.items()}
    subject = gallery.subject(REFERENCE)
    missing = [file for file, entry in kept.items() if entry is None]
    if missing:
        (run,) = run_checks(gallery.settings, [subject], missing, workers, on_result)
        if run.verdict is not RunVerdict.CONFORMANT:
            raise ProofBroken(f"the reference relay itself is {run.verdict}: {run.why}")
        for file, entry in _by_file(run).items():
            kept[file] = entry
            cache.write(names[file], entry)
    found = [_restored(entry) for entry in kept.values() if entry is not None]
    results = tuple(result for part, _ in found for result in part)
    manifest = tuple(result.check for result in results)
    recordings = tuple(_recording(one, url) for part, url in found for one in part)
    whole = Run(subject, gallery.settings, manifest, results)
    return Reference(whole, recordings, digest(*names.values()))


def _by_file(run: Run) -> dict[Path, dict[str, Any]]:
    found: dict[Path, dict[str, Any]] = {}
    for result in run.results:
        (file,) = files_of_checks([result.check])
        entry = found.setdefault(file, {"url": run.subject.url, "results": []})
        entry["results"].append(result.to_json())
    return found


def _restored(entry: dict[str, Any]) -> tuple[list[Result], str]:
    return [Result.from_json(one) for one in entry["results"]], str(entry["url"])


def recordings_of(run: Run) -> list[Recording]:
    """What each check of a run sent, for rehearsals."""
    return [_recording(result, run.subject.url) for result in run.results]


def _recording(result: Result, url: str) -> Recording:
    keys, lines, notes, clock = {}, [], [], 0
    for frame in result.frames:
        if frame.direction == NOTE:
            notes.append(frame.text)
            introduced = _INTRODUCED.match(frame.text)
            if introduced:
                keys[introduced.group(1)] = introduced.group(2)
            read = _CLOCK.match(frame.text)
            clock = int(read.group(1)) if read else clock
        else:
            sent = frame.direction == SENT
            lines.append(Line(frame.at, frame.who, frame.door, sent, frame.text))
    return Recording(result.check, url, clock, keys, tuple(lines), tuple(notes))


def completed(run: Run, reference: Run) -> Run:
    """A rogue's run, with the reference's results for the checks that it answers alike."""
    ran = {result.check for result in run.results}
    same = tuple(
        replace(result, subject=run.subject.name)
        for result in reference.results
        if result.check not in ran and not run.subject.wants(result.check)
    )
    return replace(
        run,
        manifest=(*run.manifest, *(result.check for result in same)),
        results=(*run.results, *same),
    )


def _source(root: Path, *, but: Sequence[str]) -> list[Path]:
    return [
        one for one in root.rglob("*.py") if not set(one.relative_to(root).parts).intersection(but)
    ]
