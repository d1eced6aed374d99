"""Names of files of checks that are outside pytest's root; pytest itself leaves them nameless."""

from __future__ import annotations

from pathlib import Path

import pytest

from nip_ap.engine.check_ids import outside_name


class OutsideFiles:
    """Gives each such file a name in node ids that can be passed back."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def pytest_pycollect_makemodule(
        self, module_path: Path, parent: pytest.Collector
    ) -> pytest.Module | None:
        """The module with its name; pytest makes any other one itself."""
        name = outside_name(module_path, self._root)
        if not name:
            return None
        found: pytest.Module = pytest.Module.from_parent(parent, path=module_path, nodeid=name)
        return found
