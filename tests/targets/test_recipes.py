"""Which target options describe, and what is said about options that describe none."""

from __future__ import annotations

import pytest

from nip_ap.model.recipe import MASKED, Recipe
from nip_ap.model.target_options import OPTIONS, URL
from nip_ap.targets import BundledTarget, TargetUsage, UrlTarget
from nip_ap.targets.kinds import KINDS, chosen, own_recipe, target_of, words
from nip_ap.targets.supervised import SupervisedTarget, tail_of

COMMAND = "./my-relay --port {port} --db {dir}/relay.db"


@pytest.mark.parametrize(
    ("given", "kind", "target"),
    [
        ({}, "bundled", BundledTarget),
        ({"url": "bundled"}, "bundled", BundledTarget),
        ({"url": "ws://localhost:1"}, "url", UrlTarget),
        ({"cmd": COMMAND}, "process", SupervisedTarget),
        ({"image": "relay"}, "container", SupervisedTarget),
        ({"compose": __file__, "service": "relay"}, "compose", SupervisedTarget),
    ],
)
def test_options_choose_a_kind(given, kind, target):
    recipe = chosen(given)
    assert recipe.kind == kind
    assert isinstance(target_of(recipe), target)
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_each_option_is_taken_by_a_kind():
    assert {option for kind in KINDS for option in kind.options} == set(OPTIONS) - {URL}


def test_all_but_a_url_can_have_an_own_instance():
    assert {kind.name for kind in KINDS if kind.own is None} == {"url"}
    own = own_recipe(chosen({"db": "/var/lib/relay.db"}))
    assert "/var/lib/relay.db" not in own.values["words"]
    assert "{dir}/relay.db" in own.values["words"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"url": "ws://x", "cmd": COMMAND}, "a URL and --cmd: choose one"),
        ({"image": "x", "compose": "y"}, "--image and --compose: choose one"),
        (
            {"url": "ws://x", "env": ["A=b"]},
            "--env is only valid with --cmd or --image or --compose, not",
        ),
        ({"mount": ["a:/b"]}, "--mount is only valid with --image, not with the bundled relay"),
        ({"db": "x", "cmd": COMMAND}, "--db is only valid with the bundled relay, not with --cmd"),
        ({"cmd": "./my-relay"}, "write {port} in the command"),
        ({"cmd": "   "}, "--cmd: it is empty"),
        ({"cmd": ""}, "--cmd: it is empty"),
        ({"url": " "}, "a URL: it is empty"),
        ({"image": ""}, "--image: it is empty"),
        ({"url": "bundled", "cmd": COMMAND}, "the bundled relay and --cmd: choose one"),
        ({"cmd": "'{port}"}, "cannot be split into words"),
        ({"cmd": COMMAND, "template": ["nowhere"]}, "--template nowhere cannot be read"),
        ({"cmd": COMMAND, "env": ["A-B=c"]}, "a variable needs a name"),
        ({"cmd": COMMAND, "env": ["NOT_SET_HERE"]}, "which does not have it"),
        ({"cmd": COMMAND, "env_file": ["nowhere"]}, "--env-file nowhere cannot be read"),
        ({"image": "x", "mount": ["relative"]}, "SOURCE:TARGET"),
        ({"image": "x", "mount": ["/nowhere:/etc"]}, "there is no /nowhere"),
        ({"image": "x", "mount": ["/tmp:/etc:rw"]}, "mounts are read-only"),
        ({"compose": "nowhere.yaml"}, "there is no such file"),
        ({"compose": __file__}, "needs --service NAME"),
    ],
)
def test_options_that_describe_no_target_are_explained(given, message):
    with pytest.raises(TargetUsage) as caught:
        chosen(given)
    assert message in str(caught.value)


def test_a_line_of_an_env_file_that_is_none_is_named_but_not_shown(tmp_path):
    path = tmp_path / "relay.env"
    path.write_text("# comment\n\nA=1\nthe secret itself\n")
    with pytest.raises(TargetUsage, match=r"line 4: expected NAME=VALUE") as caught:
        chosen({"cmd": COMMAND, "env_file": [str(path)]})
    assert "secret" not in str(caught.value)


def test_variables_come_from_files_options_and_the_own_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("FROM_OUTSIDE", "outside")
    path = tmp_path / "relay.env"
    path.write_text("A=from the file\nB=x=y\n")
    recipe = chosen(
        {"cmd": COMMAND, "env_file": [str(path)], "env": ["A=from the option", "FROM_OUTSIDE"]}
    )
    assert recipe.values["env"] == {
        "A": "from the option",
        "B": "x=y",
        "FROM_OUTSIDE": "outside",
    }


def test_the_port_may_travel_in_the_environment_or_in_a_template(tmp_path):
    template = tmp_path / "config.toml"
    template.write_text("port = {port}")
    assert chosen({"cmd": "./my-relay", "env": ["PORT={port}"]}).kind == "process"
    assert chosen({"cmd": "./my-relay", "template": [str(template)]}).kind == "process"


def test_the_command_line_is_given_back_without_secrets():
    given = {"cmd": COMMAND, "env": ["TOKEN=hunter2222", "PORT={port}"], "start_limit": 5.0}
    named = words(chosen(given))
    assert named == [
        *("--cmd", COMMAND, "--env", "TOKEN", "--env", "PORT={port}", "--start-limit", "5"),
    ]
    assert "hunter2222" not in repr(chosen(given))
    assert words(chosen({"url": "ws://x"})) == ["ws://x"]
    assert words(chosen({})) == []


def test_values_of_variables_are_masked_in_the_log(tmp_path):
    log = tmp_path / "relay.log"
    log.write_text("connecting with hunter2222 to the store\n")
    recipe = chosen({"cmd": COMMAND, "env": ["TOKEN=hunter2222"]})
    assert tail_of(log, recipe) == f"connecting with {MASKED} to the store\n"
    assert tail_of(log, recipe, since=len("connecting ")) == f"with {MASKED} to the store\n"
    assert tail_of(tmp_path / "elsewhere", recipe) == ""
