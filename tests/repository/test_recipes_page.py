"""The CI action and the recipe page: their shell lines are run as they stand, on the bundled relay.

What builds a relay or installs packages of a system is left out, as the page says.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from nip_ap.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))

LEFT_OUT = ("apt-get ", "cargo ", "go build", "docker ", "python3 -m venv", "pip install")
FAST = ("--only", "AP-SLUG-02", "--only", "AP-DUR-02", "-n", "1", "--seed", "recipe")
LIMIT = 120


def blocks(language):
    """The fenced blocks of the page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def file_named(name):
    """The YAML file that the page shows under this name."""
    return yaml.safe_load(next(one for one in blocks("yaml") if one.startswith(f"# {name}\n")))


def commands(lines):
    """The shell commands that are run here, continued lines joined."""
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [one.strip() for one in joined if one.strip() and not one.startswith(LEFT_OUT)]


@pytest.fixture
def workplace(tmp_path):
    """A checkout of somebody's relay, in which the relay is the bundled one behind their names."""
    tool = tmp_path / "bin" / "nip-ap"
    tool.parent.mkdir()
    fast = " ".join(FAST)
    tool.write_text(f'#!/bin/sh\nexec {sys.executable} -m nip_ap "$@" {fast}\n')
    (tmp_path / "target" / "release").mkdir(parents=True)
    rust = tmp_path / "target" / "release" / "nostr-rs-relay"
    rust.write_text(
        "#!/bin/sh\n"
        "port=$(sed -n 's/^port = //p' \"$4\")\n"
        f'exec {sys.executable} -m nip_ap_relay --port "$port" --db "$2/relay.db"\n'
    )
    go = tmp_path / "relay"
    go.write_text(
        f'#!/bin/sh\nexec {sys.executable} -m nip_ap_relay --port "$PORT" --db "$DATABASE_PATH"\n'
    )
    for program in (tool, rust, go):
        program.chmod(0o755)
    (tmp_path / "relay.toml").write_text(blocks("toml")[0])
    return tmp_path


@pytest.fixture
def shell(workplace):
    """Runs shell code there; gives what `subprocess.run` gives."""

    def run(code, **environment):
        path = f"{workplace / 'bin'}:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", code],
            cwd=workplace,
            env=os.environ | {"PATH": path} | environment,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )

    return run


def assert_conformant(done, folder):
    assert done.returncode == 0, done.stdout + done.stderr
    assert "conformant: all " in done.stdout
    assert {"report.json", "junit.xml", "summary.md"} <= {one.name for one in folder.iterdir()}


# -- the page ------------------------------------------------------------------------------


def test_the_rust_gate(shell, workplace):
    gate = next(one for one in blocks("sh") if "relay.toml" in one)
    assert_conformant(shell("\n".join(commands(gate.splitlines()))), workplace / "report")


def test_the_gitlab_job(shell, workplace):
    job = file_named(".gitlab-ci.yml")["conformance"]
    assert_conformant(shell("\n".join(commands(job["script"]))), workplace / "report")
    assert job["artifacts"]["paths"] == ["report"]
    assert (workplace / job["artifacts"]["reports"]["junit"]).is_file()


def test_the_woodpecker_step():
    steps = file_named(".woodpecker.yml")["steps"]
    (line,) = commands(steps["conformance"]["commands"])
    assert steps["conformance"]["network_mode"] == "host", "containers publish on the loopback"
    assert_options_exist(line)


def test_the_workflow_gives_the_action_only_what_it_takes(workplace):
    (job,) = file_named(".github/workflows/conformance.yml")["jobs"].values()
    step = job["steps"][-1]
    assert step["uses"].split("/")[1].startswith("nip-ap-conformance@")
    assert set(step["with"]) <= set(ACTION["inputs"])


@pytest.mark.parametrize(
    "line",
    [
        line
        for block in blocks("sh")
        for line in commands(block.splitlines())
        if line.startswith("nip-ap ")
    ]
    + re.findall(r"`(nip-ap [^`]+)`", PAGE),
)
def test_every_command_on_the_page_has_options_that_exist(line):
    assert_options_exist(line)


def assert_options_exist(line):
    _, name, *words = shlex.split(line)
    known = {option for one in main.commands[name].params for option in one.opts}
    assert {word for word in words if word.startswith("-")} <= known


# -- the action ----------------------------------------------------------------------------


def step_named(name):
    return next(one for one in ACTION["runs"]["steps"] if one.get("name") == name)


@pytest.fixture
def act(shell, workplace):
    """Runs the action's own step with these inputs, as a runner would."""

    def run(**inputs):
        step = step_named("Run the suite")
        values = {name: one.get("default", "") for name, one in ACTION["inputs"].items()}
        values |= {name.replace("_", "-"): value for name, value in inputs.items()}
        environment = {
            name: re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda found: values[found[1]], text)
            for name, text in step["env"].items()
        }
        output, summary = workplace / "output", workplace / "step-summary"
        output.touch()
        summary.touch()
        done = shell(
            step["run"], GITHUB_OUTPUT=str(output), GITHUB_STEP_SUMMARY=str(summary), **environment
        )
        return done, output.read_text(), summary.read_text()

    return run


def test_every_input_reaches_the_step_and_none_is_read_as_code():
    step = step_named("Run the suite")
    used = set(re.findall(r"inputs\.([a-z-]+)", str(ACTION["runs"])))
    assert used == set(ACTION["inputs"])
    for one in ACTION["runs"]["steps"]:
        assert "${{" not in one.get("run", "")
    assert set(step["env"]) <= set(re.findall(r"\$\{?([A-Z_]+)", step["run"]))


def test_the_action_gates_a_command(act, workplace):
    done, output, summary = act(
        cmd="./target/release/nostr-rs-relay --db {dir} --config {dir}/relay.toml",
        template="relay.toml",
        spec="2026-11",
        arguments="--only\nAP-SLUG-03",
    )
    assert_conformant(done, workplace / "nip-ap-report")
    assert output == "verdict=conformant\n"
    assert summary.startswith("#")
    assert "AP-SLUG-03" in (workplace / "nip-ap-report" / "report.json").read_text()


def test_the_action_fails_where_the_relay_does_and_still_says_why(act, workplace):
    relay = f"{sys.executable} -m nip_ap_relay --port {{port}} --rogue slug-empty-accepted"
    done, output, summary = act(cmd=relay)
    assert done.returncode == 1
    assert output == "verdict=not conformant\n"
    assert "AP-SLUG-02" in summary


def test_the_action_passes_on_that_there_is_no_relay(act):
    done, output, summary = act(url="ws://127.0.0.1:1")
    assert (done.returncode, output, summary) == (3, "", "")


def test_the_report_is_kept_whatever_came_out():
    step = step_named("Keep the report")
    assert "always()" in step["if"]
    assert step["with"]["path"] == "${{ inputs.out }}"
