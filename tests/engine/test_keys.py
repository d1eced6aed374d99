"""Given keys and seeds: never two checks with one author at once, and no file that others read."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from nip_ap.engine.key_turns import KeyTurns
from nip_ap.engine.keys import KeyFileError, public_keys, read_key_sets, read_keys
from nip_ap.model.seed import USUAL_EXAMPLES, of_what_is_generated, salted, unsalted
from nip_ap.nostr import SecretKey

OWNER, OTHER, STRANGER = (SecretKey.derived("keys", name) for name in ("o", "p", "s"))


def written(path, value, mode=0o600):
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    path.chmod(mode)
    return str(path)


def hexes(**keys):
    return {role: key.secret_hex() for role, key in keys.items()}


# -- the file ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_key_file_that_others_can_read_is_refused_with_the_remedy(tmp_path, mode):
    path = written(tmp_path / "keys.json", hexes(owner=OWNER), mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_keys(path)


def test_what_is_no_plain_file_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(KeyFileError, match="is not a file"):
            read_keys(str(path))


def test_a_file_holds_one_set_or_several(tmp_path):
    one = written(tmp_path / "one.json", hexes(owner=OWNER))
    two = written(
        tmp_path / "two.json", [hexes(owner=OWNER, stranger=STRANGER), hexes(owner=OTHER)]
    )
    assert [set(keys) for keys in read_key_sets(one)] == [{"owner"}]
    assert [set(keys) for keys in read_key_sets(two)] == [{"owner", "stranger"}, {"owner"}]
    assert read_keys(two)["owner"].pubkey == OWNER.pubkey
    assert public_keys(read_key_sets(two))["owner 2"] == OTHER.pubkey


@pytest.mark.parametrize("content", ["[]", "[1]", '{"owner": 5}', "null", '"x"'])
def test_a_file_without_keys_is_refused(tmp_path, content):
    with pytest.raises(KeyFileError):
        read_keys(written(tmp_path / "keys.json", content))


# -- turns -------------------------------------------------------------------------------------


def test_two_checks_never_have_one_set_at_once(tmp_path):
    sets = [{"owner": OWNER}, {"owner": OTHER}]
    first, second, third = (KeyTurns(sets, tmp_path) for _ in range(3))
    taken = [first.take()["owner"], second.take()["owner"]]
    assert [key.pubkey for key in taken] == [OWNER.pubkey, OTHER.pubkey]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(third.take)
        assert not waiting.done()
        first.give_back()
        second.give_back()
        assert waiting.result(timeout=30)["owner"].pubkey in {OWNER.pubkey, OTHER.pubkey}
    third.give_back()


def test_sets_that_share_a_key_are_not_out_at_once(tmp_path):
    sets = [{"owner": OWNER, "stranger": STRANGER}, {"owner": OTHER, "stranger": STRANGER}]
    first = KeyTurns(sets, tmp_path)
    first.take()
    with ThreadPoolExecutor(1) as pool:
        second = KeyTurns(sets, tmp_path)
        waiting = pool.submit(second.take)
        assert not waiting.done()
        first.give_back()
        waiting.result(timeout=30)
    second.give_back()


def test_without_given_keys_nobody_waits(tmp_path):
    assert KeyTurns([], tmp_path).take() == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_run_with_one_set_of_keys_and_two_workers_is_conformant(nip_ap, relay, tmp_path):
    keys = hexes(owner=SecretKey.fresh(), stranger=SecretKey.fresh())
    path = written(tmp_path / "keys.json", keys)
    only = [
        word
        for group in ("REPL", "AP-READ-0?", "AP-GATE-1[0-4]", "DEL")
        for word in ("--only", group)
    ]
    done = nip_ap("run", relay.url, "--keys", path, "-n", 2, "--examples", 5, *only)
    assert done.code == 0, done.out


# -- seeds -------------------------------------------------------------------------------------


def test_a_seed_gets_a_salt_unless_it_has_one():
    assert salted("7f3a") != salted("7f3a")
    assert unsalted(salted("7f3a")) == "7f3a"
    assert salted("7f3a.c0de42") == "7f3a.c0de42"
    assert unsalted("7f3a") == "7f3a"


def test_what_is_generated_is_the_same_in_each_run_of_the_usual_size():
    one, other = salted("7f3a"), salted("0815")
    usual = {of_what_is_generated(seed, USUAL_EXAMPLES) for seed in (one, other)}
    assert len(usual) == 1
    more = USUAL_EXAMPLES + 1
    assert of_what_is_generated(one, more) == of_what_is_generated(salted("7f3a"), more) == "7f3a"
    assert of_what_is_generated(other, more) == "0815"


@pytest.mark.slow
def test_two_runs_of_one_seed_at_once_do_not_disturb_each_other(nip_ap, relay):
    words = ("run", relay.url, "--seed", "twice", "-n", 1, "--only", "REPL", "--examples", 5)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: nip_ap(*words), range(2)))
    assert [one.code for one in done] == [0, 0], done[0].out + done[1].out
    seeds = {line.split()[1] for one in done for line in one.out.splitlines() if "  seed " in line}
    assert len(seeds) == 2
    assert all(seed.startswith("twice.") for seed in seeds)
