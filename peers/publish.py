"""What goes under reports/published: a relay's report, and a page that explains each red by hand.

The explanations are written in explanations.toml. This module ensures that none is missing and
none is stale, and that the frames which they quote were really in the transcripts of this run.
"""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nip_ap.model.verdict import BROKEN, NOTABLE, UNDECIDED, Verdict
from peers.declarations import HERE, PEERS, Peer

_QUOTED = 220


class Unexplained(Exception):
    """A report and its explanations do not agree; the message says where."""


@dataclass(frozen=True)
class Explanation:
    """Why checks whose ids begin so are not green on these peers, and the frames that show it."""

    peers: Sequence[str]
    checks: Sequence[str]
    why: str
    frames: Sequence[str] = ()
    sometimes: bool = False
    """Whether it depends on chance (which id is lower, say), so that a run may show none of it."""

    def covers(self, check: Mapping[str, Any]) -> bool:
        """Whether this is about a check."""
        return any(check["id"].startswith(one) for one in self.checks)

    def rank(self, check: Mapping[str, Any]) -> int:
        """By which of its prefixes: the transcript that shows it best is named first."""
        return next(n for n, one in enumerate(self.checks) if check["id"].startswith(one))


def explanations_for(peer: Peer) -> list[Explanation]:
    """The explanations of one peer."""
    entries = tomllib.loads((HERE / "explanations.toml").read_text(encoding="utf-8"))
    found = [Explanation(**entry) for entry in entries["explanation"]]
    return [one for one in found if peer.name in one.peers]


