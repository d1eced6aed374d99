"""Findings made by hand."""

from nip_ap.model.capabilities import Capabilities
from nip_ap.model.clauses import NOVEMBER
from nip_ap.model.result import Result
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Subject
from nip_ap.model.verdict import Verdict
from nip_ap.proof.finding import Finding
from nip_ap.rogue import Rogue

ONE, OTHER = "AP-SLUG-02", "AP-SLUG-05"
PASS, FAIL, WARN, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.WARN, Verdict.INCONCLUSIVE


def run_of(*results):
    subject = Subject("r", "ws://x", Capabilities({}, NOVEMBER, ""))
    return Run(subject, Settings("s"), tuple(one.check for one in results), results)


def result(clause, verdict, *controls):
    return Result(f"{clause}/x", (clause,), verdict, controls=controls)


def finding(kind, *results, red=(), blinds=()):
    declared = Rogue("made-here", "-", frozenset(red), frozenset(blinds), kind=kind)
    return Finding(declared, run_of(*results), run_of(*results))
