"""`python -m tests.mutation`: kill mutants of policy.py with scenarios, and account for survivors.

Each mutant is served beside the reference relay. A rehearsal finds the checks that it answers
otherwise; these run for real, and it is killed where one of them no longer gives the reference's
verdict. What survives the November text is held to the June text too. A survivor needs a reason in
equivalent.toml, by line and change. Exit 0 where at least 90 % were killed and every survivor is
explained.
"""

from __future__ import annotations

import inspect
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

from nip_ap.checking.credentials import grants
from nip_ap.engine.runner import worker_count
from nip_ap.model.recipe import Recipe
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Subject
from nip_ap.model.verdict import Verdict
from nip_ap.proof.gallery import REFERENCE, Gallery, serving
from nip_ap.proof.recordings import recordings_of
from nip_ap.proof.role import role_named
from nip_ap.proof.session import files_of_groups, run_checks
from nip_ap.targets import BundledTarget
from nip_ap_relay.policy import JUNE, NOVEMBER, Policy
from nip_ap_relay.recording import Recording
from nip_ap_relay.rehearsal import rehearse
from tests.mutation.accounts import conclude, tell_of_survivor
from tests.mutation.mutants import Mutant, mutants

_ANSWER_LIMIT = 1.5
_SHARES = 3
"""Names in so many shares for each worker: recordings are large, and travel with each share."""
_ENOUGH = 12
"""Checks run on a mutant that breaks down: one would do."""

DURABILITY_RULES = ("commits_before_answering", "stops_when_asked")
"""Rules of the policy that no answer shows before the relay ends."""


class MutantTarget(BundledTarget):
    """The reference relay at the root and every mutant under its name, in one process."""

    program = (sys.executable, "-m", "tests.mutation.serve")


def affected_by_names(
    names: Sequence[str], recordings: Sequence[Recording], spec: str
) -> dict[str, tuple[str, ...]]:
    """The checks that each mutant answers otherwise; for another process."""
    plain = rehearse(recordings, Policy(spec))
    return {
        one.name: affected(one, recordings, spec, plain) for one in mutants() if one.name in names
    }


def affected(
    mutant: Mutant,
    recordings: Sequence[Recording],
    spec: str,
    plain: Mapping[str, str],
) -> tuple[str, ...]:
    """The checks that a mutant answers otherwise; some that break it where it cannot even play."""
    try:
        answers = rehearse(recordings, mutant.policy(spec))
    except Exception as error:  # a mutant may break anything
        print(f"{mutant.name}: {type(error).__name__} in rehearsal", file=sys.stderr)
        return tuple(one.check for one in recordings if breaks(mutant, one, spec))[:_ENOUGH]
    return tuple(check for check, digest in answers.items() if digest != plain[check])


def breaks(mutant: Mutant, recording: Recording, spec: str) -> bool:
    """Whether a mutant raises something at what one check sends."""
    try:
        rehearse([recording], mutant.policy(spec))
    except Exception:  # what exactly, the run will show
        return True
    return False


def unrehearsed(reference: Run) -> tuple[str, ...]:
    """Checks whose requests a rehearsal cannot play: they run on every mutant."""
    groups = ("AUTH", "HTTP", "ROB", "SCOPE")
    return tuple(one.check for one in reference.results if one.clauses[0].split("-")[1] in groups)


def changed_verdicts(run: Run, reference: Mapping[str, Verdict]) -> list[str]:
    """The checks of a mutant's run that no longer give the reference's verdict."""
    return [one.check for one in run.results if one.verdict is not reference[one.check]]


def explained() -> dict[tuple[str, str], str]:
    """Reasons why mutants are equivalent, by source line and change."""
    path = Path(__file__).with_name("equivalent.toml")
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", [])
    return {(entry["source"], entry["change"]): entry["reason"] for entry in entries}


