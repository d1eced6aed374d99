"""Scripts for apps: a person's word counts where the app asked, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from nip_ap.clients.scripts import Stage, script_named
from nip_ap.model.verdict import RunVerdict, Verdict
from nip_ap.play_command import play
from nip_ap.witness import (
    WITNESSED,
    Answer,
    AnswersFault,
    NoSuchScript,
    Played,
    chosen,
    page,
    read_answers,
    report_on,
    result_of,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reader-scripts.md"


def played(name: str, word: str, *filters: dict[str, Any], note: str = "") -> Played:
    stage = Stage(script_named(name), "tests", 1_800_000_000)
    asked = tuple({"connection": 1, "frame": ["REQ", "x", one]} for one in filters)
    return Played(stage, Answer(word, note), asked, 1.0)


def filter_of(name: str) -> dict[str, Any]:
    owner = Stage(script_named(name), "tests", 1_800_000_000).owner.pubkey
    return {"kinds": [30175], "authors": [owner]}


@pytest.mark.parametrize(
    ("word", "verdict"),
    [("yes", Verdict.PASS), ("no", Verdict.FAIL), ("skip", Verdict.INCONCLUSIVE)],
)
def test_a_persons_word_is_the_verdict(word: str, verdict: Verdict) -> None:
    result = result_of(played("stranger", word, filter_of("stranger"), note="a remark"))
    assert (result.verdict, result.check) == (
        verdict,
        "AP-READER-06/events_of_other_authors_are_dropped",
    )
    assert WITNESSED in result.notes
    assert result.beyond == WITNESSED


def test_a_broken_should_is_a_warning() -> None:
    assert result_of(played("notice", "no", filter_of("notice"))).verdict is Verdict.WARN


def test_what_was_never_asked_for_is_inconclusive_whatever_is_said() -> None:
    result = result_of(played("stranger", "yes"))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "never asked" in result.reason


def test_how_an_app_asks_is_seen_without_a_person() -> None:
    anyone = {"kinds": [30175]}
    assert result_of(played("control", "yes", anyone)).verdict is Verdict.FAIL
    assert result_of(played("control", "yes", filter_of("control"))).verdict is Verdict.PASS


def test_a_part_of_the_scripts_does_not_look_like_all() -> None:
    one = played("stranger", "yes", filter_of("stranger"))
    run, report = report_on("Some App 1.2", "seed", [one], 0.0)
    assert run.verdict is RunVerdict.CONFORMANT
    assert not report.document.complete
    assert "1 of" in run.why


@pytest.mark.parametrize("name", ["READER-06", "ap-reader-06", "stranger"])
def test_scripts_are_named_by_clause_or_by_name(name: str) -> None:
    assert [one.name for one in chosen([name])] == ["stranger"]


def test_a_name_that_nothing_has_is_explained() -> None:
    with pytest.raises(NoSuchScript, match="a clause such as READER-07"):
        chosen(["nothing"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "cannot be read as JSON"),
        ("[]", "must hold an object"),
        ('{"nothing": "yes"}', "there is no such script"),
        ('{"stranger": "perhaps"}', "must be one of yes, no, skip"),
    ],
)
def test_a_file_of_answers_that_is_none_is_explained(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "answers.json"
    path.write_text(text)
    with pytest.raises(AnswersFault, match=said):
        read_answers(path)


def test_answers_may_have_remarks(tmp_path: Path) -> None:
    path = tmp_path / "answers.json"
    path.write_text('{"stranger": {"answer": "no", "note": "there"}, "deleted": "yes"}')
    assert read_answers(path) == {"stranger": Answer("no", "there"), "deleted": Answer("yes")}


def test_the_page_is_what_the_scripts_say() -> None:
    """`nip-ap play --page docs/reader-scripts.md` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_a_script_is_played_and_the_report_says_who_saw_it(tmp_path: Path) -> None:
    """Nobody asks this relay here, so that nothing can be said."""
    answers = tmp_path / "answers.json"
    answers.write_text('{"stranger": "yes"}')
    given = ["READER-06", "--answers", str(answers), "--wait", "0", "--port", "0"]
    done = CliRunner().invoke(play, [*given, "--out", str(tmp_path / "out")], standalone_mode=False)
    assert done.return_value == 2, done.output
    assert "You see Plain; neither Stranger's plain nor Stranger's own." in done.output
    assert "the app never asked" in (tmp_path / "out" / "report.json").read_text()
