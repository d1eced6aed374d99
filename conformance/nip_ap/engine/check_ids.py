"""Check ids: built from pytest's items, and read back from its node ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from nip_ap.engine.declarations import Declaration, declarations, declared_in_files
from nip_ap.model.check_id import CheckId
from nip_ap.model.markers import CLAUSE

COLLECTED = "nip_ap_collected"
"""What a worker tells the controller under this name: every check that it found."""

SUBJECT, REPETITION = "nip_ap_subject", "nip_ap_repetition"


class DeclaredChecks:
    """The checks behind pytest's node ids: the suite's own, and those of a user's files."""

    def __init__(self, root: Path, files: Sequence[str]) -> None:
        own = {(one.file.resolve(), one.function): one for one in declarations()}
        self._paths = {file: (root / file).resolve() for file in files if file}
        foreign = set(self._paths.values()) - {path for path, _ in own}
        self._by_place = own | {
            (one.file, one.function): one for one in declared_in_files(sorted(foreign))
        }
        self._by_function = {one.function: one for one in declarations()}

    def declaration(self, nodeid: str) -> Declaration | None:
        """The check that an item is; None for a test that is none."""
        file, function, _ = _parts(nodeid)
        if not file:  # what pytest writes for files outside its root, so for an installed suite
            return self._by_function.get(function)
        return self._by_place.get((self._paths[file], function))

    def declares(self, nodeid: str) -> bool:
        """Whether an item is a check."""
        return self.declaration(nodeid) is not None

    def parsed(self, nodeid: str) -> tuple[str, str]:
        """The subject and the check id that a node id stands for."""
        declaration = self.declaration(nodeid)
        assert declaration is not None
        subject, rest = _split_hidden(_parts(nodeid)[2])
        return subject, declaration.check_id(rest)


def _parts(nodeid: str) -> tuple[str, str, str]:
    """File, function and parameters of a pytest node id."""
    file, _, rest = nodeid.partition("::")
    function, _, parameters = rest.partition("[")
    return file, function, parameters.removesuffix("]")


def _split_hidden(parameters: str) -> tuple[str, str]:
    """Take the suite's own parameters, `@subject@` and `#repetition#`, off a parameter string."""
    subject = ""
    if parameters.startswith("@"):
        subject, _, parameters = parameters[1:].partition("@")
        parameters = parameters.removeprefix("-")
    if parameters.startswith("#"):
        _, _, parameters = parameters[1:].partition("#")
        parameters = parameters.removeprefix("-")
    return subject, parameters


def clauses_of(item: pytest.Item) -> tuple[tuple[str, ...], tuple[str, ...]]:
    mark = item.get_closest_marker(CLAUSE)
    return ((), ()) if mark is None else (mark.args, mark.kwargs.get("needs", ()))


def parameters_of(item: pytest.Item) -> Mapping[str, Any]:
    callspec = getattr(item, "callspec", None)
    return callspec.params if callspec is not None else {}


def function_of(item: pytest.Item) -> str:
    return str(getattr(item, "originalname", item.name))


def check_id_of(item: pytest.Item, clauses: Sequence[str]) -> str:
    callspec = getattr(item, "callspec", None)
    _, parameters = _split_hidden(callspec.id if callspec is not None else "")
    return str(CheckId.of(clauses[0], function_of(item), parameters))


def declared_id_of(metafunc: pytest.Metafunc) -> str:
    """The id of a check without its parameters."""
    mark = metafunc.definition.get_closest_marker(CLAUSE)
    assert mark is not None
    return str(CheckId.of(mark.args[0], metafunc.function.__name__))
