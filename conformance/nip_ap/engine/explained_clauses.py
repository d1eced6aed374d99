"""Clauses explained, from the register, the source of the checks and the signatures of rogues.

No scenario and no relay is imported for it: a site of reports is made of these.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from nip_ap.engine.declarations import Declaration, declarations
from nip_ap.model.clauses import Clause, register
from nip_ap.model.diagnosis import Signature
from nip_ap.reporting.diagnosis import signatures
from nip_ap.reporting.explained import CheckExplained, Explained


def explained(clause: Clause, rogues: Sequence[Signature]) -> Explained:
    """A clause with its checks and the rogues that break it, those of fewest clauses first."""
    return Explained(
        clause,
        [check_explained(one) for one in declarations() if clause.id in one.clauses],
        sorted((one for one in rogues if clause.id in one.red), key=lambda one: len(one.red)),
    )


def every_clause_explained() -> list[Explained]:
    """All clauses of the register, in its order, with the rogues of the last proof."""
    rogues = signatures()
    return [explained(one, rogues) for one in register()]


def check_explained(check: Declaration) -> CheckExplained:
    """A check with its docstring and its lines."""
    node, lines = _source(check)
    return CheckExplained(check.check_id(), check.sentence, ast.get_docstring(node) or "", lines)


def _source(check: Declaration) -> tuple[ast.FunctionDef, str]:
    """The function of a check, and its code without decorators and docstring."""
    text, functions = _read(check.file)
    node = functions[check.function]
    body = node.body[1:] if ast.get_docstring(node) and node.body[1:] else node.body
    lines = text.splitlines()[body[0].lineno - 1 : node.end_lineno]
    return node, "\n".join(line.removeprefix("    ") for line in lines)


@cache
def _read(file: Path) -> tuple[str, Mapping[str, ast.FunctionDef]]:
    """A scenario file, which has many checks, and its functions by name."""
    text = file.read_text(encoding="utf-8")
    functions = [one for one in ast.parse(text).body if isinstance(one, ast.FunctionDef)]
    return text, {one.name: one for one in functions}
