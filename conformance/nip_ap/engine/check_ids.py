"""Check ids: built from pytest's items, and read back from its node ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from nip_ap.engine.declarations import Declaration, declarations, declared_in_files
from nip_ap.model.check_id import CheckId
from nip_ap.model.markers import CLAUSE
from nip_ap.resources import resource

COLLECTED = "nip_ap_collected"
"""What a worker tells the controller under this name: every check that it found."""

_SUITE = "nip-ap/"
"""What node ids call the folder of the suite's scenarios, where that is outside pytest's root."""

SUBJECT, REPETITION = "nip_ap_subject", "nip_ap_repetition"


class DeclaredChecks:
    """The checks behind pytest's node ids: the suite's own, and those of a user's files."""

    def __init__(self, root: Path, files: Sequence[str]) -> None:
        own = {(one.file.resolve(), one.function): one for one in declarations()}
        self._paths = {file: (root / path_of(file)).resolve() for file in files if file}
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


def outside_name(file: Path, root: Path) -> str:
    """How node ids name a file that is not below pytest's root; empty for one that is.

    A file of the suite is `nip-ap/<group>/<file>`, wherever the suite is installed.
    """
    if file.is_relative_to(root):
        return ""
    suite = resource("scenarios")
    return f"{_SUITE}{file.relative_to(suite)}" if file.is_relative_to(suite) else str(file)


def path_of(named: str) -> str:
    """A path, or a node id, with such a name in front, as pytest finds it."""
    rest = named.removeprefix(_SUITE)
    file = resource("scenarios") / rest.partition("::")[0]
    return str(resource("scenarios") / rest) if rest != named and file.exists() else named


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