def main() -> int:
    """Run and report."""
    began = time.monotonic()
    every = mutants()
    killed = killed_under(NOVEMBER, every)
    left = [one for one in every if not killed.get(one.name)]
    killed |= killed_under(JUNE, left)
    return _report(every, killed, time.monotonic() - began)


def killed_under(spec: str, every: Sequence[Mutant]) -> dict[str, list[str]]:
    """By mutant, the checks that no longer give the verdict of the reference in that revision."""
    settings = Settings(
        seed="mutation",
        spec=spec,
        answer_limit=_ANSWER_LIMIT,
        shrink=False,
        keep_all_frames=True,
    )
    workers = worker_count("auto")
    files = files_of_groups(role_named("relay").groups)
    target = MutantTarget(("--spec", spec), grants=grants(settings.seed, {}))
    with serving(target):
        plain = Gallery(settings, target).subject(REFERENCE, spec)
        (reference,) = run_checks(settings, [plain], files, workers)
        verdicts = {one.check: one.verdict for one in reference.results}
        wanted = _plan(every, reference, workers, spec)
        subjects = [subject_of(one, target.url, reference, wanted[one.name], spec) for one in every]
        runs = run_checks(settings, [one for one in subjects if one.checks], files, workers * 2)
    return {run.subject.name: changed_verdicts(run, verdicts) for run in runs}


def subject_of(
    mutant: Mutant, url: str, reference: Run, wanted: Sequence[str], spec: str
) -> Subject:
    """A mutant as a relay to test. Checks that kill their relay judge what only they can see."""
    durability = [one.check for one in reference.results if one.clauses[0].startswith("AP-DUR-")]
    checks = [one for one in wanted if one not in durability]
    own = own_recipe_of(mutant, spec) if is_about_durability(mutant) else None
    return Subject(
        mutant.name,
        f"{url}/{mutant.name}/",
        reference.subject.capabilities,
        is_disposable=True,
        abilities=tuple(
            one for one in reference.subject.abilities if own is not None or one != "restart"
        ),
        checks=(*checks, *(durability if own is not None else ())),
        own=own,
    )


def is_about_durability(mutant: Mutant) -> bool:
    """Whether a mutant differs in one of DURABILITY_RULES."""
    for rule in DURABILITY_RULES:
        method = getattr(Policy, rule)
        lines, first = inspect.getsourcelines(method)
        if method.__module__ == mutant.module and first <= mutant.line < first + len(lines):
            return True
    return False


def own_recipe_of(mutant: Mutant, spec: str) -> Recipe:
    """What starts a mutant alone, on a store that survives it."""
    words = [sys.executable, "-m", "tests.mutation.serve", "--mutant", mutant.name, "--spec", spec]
    words += ["--port", "{port}", "--db", "{dir}/relay.db"]
    root = str(Path(__file__).resolve().parents[2])
    values = {"words": words, "templates": [], "env": {}, "folder": root, "start_limit": 60}
    return Recipe("process", {}, values)


def _plan(
    every: Sequence[Mutant], reference: Run, workers: int, spec: str
) -> dict[str, tuple[str, ...]]:
    recordings = recordings_of(reference)
    always = unrehearsed(reference)
    found: dict[str, tuple[str, ...]] = {}
    with ProcessPoolExecutor(workers) as pool:
        names = [one.name for one in every]
        shares = [names[start :: workers * _SHARES] for start in range(workers * _SHARES)]
        rest = (repeat(recordings), repeat(spec))
        for part in pool.map(affected_by_names, shares, *rest):
            found |= part
    return {name: tuple(dict.fromkeys((*checks, *always))) for name, checks in found.items()}


def _report(every: Sequence[Mutant], killed: Mapping[str, list[str]], seconds: float) -> int:
    reasons = explained()
    survivors = [one for one in every if not killed.get(one.name)]
    for one in survivors:
        tell_of_survivor(one, reasons)
    return conclude(every, survivors, reasons, "scenarios", seconds)


if __name__ == "__main__":
    sys.exit(main())
