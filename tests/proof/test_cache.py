"""What a proof keeps from one run to the next."""

import os

import pytest

from nip_ap.proof.cache import Cache, CacheUnusable, cache_in, digest, digest_of_files, usual_folder


def test_what_was_written_is_read_and_nothing_else(tmp_path):
    cache = Cache(tmp_path / "made")
    cache.write("one", {"checks": ["a"]})
    assert cache.read("one") == {"checks": ["a"]}
    assert cache.read("other") is None
    assert [one.name for one in (tmp_path / "made").iterdir()] == ["one.json.gz"]


def test_a_damaged_entry_is_none(tmp_path):
    cache = Cache(tmp_path)
    cache.write("one", [1])
    (tmp_path / "one.json.gz").write_bytes((tmp_path / "one.json.gz").read_bytes()[:-9])
    assert cache.read("one") is None


def test_without_a_folder_nothing_is_kept():
    Cache(None).write("one", [1])
    assert Cache(None).read("one") is None


def test_a_folder_that_cannot_hold_it_is_said_with_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheUnusable, match="choose another folder with --cache"):
        Cache(tmp_path / "file" / "below").write("one", [1])


def test_old_generations_go_and_the_one_in_use_stays(tmp_path):
    for number in range(9):
        (tmp_path / f"v{number}").mkdir()
        os.utime(tmp_path / f"v{number}", (number, number))
    cache_in(tmp_path, "v0").write("one", [1])
    left = {one.name for one in tmp_path.iterdir()}
    assert "v0" in left
    assert "v1" not in left
    assert {"v7", "v8"} <= left


def test_the_usual_folder_is_where_the_user_keeps_caches(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert usual_folder() == tmp_path / "nip-ap" / "proof"


def test_a_digest_tells_parts_from_their_sum(tmp_path):
    assert digest("ab", "c") != digest("a", "bc")
    (tmp_path / "a.py").write_text("x")
    before = digest_of_files([tmp_path / "a.py"])
    (tmp_path / "a.py").write_text("y")
    assert digest_of_files([tmp_path / "a.py"]) != before
