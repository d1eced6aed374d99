"""The checks that exist, read from the source of the scenarios without running them.

A check is a function `test_...` under a `@clause` decorator. Reading the source instead of
importing it serves the register, the manifest and the build's own tests alike.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nip_ap.engine.no_waiting import impatient_imports
from nip_ap.model.check_id import CheckId
from nip_ap.resources import resource


class ScenarioError(ValueError):
    """A scenario that does not keep to the form; the message names file, function and remedy."""


@dataclass(frozen=True)
class Declaration:
    """One check as declared: a function of a scenario file, and the clauses it judges."""

    file: Path
    function: str
    line: int
    clauses: tuple[str, ...]

    @property
    def name(self) -> str:
        """The function's name without `test_`."""
        return self.function.removeprefix("test_")

    @property
    def sentence(self) -> str:
        """The name as words."""
        return self.name.replace("_", " ")

    def check_id(self, parameters: str = "") -> str:
        """The id of the check, or of one variant of it."""
        return str(CheckId.of(self.clauses[0], self.function, parameters))


def scenario_files(root: Path | None = None) -> list[Path]:
    """The scenario files, in a stable order."""
    return sorted((root or resource("scenarios")).rglob("test_*.py"))


@cache
def declarations(root: Path | None = None) -> tuple[Declaration, ...]:
    """Every check below a folder. Raises ScenarioError for a test without a clause."""
    return tuple(declaration for file in scenario_files(root) for declaration in _declared_in(file))


@cache
def longest_checks() -> tuple[str, ...]:
    """The checks of most round trips, without their parameters, the longest first."""
    lines = resource("fixtures/longest_checks.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


def declared_in_files(files: Iterable[Path]) -> tuple[Declaration, ...]:
    """The checks of single files, such as a user's own; what cannot be read declares none."""
    found: list[Declaration] = []
    for file in files:
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except (OSError, SyntaxError, ValueError):
            continue
        found += [one for one in _functions_of(tree, file) if one.clauses]
    return tuple(found)


def _declared_in(file: Path) -> Iterator[Declaration]:
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    for complaint in impatient_imports(file):
        raise ScenarioError(f"{file}: {complaint}")
    for one in _functions_of(tree, file):
        if not one.clauses:
            raise ScenarioError(
                f'{file}:{one.line}: {one.function} names no clause; put @clause("AP-...") above it'
            )
        yield one


def _functions_of(tree: ast.Module, file: Path) -> Iterator[Declaration]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield Declaration(file, node.name, node.lineno, _clauses_of(node))


def _clauses_of(node: ast.FunctionDef) -> tuple[str, ...]:
    for decorator in node.decorator_list:
        if (
            isinstance(decorator, ast.Call)
            and isinstance(decorator.func, ast.Name)
            and decorator.func.id == "clause"
        ):
            return tuple(
                argument.value
                for argument in decorator.args
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            )
    return ()
