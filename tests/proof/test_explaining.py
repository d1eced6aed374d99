"""`nip-ap explain`: each clause, check and rogue can be explained, and a slip of the pen is met."""

from __future__ import annotations

import io

import pytest
from click.testing import CliRunner

from nip_ap import cli
from nip_ap.engine.declarations import declarations
from nip_ap.model.clauses import register
from nip_ap.model.verdict import Verdict
from nip_ap.proof.explaining import UnknownSubject, explain
from nip_ap.proof.signatures import declared_signatures
from nip_ap.reporting.formats import write_reports
from tests.reporting.reports import made_report, result


def explained(subject):
    stream = io.StringIO()
    explain(subject, stream)
    return stream.getvalue()


def test_every_clause_tells_its_text_its_checks_and_its_rogues():
    signatures = declared_signatures({})
    for clause in register():
        text = explained(clause.id)
        assert clause.text in text
        for check in declarations():
            if clause.id in check.clauses:
                assert check.check_id() in text
        for one in signatures:
            if clause.id in one.red:
                assert f"{one.name}: {one.because}" in text
                assert one.remedy in text


def test_every_rogue_tells_its_remedy_and_its_clauses():
    for one in declared_signatures({}):
        text = explained(one.name)
        assert one.because in text
        assert one.remedy in text
        assert all(clause in text for clause in one.red)


def test_reports_tell_the_history_of_a_clause(tmp_path):
    for number, verdict in enumerate((Verdict.FAIL, Verdict.PASS)):
        report = made_report([result("AP-REPL-03", verdict)], started=86_400.0 * number)
        write_reports(report, tmp_path / "mine" / str(number))
    stream = io.StringIO()
    explain("tie-highest-id", stream, tmp_path)
    told = [line.strip() for line in stream.getvalue().splitlines()]
    assert f"AP-REPL-03 in 2 reports below {tmp_path}:" in told
    at = told.index(f"AP-REPL-03 in 2 reports below {tmp_path}:")
    assert [line.rpartition(": ")[2] for line in told[at + 1 : at + 3]] == ["fail", "pass"]


@pytest.mark.parametrize(
    "form", ["{0.clauses[0]}/{0.name}", "{0.name}", "{0.clauses[0]}/{0.name}[x]"]
)
def test_a_check_is_found_by_its_id_and_by_its_name(form):
    check = next(one for one in declarations() if one.clauses[0] == "AP-REPL-03")
    text = explained(form.format(check))
    assert "what it does:\n" in text
    assert "AP-REPL-03 MUST: Within one second the lowest id is the head" in text
    assert "tie-highest-id" in text


def test_case_does_not_matter_in_a_clause():
    assert explained("ap-repl-03") == explained("AP-REPL-03")


def test_what_comes_close_to_a_slip_is_named():
    with pytest.raises(UnknownSubject, match=r"did you mean .*tie-highest-id"):
        explain("tie-higest-id", io.StringIO())
    done = CliRunner().invoke(cli.main, ["explain", "\x1b[31m"])
    assert done.exit_code == 4
    assert "`nip-ap clauses` lists all" in done.output
    assert "\x1b" not in done.output
