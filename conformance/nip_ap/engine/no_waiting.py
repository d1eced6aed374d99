"""No check waits for time to pass. What must not happen is proved by a fence, not by a pause.

Scenario files may not import what waits, which is seen in their source.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

WAITING_MODULES = frozenset(
    ("asyncio", "sched", "select", "selectors", "signal", "subprocess", "threading", "time")
)
_NAMED = re.compile(rf"\b(?:{'|'.join(sorted(WAITING_MODULES))})\b")
_REMEDY = "publish a fence and wait for that, or ask the `clock` fixture for the time"


def imports_that_wait(source: str) -> list[str]:
    """Complaints about the imports of a scenario file, at any depth."""
    if not _NAMED.search(source):  # most files, and looking closer takes as long as a check
        return []
    return [
        f"line {line} imports {name}, and a scenario must not wait: {_REMEDY}"
        for node in ast.walk(ast.parse(source))
        for line, name in _imported(node)
        if name.partition(".")[0] in WAITING_MODULES
    ]


@cache
def impatient_imports(file: Path) -> tuple[str, ...]:
    """The complaints about one file."""
    return tuple(imports_that_wait(file.read_text(encoding="utf-8")))


def _imported(node: ast.AST) -> list[tuple[int, str]]:
    if isinstance(node, ast.Import):
        return [(node.lineno, alias.name) for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [(node.lineno, node.module)]
    if isinstance(node, ast.Call) and _is_an_import(node.func):
        named = [one.value for one in node.args[:1] if isinstance(one, ast.Constant)]
        return [(node.lineno, str(name)) for name in named]
    return []


def _is_an_import(function: ast.expr) -> bool:
    """Whether a call imports a module by name: `__import__(...)`, `import_module(...)`."""
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("__import__", "import_module")
