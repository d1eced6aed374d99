"""A run that is always the same, of the kind that people read: for the golden files."""

from __future__ import annotations

from datetime import date

import orjson

from nip_ap.model.baseline import Baseline, KnownFailure
from nip_ap.model.capabilities import NO, YES, Capabilities, Capability
from nip_ap.model.clauses import NOVEMBER, register
from nip_ap.model.diagnosis import Signature
from nip_ap.model.frame import Frame
from nip_ap.model.judgement import Control
from nip_ap.model.report import Report, TargetName
from nip_ap.model.result import Result
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Subject
from nip_ap.model.verdict import Verdict
from nip_ap.reporting import report_of

V = Verdict
OWNER, STRANGER = "a1" * 32, "b2" * 32
LOW, HIGH = "0c" * 32, "f3" * 32


def event(identifier, **more):
    """An event as JSON, of a persona."""
    return {
        "id": identifier,
        "pubkey": OWNER,
        "created_at": 1_790_000_000,
        "kind": 30175,
        "tags": [["d", "reviewer"]],
        "content": '{"name":"Reviewer"}',
        "sig": "5e" * 64,
        **more,
    }


def frame(at, who, direction, *parts):
    text = parts[0] if direction == "note" else orjson.dumps(list(parts)).decode()
    return Frame(at, who, "ws", direction, text, 1)


TIE = (
    Frame(0.0, "suite", "", "note", "clock reads 1790000000"),
    frame(0.004, "owner", "sent", "EVENT", event(LOW)),
    frame(0.006, "owner", "received", "OK", LOW, True, ""),
    frame(0.008, "owner", "sent", "EVENT", event(HIGH, content='{"name":"Other"}')),
    frame(0.010, "owner", "received", "OK", HIGH, True, ""),
    frame(0.012, "owner", "sent", "REQ", "s1", {"authors": [OWNER], "kinds": [30175]}),
    frame(0.014, "owner", "received", "EVENT", "s1", event(HIGH, content='{"name":"Other"}')),
    frame(0.015, "owner", "received", "EOSE", "s1"),
)


def check(clause, name, verdict, *, frames=TIE, level="MUST", **more):
    return Result(
        f"{clause}/{name}",
        (clause,),
        verdict,
        level=level,
        sentence=name.replace("_", " "),
        frames=frames if verdict is not V.NOT_APPLICABLE else (),
        seconds=0.25,
        **more,
    )


def failing(clause, name, verdict=V.FAIL, **more):
    sides = {
        "expected": f"the event {LOW} as the head, and no other",
        "seen": f"the event {HIGH} as the head",
        **more,
    }
    return check(clause, name, verdict, reason="{expected}; {seen}".format(**sides), **sides)


RESULTS = (
    check("AP-SLUG-01", "slugs_of_the_grammar_are_accepted[a]", V.PASS),
    check("AP-SLUG-01", "slugs_of_the_grammar_are_accepted[a-b]", V.PASS),
    failing("AP-REPL-03", "of_one_second_the_lowest_id_stays[low first]"),
    failing("AP-REPL-03", "of_one_second_the_lowest_id_stays[high first]"),
    failing("AP-REPL-03", "of_three_the_lowest_id_stays"),
    failing("AP-REPL-08", "two_doors_have_the_same_head"),
    failing(
        "AP-REPL-09",
        "whatever_the_order_the_same_head_remains",
        controls=(Control("the head stays", "an older write", "created_at"),),
    ),
    failing(
        "AP-DEL-01",
        "a_deletion_takes_effect",
        V.WARN,
        level="SHOULD",
        expected="the persona is gone",
        seen="it is still served",
    ),
    failing("AP-GATE-01", "a_shared_persona_is_accepted", notes=("a note",)),
    check("AP-READ-07", "a_count_is_right", V.NOT_APPLICABLE, reason="the relay has no COUNT"),
    check("AP-READ-02", "pages_are_whole", V.INCONCLUSIVE, reason="no answer came within 8 s"),
    check("AP-READ-12", "an_ok_means_readable", V.INCONCLUSIVE, reason="no answer came within 8 s"),
    check("AP-ROB-01", "garbage_does_no_harm", V.ERROR, reason="KeyError: 'x'", log="panic: x\n"),
)


SIGNATURES = (
    Signature(
        "tie-highest-id",
        "It compares ids the wrong way round.",
        "Of two versions of the same second, keep the one with the lowest id.",
        frozenset({"AP-REPL-03", "AP-REPL-08", "AP-REPL-09"}),
    ),
    Signature(
        "shared-tag-refused",
        "It knows no tag but `d`, and refuses what it does not know.",
        'Accept the tag `["shared", "true"]` on personas.',
        frozenset({"AP-GATE-01", "AP-GATE-02"}),
    ),
)
"""What is known of rogues where the fixed run is diagnosed: the gallery goes on growing."""


def fixed_report() -> Report:
    """The report; a known failure among its red checks, and an entry that covers nothing more."""
    known = [one for one in RESULTS if one.clauses[0] in register()]
    found = {
        "auth": Capability("auth", YES, "it sent a challenge", True),
        "count": Capability("count", NO, "COUNT was answered with CLOSED", True),
    }
    information = {"name": "a relay", "software": "https://example.org/relay", "version": "1.2.3"}
    capabilities = Capabilities(found, NOVEMBER, "a stranger could not read", information)
    run = Run(
        Subject("", "ws://127.0.0.1:3000", capabilities),
        Settings("0badcafe"),
        tuple(one.check for one in known),
        tuple(known),
        Baseline(
            (
                KnownFailure("AP-DEL-01", "ticket 12", until="2027-01-31"),
                KnownFailure("AP-SLUG-01", "ticket 7"),
            ),
            date(2026, 11, 25),
        ),
    )
    named = TargetName("url", ("ws://127.0.0.1:3000",))
    return report_of(
        run, register(), started=1_790_000_000.0, seconds=12.5, target=named, workers=2
    )
