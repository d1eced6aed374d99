"""One table of options: each is found in every place, and the repeat line gives them all back."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from nip_ap.model.option_table import option_table
from nip_ap.model.options import filled, options_of
from nip_ap.model.report import TargetName, repro_line
from nip_ap.model.settings import Settings
from nip_ap.run_command import run_command

ROOT = Path(__file__).resolve().parents[2]
TABLE = option_table()
CHECK = "AP-SLUG-02/an_empty_slug_is_refused[ws]"


def as_given(line):
    """The options of a command line, as the command reads it."""
    _, _, *words = shlex.split(line)
    return run_command.make_context("run", words).params


def other_than_default(one):
    """A value that no user would get without asking for it."""
    if one.choices:
        return next(choice for choice in one.choices if choice != one.default)
    if one.flag:
        return True
    if one.many:
        return ("first", "--second x")
    if isinstance(one.default, (int, float)):
        return type(one.default)(one.default * 3 + 1)
    return "a text, with 'quotes' and $(signs)"


SETTINGS = {one.key: other_than_default(one) for one in options_of(Settings)}


def test_no_option_has_the_name_or_the_key_of_another():
    assert len({one.name for one in TABLE}) == len({one.key for one in TABLE}) == len(TABLE)


def test_the_command_and_pytest_have_every_option(pytester):
    params = {one.name: one for one in run_command.params}
    assert set(params) == {one.key for one in TABLE}
    listed = set(re.findall(r"^ +(--[a-z-]+)", pytester.runpytest("--help").stdout.str(), re.M))
    ours = {one for one in listed if one.startswith(("--nip-ap-", "--relay-url"))}
    assert ours == {one.pytest_name for one in TABLE if one.under_pytest}


def test_the_repeat_line_gives_every_setting_back():
    settings = Settings(**SETTINGS)
    line = repro_line(CHECK, settings, settings.spec, TargetName())
    again = filled(Settings, as_given(line))
    assert again.only == ("AP-SLUG-02/an_empty_slug_is_refused[[]ws]",)
    assert replace(again, only=(), replay="") == replace(settings, only=(), replay="")


@pytest.mark.parametrize("key", [one.key for one in options_of(Settings) if one.repeats])
def test_the_repeat_line_gives_each_setting_back_alone(key):
    settings = replace(Settings("seed"), **{key: SETTINGS[key]})
    line = repro_line(CHECK, settings, settings.spec, TargetName("url", ("ws://x",)))
    again = filled(Settings, as_given(line))
    assert as_given(line)["url"] == "ws://x"
    assert again.selects(("AP-SLUG-02",), CHECK)
    assert replace(again, only=(), replay="") == replace(settings, only=(), replay="")


def test_the_repeat_line_is_short_where_nothing_was_asked_for():
    line = repro_line("AP-SLUG-02/x", Settings("seed"), "2026-11", TargetName())
    assert line == "nip-ap run --only AP-SLUG-02/x --seed seed --spec 2026-11"


def test_every_setting_repeats_unless_it_says_why_not():
    assert [one.name for one in options_of(Settings) if not one.repeats] == ["replay"]


@pytest.mark.parametrize(
    ("name", "given", "complaint"),
    [
        ("timeout", "nan", "is not a time"),
        ("timeout", "0", "is not a time"),
        ("timeout", "soon", "is not a number of seconds"),
        ("kills", "0", "is too small"),
        ("kills", "1.5", "is not a whole number"),
        ("spec", "2027", "is not one of auto, 2026-06, 2026-07, 2026-11"),
        ("workers", "-1", "is not a number of processes"),
        ("out", str(ROOT / "README.md"), "is a file"),
    ],
)
def test_odd_values_are_refused_with_a_sentence(name, given, complaint):
    one = next(one for one in TABLE if one.name == name)
    with pytest.raises(ValueError, match=complaint):
        one.value(given)


@pytest.mark.parametrize("one", [one for one in TABLE if not one.flag], ids=lambda one: one.name)
@pytest.mark.parametrize("given", ["", "  "])
def test_no_option_takes_an_empty_value(one, given):
    with pytest.raises(ValueError, match="empty"):
        one.value(given)


# -- the repeat line, run as printed -----------------------------------------------------------

RED = [
    ("slug-empty-accepted", "AP-SLUG-02", ()),
    ("refusal-without-prefix", "AP-SLUG-09", ("--strict",)),
    ("every-fifth-time", "AP-SLUG-02", ("--repeat", "5")),
    ("", "AP-SCOPE-02", ("--claim", "limited-key", "--timeout", "5")),
]


@pytest.mark.parametrize(("name", "clause", "options"), RED)
def test_the_line_that_repeats_a_check_gives_the_same_verdict(
    nip_ap, rogue, relay, name, clause, options
):
    url = rogue(name) if name else relay.url
    first = nip_ap("run", url, "--only", clause, "-n", 1, "--json", *options)
    for check in [one for one in first.json["checks"] if one["verdict"] != "pass"][:2]:
        line = shlex.split(check["repro"])
        assert line[:2] == ["nip-ap", "run"]
        again = nip_ap(*line[1:], "--json")
        assert again.json["verdict"] == first.json["verdict"]
        assert [(one["id"], one["verdict"]) for one in again.json["checks"]] == [
            (check["id"], check["verdict"])
        ]
        assert again.json["checks"][0]["repro"] == check["repro"]
    assert first.code == 1


# -- one declaration adds one option -----------------------------------------------------------


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the suite in which one field was added to the settings, and nothing else."""
    root = tmp_path_factory.mktemp("copy")
    for name in ("conformance", "reference_relay", "reference_client", "fixtures", "scenarios"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "reports", root / "reports")
    file = root / "conformance" / "nip_ap" / "model" / "settings.py"
    field = '    colour: str = option("", "Paint the relay.", "NAME", in_action=True)\n'
    text = file.read_text().replace(
        "    shrink: bool = True\n", field + "    shrink: bool = True\n"
    )
    assert field in text
    file.write_text(text)

    roots = ("conformance", "reference_relay", "reference_client")
    path = os.pathsep.join(str(root / one) for one in roots)

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            capture_output=True,
            text=True,
            cwd=root,
            env=os.environ | {"PYTHONPATH": path},
            timeout=120,
            check=False,
        )

    return run


def test_an_added_option_is_in_both_helps(copy):
    assert "--colour NAME" in copy("nip_ap", "run", "--help").stdout
    assert "--nip-ap-colour=NAME" in copy("pytest", "--help").stdout


def test_an_added_option_is_in_the_line_that_repeats_a_check(copy):
    done = copy(
        *("nip_ap", "run", "--only", "AP-SLUG-03", "-n", "1", "--json", "--colour", "sea green")
    )
    document = json.loads(done.stdout)
    assert "--colour 'sea green'" in document["checks"][0]["repro"]
