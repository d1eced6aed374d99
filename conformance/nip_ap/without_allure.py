"""--alluredir where the plugin that owns it is not installed: pytest's own word teaches nothing."""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec

import pytest

_OPTION, _DEST = "--alluredir", "nip_ap_alluredir"
NEEDED = "--alluredir needs the extra allure: pip install 'nip-ap-conformance[allure]'"


def stand_in_for_allure(group: pytest.OptionGroup) -> None:
    """Take the option where nobody else does."""
    if find_spec("allure_pytest") is not None:
        return
    with suppress(ValueError):  # another plugin has an option of this name
        group.addoption(_OPTION, dest=_DEST, default=None, metavar="DIR", help=NEEDED)


def refuse_without_allure(config: pytest.Config) -> None:
    """Raise UsageError where the option was given, and nobody would write anything."""
    if config.getoption(_DEST, None) is not None:
        raise pytest.UsageError(NEEDED)
