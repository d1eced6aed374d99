"""Reports made for tests, without a run: of any verdicts, with whatever text a relay might say."""

from __future__ import annotations

import json
from pathlib import Path

import orjson

from nip_ap.model.capabilities import NO, UNKNOWN, YES, Capabilities, Capability
from nip_ap.model.clauses import NOVEMBER, register
from nip_ap.model.frame import Frame
from nip_ap.model.judgement import Control
from nip_ap.model.latency import summary
from nip_ap.model.result import Result
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Subject
from nip_ap.model.verdict import Verdict
from nip_ap.reporting import Report, TargetName, report_of

HOSTILE = json.loads((Path(__file__).parent / "hostile.json").read_text(encoding="utf-8"))
PUBLISHED = Path(__file__).parents[2] / "reports" / "published"
CLAIMS = (
    ("auth", YES, True),
    ("count", NO, True),
    ("http", NO, None),
    ("search", UNKNOWN, False),
)


def made_report(
    results, *, information=None, evidence="seen", started=0.0, target="ws://relay:1", only=()
):
    """The report of these results on a relay that offers a bit of everything."""
    found = {
        name: Capability(name, offered, evidence, claimed) for name, offered, claimed in CLAIMS
    }
    capabilities = Capabilities(found, NOVEMBER, "probed", information or {"name": "a relay"})
    run = Run(
        Subject("", "ws://127.0.0.1:1", capabilities),
        Settings("seed", only=only),
        tuple(one.check for one in results),
        tuple(results),
    )
    named = TargetName("url", (target,))
    return report_of(run, register(), started=started, seconds=1.25, target=named, workers=2)


def result(clause, verdict, text="plain", *, name="a_check", frames=3, **more):
    """One result whose every text is `text`, with a conversation of so many exchanges."""
    return Result(
        f"{clause}/{name}",
        (clause,),
        verdict,
        reason="" if verdict is Verdict.PASS else text,
        expected=text if verdict in (Verdict.FAIL, Verdict.WARN) else "",
        seen=text if verdict in (Verdict.FAIL, Verdict.WARN) else "",
        controls=(Control(text, text, text),),
        notes=(text,),
        facts={
            "fact": text,
            "window": 900,
            "times": summary([0.001, 0.002, 0.2]).to_json(),
            "sequence": {"check": text, "steps": [text]},
        },
        frames=conversation(text, frames),
        seconds=0.5,
        **more,
    )


def conversation(text, exchanges):
    """Notes, requests and answers; the relay's frames hold the text."""
    said = orjson.dumps(["NOTICE", text]).decode()
    frames = [Frame(0.0, "suite", "", "note", f"clock reads 1 {text}")]
    for number in range(exchanges):
        identifier = f"{number:064x}"
        sent = orjson.dumps(["EVENT", {"id": identifier, "content": "x" * 600}]).decode()
        frames += [
            Frame(number + 0.1, "owner", "ws", "sent", sent),
            Frame(number + 0.101, "owner", "ws", "received", f'["OK","{identifier}",true,""]'),
            Frame(number + 0.2, "owner", "ws", "received", said),
            Frame(number + 0.3, "owner", "http", "received", f"HTTP 200 {text}"),
        ]
    return tuple(frames)


def one_of_each(text="plain"):
    """A report with a clause of each verdict."""
    ids = [clause.id for clause in register()]
    return made_report(
        [result(ids[number], verdict, text) for number, verdict in enumerate(Verdict)],
        information={"name": text, "software": text, "version": text},
        evidence=text,
    )


def hostile_report() -> Report:
    """A report in which every text of the relay's is meant to do harm."""
    ids = [clause.id for clause in register()]
    results = [
        result(ids[number], list(Verdict)[number % len(Verdict)], text)
        for number, text in enumerate(HOSTILE)
    ]
    everything = "".join(HOSTILE)
    return made_report(
        results,
        information={"name": everything, "software": everything, "version": everything},
        evidence=everything,
    )
