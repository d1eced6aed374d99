"""Mutants of the policy: one comparison, boolean or constant changed in each (a small AST pass)."""

from __future__ import annotations

import ast
import copy
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from nip_ap_relay.policy import Policy

MUTATED = ("nip_ap_relay.policy", "nip_ap_relay.seams")
"""The rules, and the seams around them."""

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


@dataclass(frozen=True)
class Mutant:
    """One changed operator. `name` is stable as long as the line and its neighbours are."""

    name: str
    module: str
    line: int
    change: str
    source: str
    tree: ast.Module

    def policy(self, spec: str) -> Policy:
        """The policy over the mutated module."""
        mutated = _executed(self.tree, self.module, self.name)
        if self.module == Policy.__module__:
            return _policy_of(mutated, spec)
        with _standing_in(mutated, self.module):
            tree = ast.parse(source_of(Policy.__module__).read_text(encoding="utf-8"))
            return _policy_of(_executed(tree, Policy.__module__, f"{self.name}_policy"), spec)


def _policy_of(module: ModuleType, spec: str) -> Policy:
    made: Policy = module.Policy(spec)
    return made


def _executed(tree: ast.Module, name: str, suffix: str) -> ModuleType:
    module = ModuleType(f"{name}_{suffix}")
    module.__file__ = source_of(name).as_posix()
    sys.modules[module.__name__] = module  # dataclasses look their module up
    exec(compile(tree, module.__file__, "exec"), module.__dict__)
    return module


@contextmanager
def _standing_in(mutated: ModuleType, name: str) -> Iterator[None]:
    """While it lasts, an import of the module gives its mutant."""
    original = sys.modules[name]
    sys.modules[name] = mutated
    try:
        yield
    finally:
        sys.modules[name] = original


def source_of(module: str) -> Path:
    """The file of a module that is mutated."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin)


def mutants() -> list[Mutant]:
    """Every mutant, in the order of the sources."""
    return [one for module in MUTATED for one in mutants_of(module)]


def mutants_of(module: str) -> list[Mutant]:
    """Every mutant of one module, in the order of its source."""
    text = source_of(module).read_text(encoding="utf-8")
    tree = ast.parse(text)
    prefix = module.rpartition(".")[2]
    lines = text.splitlines()
    found = []
    decorators = {id(part) for part in _decorators(tree)}
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in decorators:  # how a class or a seam is declared, not what it does
            continue
        for change in _changes(node):
            mutated = copy.deepcopy(tree)
            twin = next(one for at, one in enumerate(ast.walk(mutated)) if at == number)
            change.apply(twin)
            ast.fix_missing_locations(mutated)
            line = getattr(node, "lineno", 0)
            name = f"{prefix}-{len(found) + 1:03}"
            source = lines[line - 1].strip()
            found.append(Mutant(name, module, line, change.text, source, mutated))
    return sorted(found, key=lambda one: (one.line, one.name))


def _decorators(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            for decorator in node.decorator_list:
                yield from ast.walk(decorator)


@dataclass(frozen=True)
class _Change:
    text: str
    attribute: str
    value: object
    negate: bool = False

    def apply(self, node: ast.AST) -> None:
        setattr(node, self.attribute, copy.deepcopy(self.value))


def _changes(node: ast.AST) -> Iterator[_Change]:
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            other = _COMPARISONS.get(type(operator))
            if other is not None:
                operators = [*node.ops[:index], other(), *node.ops[index + 1 :]]
                text = f"{type(operator).__name__} -> {other.__name__}"
                yield _Change(text, "ops", operators)
    elif isinstance(node, ast.BoolOp):
        other_boolean = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        text = f"{type(node.op).__name__} -> {type(other_boolean).__name__}"
        yield _Change(text, "op", other_boolean)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        twice = ast.UnaryOp(ast.Not(), node.operand)
        yield _Change("not x -> x", "operand", twice)
    elif isinstance(node, ast.Constant):
        yield from _constants(node)


def _constants(node: ast.Constant) -> Iterator[_Change]:
    if isinstance(node.value, bool):
        yield _Change(f"{node.value} -> {not node.value}", "value", not node.value)
    elif isinstance(node.value, int):
        yield _Change(f"{node.value} -> {node.value + 1}", "value", node.value + 1)
