"""Options from nip-ap.toml, `[tool.nip-ap]` and the environment; the command has the last word."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from nip_ap.model.configuration import (
    Configuration,
    ConfigurationFault,
    configuration_in,
    merged,
    schema_of,
)
from nip_ap.model.option_table import option_table
from nip_ap.run_command import run_command

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "nip-ap.schema.json"


@pytest.fixture
def read(tmp_path):
    """Writes nip-ap.toml and reads it."""

    def read(text):
        (tmp_path / "nip-ap.toml").write_text(text, encoding="utf-8")
        return configuration_in(tmp_path, option_table())

    return read


def test_the_names_and_values_are_those_of_the_options(read):
    found = read('spec = "2026-11"\ntimeout = 3\nclaim = ["auth", "http"]\nstrict = true\n')
    assert found.file == "nip-ap.toml"
    assert found.values == {
        "spec": "2026-11",
        "answer_limit": 3.0,
        "claims": ["auth", "http"],
        "strict": True,
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("sepc = 'auto'", "there is no option sepc; there are"),
        ("spec = '2020-01'", "spec: '2020-01' is not one of auto"),
        ("spec = ''", "spec: it is empty"),
        ("claim = 'auth'", "claim: 'auth' is not a list"),
        ("strict = 'yes'", "strict: 'yes' is not true or false"),
        ("timeout = true", "timeout: True is neither text nor a number"),
        ("env = ['TOKEN=x']", "env: it may hold secrets"),
        ("spec = ", "nip-ap.toml cannot be read"),
    ],
)
def test_what_cannot_be_used_names_the_file_and_the_option(read, text, complaint):
    with pytest.raises(ConfigurationFault, match=r"nip-ap\.toml") as told:
        read(text)
    assert complaint in str(told.value)


def test_a_folder_without_a_file_says_nothing(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.other]\nspec = 1\n")
    assert configuration_in(tmp_path, option_table()).values == {}


def test_pyproject_has_a_table_of_its_own_and_the_own_file_goes_first(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.nip-ap]\nspec = "2026-06"\n')
    found = configuration_in(tmp_path, option_table())
    assert (found.file, found.values) == ("pyproject.toml", {"spec": "2026-06"})
    (tmp_path / "nip-ap.toml").write_text('spec = "2026-11"\n')
    assert configuration_in(tmp_path, option_table()).values == {"spec": "2026-11"}


def test_the_command_goes_before_the_file():
    file = Configuration("nip-ap.toml", {"spec": "2026-06", "seed": "file", "claims": ["auth"]})
    found = merged({"spec": None, "seed": "command", "claims": (), "strict": False}, file)
    assert found == {"spec": "2026-06", "seed": "command", "claims": ["auth"], "strict": False}


def test_a_relay_of_the_command_takes_the_place_of_the_one_in_the_file():
    file = Configuration("nip-ap.toml", {"cmd": "./relay", "env_file": ["x"], "spec": "2026-11"})
    assert merged({"url": None}, file)["cmd"] == "./relay"
    found = merged({"url": "ws://localhost:1"}, file)
    assert found == {"url": "ws://localhost:1", "spec": "2026-11"}


def test_the_environment_gives_options_and_the_command_goes_before_it(monkeypatch):
    for name, value in {
        "SPEC": "2026-11",
        "SEED": "environment",
        "CLAIM": "auth http",
        "TIMEOUT": "3",
    }.items():
        monkeypatch.setenv(f"NIP_AP_RUN_{name}", value)
    seen = run_command.make_context("run", ["--seed", "command"]).params
    assert (seen["seed"], seen["spec"], seen["answer_limit"]) == ("command", "2026-11", 3.0)
    assert seen["claims"] == ("auth", "http")


def test_the_command_runs_with_what_the_file_says(tmp_path):
    (tmp_path / "nip-ap.toml").write_text('only = ["AP-SLUG-02"]\nworkers = 1\nurl = "bundled"\n')
    done = subprocess.run(
        [sys.executable, "-m", "nip_ap", "run"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("options of nip-ap.toml: url, only, workers\n")
    assert "2 of " in done.stdout


def test_pytest_takes_them_too(pytester):
    pytester.makefile(".toml", **{"nip-ap": 'only = ["AP-SLUG-02"]\nurl = "bundled"\n'})
    done = pytester.runpytest_subprocess("--nip-ap")
    done.assert_outcomes(passed=2)


def test_a_slip_in_the_file_is_a_usage_error(tmp_path):
    (tmp_path / "nip-ap.toml").write_text("sepc = 'auto'\n")
    done = subprocess.run(
        [sys.executable, "-m", "nip_ap", "run"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("Error: nip-ap.toml: there is no option sepc")


def test_the_schema_for_editors_is_as_the_table_says(update_snapshots):
    written = json.dumps(schema_of(option_table()), indent=2) + "\n"
    if update_snapshots:
        SCHEMA.write_text(written, encoding="utf-8")
    assert SCHEMA.read_text(encoding="utf-8") == written, "pytest --update-snapshots writes it"
    jsonschema.Draft7Validator.check_schema(json.loads(written))
    jsonschema.validate({"spec": "2026-11", "claim": ["auth"], "timeout": 3}, json.loads(written))
