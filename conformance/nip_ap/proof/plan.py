"""Which checks to run on which rogue: those that it answers otherwise than the reference relay."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from nip_ap.model.check_id import CheckId
from nip_ap.model.clauses import NOVEMBER
from nip_ap.proof.cache import Cache, digest, digest_of_files
from nip_ap.proof.recordings import Reference
from nip_ap.rogue import DEVIATION
from nip_ap_relay.policy import Policy
from nip_ap_relay.recording import Recording
from nip_ap_relay.rehearsal import rehearse, shown_in
from nip_ap_relay.rogues import ROGUES, RelayRogue

_SHARES = 3
_FEW = 4
"""So many rogues are rehearsed in this process; for more it is worth it to start others."""


def plan(
    rogues: Sequence[RelayRogue], reference: Reference, workers: int, cache: Cache
) -> dict[str, tuple[str, ...]]:
    """The checks to run on each rogue; each rehearsal is made once for a version of a rogue."""
    names = {rogue.name: f"{rogue.name}-{_version(rogue, reference)}" for rogue in rogues}
    found = {one: cache.read(name) for one, name in names.items()}
    missing = [name for name, checks in found.items() if checks is None]
    if missing:
        answers = _answers_of_the_reference(reference, cache)
        for name, checks in _rehearsed(missing, reference, answers, workers):
            found[name] = checks
            cache.write(names[name], checks)
    return {name: tuple(checks) for name, checks in found.items()}


def _version(rogue: RelayRogue, reference: Reference) -> str:
    """A rogue's answers depend on the module that it is declared in, and on what it is asked."""
    source = Path(inspect.getfile(rogue.policy))
    return digest(reference.name, digest_of_files([source]))


def _answers_of_the_reference(reference: Reference, cache: Cache) -> dict[str, str]:
    name = f"answers-{reference.name}"
    found: dict[str, str] | None = cache.read(name)
    if found is None:
        found = rehearse(reference.recordings, Policy(NOVEMBER))
        cache.write(name, found)
    return found


def _rehearsed(
    names: Sequence[str], reference: Reference, answers: Mapping[str, str], workers: int
) -> Iterator[tuple[str, tuple[str, ...]]]:
    if len(names) <= _FEW:
        for name in names:
            yield name, affected_checks(ROGUES[name], reference.recordings, answers)
        return
    with ProcessPoolExecutor(workers, None, _Worker.prepare, (reference, answers)) as pool:
        yield from pool.map(
            _Worker.affected, names, chunksize=len(names) // (workers * _SHARES) + 1
        )


class _Worker:
    """What a process of the pool holds: recordings are large, and travel once."""

    recordings: Sequence[Recording] = ()
    answers: Mapping[str, str] = {}

    @classmethod
    def prepare(cls, reference: Reference, answers: Mapping[str, str]) -> None:
        cls.recordings, cls.answers = reference.recordings, answers

    @classmethod
    def affected(cls, name: str) -> tuple[str, tuple[str, ...]]:
        return name, affected_checks(ROGUES[name], cls.recordings, cls.answers)


def affected_checks(
    rogue: RelayRogue, recordings: Sequence[Recording], answers: Mapping[str, str]
) -> tuple[str, ...]:
    """The checks that a rogue answers otherwise than the reference, and those it declares.

    `answers` are the digests of the reference's answers.
    """
    declared = tuple(
        one.check for one in recordings if CheckId.read(one.check).clause in rogue.turns_red
    )
    all_checks = tuple(one.check for one in recordings)
    if rogue.kind != DEVIATION or rogue.spec != NOVEMBER:
        return all_checks
    shown = shown_in(rogue, recordings)
    if len(shown) == len(all_checks):
        return all_checks
    own = rehearse(recordings, rogue.relay_policy(NOVEMBER))
    differing = tuple(check for check, given in own.items() if given != answers[check])
    return tuple(dict.fromkeys((*differing, *shown, *declared)))
