"""The kill matrix as a page of docs/, and whether the page that is there says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nip_ap.model.clauses import register
from nip_ap.proof.finding import Finding
from nip_ap.proof.matrix import Matrix
from nip_ap.proof.role import Role
from nip_ap.resources import resource
from nip_ap.rogue import DEVIATION


def page(matrix: Matrix) -> str:
    """The page as Markdown."""
    written = matrix.role.page
    outcome = "Proven" if matrix.is_proven else "Not proven"
    return "\n".join(
        [
            f"# {written.title}",
            "",
            f"Written by `{command(matrix.role)}`; do not edit.",
            written.introduction,
            "",
            f"{len(matrix.findings)} {matrix.role.plural}, {matrix.checks_run} checks run, "
            f"seed {matrix.seed}. **{outcome}.**",
            "",
            "## By rogue",
            "",
            f"| rogue | {written.wrong} | clauses it turns red | undecided |",
            "| --- | --- | --- | --- |",
            *map(_row, matrix.findings),
            "",
            "## By clause",
            "",
            "| clause | level | rogues that break it, and how many checks found each |",
            "| --- | --- | --- |",
            *_clauses(matrix),
            "",
        ]
    )


def command(role: Role) -> str:
    """What writes a role's page."""
    option = "" if role.name == "relay" else f" --{role.name}"
    return f"nip-ap prove{option} --page docs/{role.page.file}"


def rows(text: str) -> dict[str, str]:
    """The rows of a page, by what stands first in each."""
    table = [line.strip("| ") for line in text.splitlines() if line.startswith("| ")]
    return {line.partition(" | ")[0]: line for line in table if not line.startswith("---")}


def stale_rows(matrix: Matrix, shown: str) -> list[str]:
    """The rogues and clauses of which a page says something else than a proof with all rogues."""
    before, now = rows(shown), rows(page(matrix))
    return [name for name in {**before, **now} if before.get(name) != now.get(name)]


def page_in_docs(role: Role) -> Path | None:
    """The page of a role where it is in this checkout; None in an installed package."""
    found = resource("scenarios").parent / "docs" / role.page.file
    return found if found.is_file() else None


def _row(finding: Finding) -> str:
    is_deviation = finding.rogue.kind == DEVIATION
    red = ", ".join(sorted(finding.red)) if is_deviation else f"({finding.run.verdict})"
    undecided = ", ".join(sorted(finding.undecided)) if is_deviation else ""
    return f"| {finding.rogue.name} | {finding.rogue.because} | {red} | {undecided} |"


def _clauses(matrix: Matrix) -> list[str]:
    caught = {
        finding.rogue.name: finding.caught_by
        for finding in matrix.findings
        if finding.rogue.kind == DEVIATION
    }
    found = []
    for clause in register():
        breakers = _breakers(caught, clause.id)
        why = ", ".join(breakers) or (f"none: {clause.no_rogue}" if clause.no_rogue else "")
        if why and clause.group in matrix.role.groups:
            found.append(f"| {clause.id} | {clause.level} | {why} |")
    return found


def _breakers(caught: Mapping[str, Mapping[str, Sequence[str]]], clause: str) -> list[str]:
    return [
        f"{rogue} ({len(checks[clause])})" for rogue, checks in caught.items() if clause in checks
    ]
