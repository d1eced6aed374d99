"""The file of a saved sequence, and what --replay selects."""

from __future__ import annotations

import json

import pytest

from nip_ap.model.saved_sequence import FORMAT, check_of, saved_sequence
from nip_ap.model.settings import Settings


@pytest.fixture
def saved(tmp_path):
    def write(value):
        file = tmp_path / "sequence.json"
        file.write_text(value if isinstance(value, str) else json.dumps(value))
        return str(file)

    return write


def test_a_saved_sequence_selects_its_own_check_alone(saved):
    path = saved({"format": FORMAT, "check": "AP-READ-17/conditions", "steps": []})
    assert saved_sequence(path) == path
    assert check_of(path) == "AP-READ-17/conditions"
    settings = Settings(seed="x", replay=path, only=("AP-SLUG-*",))
    assert settings.selects(["AP-READ-17"], "AP-READ-17/conditions")
    assert not settings.selects(["AP-SLUG-01"], "AP-SLUG-01/anything")


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("not JSON", "is not JSON"),
        ([], "is not a saved sequence"),
        ({"format": "something else"}, "is not a saved sequence"),
        ({"format": FORMAT, "steps": []}, "lacks the check"),
        ({"format": FORMAT, "check": "AP-READ-17/x"}, "lacks the check"),
    ],
)
def test_any_other_file_is_refused_in_a_sentence(saved, value, complaint):
    with pytest.raises(ValueError, match=complaint):
        saved_sequence(saved(value))


def test_a_file_that_is_not_there_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        saved_sequence(str(tmp_path / "nothing.json"))