def not_green(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The checks that need an explanation."""
    return [check for check in report["checks"] if check["verdict"] in NOTABLE]


def complaints(report: Mapping[str, Any], explanations: Iterable[Explanation]) -> list[str]:
    """Checks without an explanation, and explanations without a check."""
    listed = list(explanations)
    checks = not_green(report)
    found = [
        f"{check['id']} is {check['verdict']} and not explained"
        for check in checks
        if not any(one.covers(check) for one in listed)
    ]
    return found + [
        f"explained, but green: {prefix}"
        for one in listed
        if not one.sometimes
        for prefix in one.checks
        if any(check["id"].startswith(prefix) for check in report["checks"])
        and not any(check["id"].startswith(prefix) for check in checks)
    ]


def publish(peer: Peer, run: Path, out: Path) -> None:
    """Write report.json and README.md of a run. Raises Unexplained."""
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    explanations = explanations_for(peer)
    wrong = complaints(report, explanations)
    if wrong:
        raise Unexplained("; ".join(wrong))
    page = _page(peer, report, explanations, run)
    folder = out / peer.name
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(run / "report.json", folder / "report.json")
    (folder / "README.md").write_text(page, encoding="utf-8")


def write_index(out: Path) -> None:
    """The table of all published reports."""
    rows = []
    for peer in PEERS:
        path = out / peer.name / "report.json"
        if path.is_file():
            rows.append(_row(peer, json.loads(path.read_text(encoding="utf-8"))))
    lines = [
        "# Real relays",
        "",
        "What the suite saw on relays that none of us wrote. None of them claims to know NIP-AP:",
        "to all but the one with our policy, kind 30175 is an addressable event like any other. So",
        "a red slug rule says what a relay has to add, not that it does badly what it set out to.",
        "",
        "`tox -e peers` makes all of this again. Each page names the frames that show each red.",
        "",
        "| relay | version | verdict | checks passed | MUST clauses broken | SHOULD | undecided |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *rows,
    ]
    out.mkdir(parents=True, exist_ok=True)
    (out / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _row(peer: Peer, report: Mapping[str, Any]) -> str:
    by_verdict = _clauses_by_verdict(report)
    counts = report["counts"]
    judged = sum(counts.values()) - counts["not applicable"]
    return (
        f"| [{peer.title}]({peer.name}/README.md) | {peer.version} | {report['verdict']} "
        f"| {counts['pass']} of {judged} | {len(by_verdict['fail'])} | {len(by_verdict['warn'])} "
        f"| {len(by_verdict['inconclusive'])} |"
    )


def _clauses_by_verdict(report: Mapping[str, Any]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {"fail": [], "warn": [], "inconclusive": []}
    names = {"unstable": "fail", "error": "inconclusive"}
    for clause in report["clauses"]:
        verdict = names.get(clause["verdict"], clause["verdict"])
        if verdict in groups:
            groups[verdict].append(clause["id"])
    return groups


def _page(
    peer: Peer, report: Mapping[str, Any], explanations: Sequence[Explanation], run: Path
) -> str:
    by_verdict = _clauses_by_verdict(report)
    counts = ", ".join(f"{number} {name}" for name, number in report["counts"].items() if number)
    offered = ", ".join(f"{one['name']} {one['offered']}" for one in report["capabilities"])
    lines = [
        f"# {peer.title} {peer.version}",
        "",
        f"{peer.about[0].upper()}{peer.about[1:]}.",
        "",
        f"- Version: {peer.version}, from {_packages(peer)}",
        f"- Date: {report['run']['started'][:10]}",
        f"- Suite: {report['suite']['version']}, revision {report['run']['spec']} "
        f"({report['run']['spec_reason']}), seed `{report['run']['seed']}`",
        f"- Offers: {offered}",
        f"- Verdict: **{report['verdict']}**; checks: {counts}; {report['run']['seconds']:.0f} s",
        *(f"- Finding: {one}" for one in report["findings"]),
        "",
        "## How to reproduce",
        "",
        "```console",
        f"$ python -m peers {peer.name}      # installs, starts, runs, stops, writes this page",
        "```",
        "",
        "or by hand, with the files of `peers/declarations.py`:",
        "",
        "```console",
        *(f"$ {one}" for one in _by_hand(peer)),
        "```",
        "",
    ]
    for title, verdicts, names in (
        ("Broken: MUST", BROKEN, by_verdict["fail"]),
        ("Broken: SHOULD", (Verdict.WARN,), by_verdict["warn"]),
        ("Undecided", UNDECIDED, by_verdict["inconclusive"]),
    ):
        table = _table(report, explanations, verdicts, run)
        if table:
            lines += [f"## {title}", "", f"{len(names)} clause(s) on the whole.", "", *table, ""]
    return "\n".join(lines)


def _packages(peer: Peer) -> str:
    if peer.crate:
        return f"crates.io, `{peer.crate[0]} {peer.crate[1]}`"
    return "PyPI, " + ", ".join(f"`{one}`" for one in peer.packages)


def _by_hand(peer: Peer) -> list[str]:
    if peer.crate:
        name, version = peer.crate
        install = [f"cargo install {name} --version {version} --root relay"]
    else:
        packages = " ".join(peer.packages)
        install = [
            "python3.11 -m venv relay",
            f"relay/bin/pip install -c peers/constraints.txt {packages}",
        ]
    start = " ".join(peer.start(Path("relay/bin"), Path("data"), 7000)).replace(str(HERE), "peers")
    return [*install, f"{start} &", "nip-ap run ws://127.0.0.1:7000 --seed peers"]


def _table(
    report: Mapping[str, Any],
    explanations: Sequence[Explanation],
    verdicts: Sequence[str],
    run: Path,
) -> list[str]:
    rows = []
    for one in explanations:
        checks = [c for c in not_green(report) if one.covers(c) and c["verdict"] in verdicts]
        if not checks:
            continue
        clauses = list(dict.fromkeys(clause for check in checks for clause in check["clauses"]))
        quotes = "<br>".join(f"`{_cell(quote)}`" for quote in _quotes(one, checks, run))
        rows.append(
            f"| {', '.join(clauses)} | {_cell(one.why.strip())} "
            f"| {quotes or 'no frame: nothing came'} |"
        )
    if not rows:
        return []
    return ["| clause | why | frames that show it |", "| --- | --- | --- |", *rows]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _quotes(one: Explanation, checks: Sequence[Mapping[str, Any]], run: Path) -> list[str]:
    """The frames that an explanation points at, from the first transcript that has them all."""
    if not one.frames:
        return []
    for check in sorted(checks, key=one.rank):
        frames = _frames(run / check["transcript"])
        quotes = _in_turn(frames, one.frames)
        if quotes:
            return [_short(quote) for quote in quotes]
    raise Unexplained(
        f"no transcript of {[check['id'] for check in checks][:3]} has the frames {one.frames}"
    )


def _frames(path: Path) -> list[str]:
    arrows = {"sent": "->", "received": "<-", "note": "--"}
    lines = path.read_bytes().splitlines()  # of bytes: text would break at U+2028 too
    parsed = [json.loads(line) for line in lines]
    return [f"{arrows[one['direction']]} {one['text']}" for one in parsed]


def _in_turn(frames: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """A frame for each pattern, each after the one before; none where one is missing.

    A pattern that begins with "next:" has to match the very next frame.
    """
    if not patterns:
        return []
    wanted, *others = patterns
    near = wanted.startswith("next:")
    for position, frame in enumerate(frames[:1] if near else frames):
        if not re.search(wanted.removeprefix("next:"), frame):
            continue
        rest = _in_turn(frames[position + 1 :], others)
        if rest or not others:
            return [frame, *rest]
    return []


def _short(frame: str) -> str:
    """A frame without what is the same in all: keys, signatures, the end of ids, content."""
    frame = re.sub(r'"(pubkey|sig)":"[0-9a-f]*",?', "", frame)
    frame = re.sub(r"\b([0-9a-f]{8})[0-9a-f]{56}\b", r"\1…", frame)
    frame = re.sub(r'"content":"(?:\\.|[^"\\]){40,}"', '"content":"…"', frame).replace(",}", "}")
    return frame if len(frame) <= _QUOTED else f"{frame[:_QUOTED]}…"
