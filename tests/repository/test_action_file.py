"""action.yml has the inputs that the option table says; `--update-snapshots` writes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from nip_ap.model.option_table import option_table
from nip_ap.model.options import option
from nip_ap.model.settings import Settings
from tests.repository.action import written

FILE = Path(__file__).resolve().parents[2] / "action.yml"


def test_the_action_is_as_the_table_says(update_snapshots):
    text = FILE.read_text(encoding="utf-8")
    expected = written(text, option_table())
    if update_snapshots:
        FILE.write_text(expected, encoding="utf-8")
        return
    assert text == expected, "write it with `pytest tests/repository --update-snapshots`"


def test_a_new_option_reaches_inputs_environment_and_command_line():
    @dataclass(frozen=True)
    class More(Settings):
        colours: tuple[str, ...] = option((), "Paint it.", "COLOUR", many=True, in_action=True)

    text = written(FILE.read_text(encoding="utf-8"), option_table(settings=More))
    action = yaml.safe_load(text)
    (step,) = (one for one in action["runs"]["steps"] if one.get("id") == "run")
    assert action["inputs"]["colours"] == {"description": "Paint it. Several: one per line."}
    assert step["env"]["OPTION_COLOURS"] == "${{ inputs.colours }}"
    assert 'each --colours "$OPTION_COLOURS"\n' in step["run"]
