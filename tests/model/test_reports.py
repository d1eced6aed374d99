"""Reports: valid against their schema, well-formed, and free of secrets."""

from __future__ import annotations

import base64
import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import orjson
import pytest

from nip_ap.model.capabilities import NO, YES, Capabilities, Capability
from nip_ap.model.clauses import NOVEMBER, register
from nip_ap.model.greeting import CHALLENGING
from nip_ap.model.judgement import Control
from nip_ap.model.report import FORMAT, Document, transcript_name
from nip_ap.model.result import Result
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Subject
from nip_ap.model.verdict import Verdict
from nip_ap.nostr import Draft, Filter, SecretKey
from nip_ap.reporting import ReportUnreadable, TargetName, read_report, report_of, write_reports
from nip_ap.resources import resource
from nip_ap.targets import BundledTarget
from nip_ap.wire import Frame, HttpDoor, LiveNetwork, Transcript, WebSocketDoor

SCHEMA = json.loads(resource("reports/report.schema.json").read_text())
PUBLISHED = Path(__file__).parents[2] / "reports" / "published"
NASTY = 'two\nlines, \x00 \x1b[31m <tag> & "quotes" ]]> \ufffe é 🦫'


def result(number, verdict, **more):
    clause = list(register())[number].id
    return Result(
        f"{clause}/a_check_of_{verdict.name.lower()}[ws]",
        (clause,),
        verdict,
        reason="" if verdict is Verdict.PASS else NASTY,
        frames=(Frame(0.25, "owner", "ws", "sent", NASTY),),
        seconds=0.5,
        **more,
    )


def run_of(*results, manifest=None):
    found = {
        "auth": Capability("auth", YES, "seen", True),
        "count": Capability("count", NO, "no", True),
    }
    capabilities = Capabilities(found, NOVEMBER, "probed", {"name": "a relay", "software": 7})
    return Run(
        Subject("", "ws://127.0.0.1:1", capabilities),
        Settings("seed", only=("SLUG",)),
        tuple(one.check for one in results) if manifest is None else manifest,
        results,
    )


EVERYTHING = run_of(
    *(
        result(
            number,
            verdict,
            expected=NASTY,
            seen=NASTY,
            controls=(Control("refused", "accepted", "tag d"),),
            notes=(NASTY,),
            facts={"window": 900, "nested": {"a": [1, None]}},
        )
        for number, verdict in enumerate(Verdict)
    ),
    manifest=("AP-SLUG-01/never_ran",),
)


def report(run):
    return report_of(run, register(), started=0.0, seconds=1.25, target=TargetName(), workers=2)


def complaints(document):
    plain = json.loads(
        orjson.dumps(document.to_json() if isinstance(document, Document) else document)
    )
    return [error.message for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(plain)]


def test_the_schema_is_a_schema_and_closed_everywhere():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def objects(node):
        if isinstance(node, dict):
            if "properties" in node and "type" in node:
                yield node
            for value in node.values():
                yield from objects(value)
        elif isinstance(node, list):
            for value in node:
                yield from objects(value)

    found = list(objects(SCHEMA))
    assert len(found) > 8
    assert all(one["additionalProperties"] is False for one in found)
    optional = [set(one["properties"]) - set(one["required"]) for one in found]
    assert set().union(*optional) <= {
        "frames",
        "rule",
        "by_rule",
        "scenarios",
        "latency",
        "connection",
        "kind",
        "log",
        "known",
        "baseline",
    }


@pytest.mark.parametrize(
    "run",
    [EVERYTHING, run_of(result(0, Verdict.PASS)), run_of()],
    ids=["every verdict", "one pass", "nothing"],
)
def test_a_report_is_valid(run):
    document = report(run).document
    assert document.format == FORMAT
    assert complaints(document) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d.update(extra=1),
        lambda d: d.pop("seed", None) or d["run"].pop("seed"),
        lambda d: d["checks"][0].update(verdict="green"),
        lambda d: d["checks"][0].update(id="no id"),
        lambda d: d["checks"][0].update(secret="x"),
        lambda d: d["clauses"][0].pop("source"),
        lambda d: d["counts"].pop("fail"),
        lambda d: d.update(verdict="fine"),
        lambda d: d["counts"].update(fail=1),
        lambda d: d["target"].update(url="http://x"),
    ],
)
def test_a_damaged_report_is_not_valid(damage):
    document = report(run_of(result(0, Verdict.PASS))).document.to_json()
    assert complaints(document) == []
    damage(document)
    assert complaints(document)


@pytest.fixture
def written(tmp_path):
    write_reports(report(EVERYTHING), tmp_path)
    return tmp_path


def test_every_file_is_written(written):
    names = {path.name for path in written.iterdir()}
    assert names >= {"report.json", "junit.xml", "transcripts"}


def test_junit_has_one_testcase_a_check_with_its_clauses(written):
    root = ElementTree.parse(written / "junit.xml").getroot()
    cases = root.findall(".//testcase")
    ids = [f"{case.get('classname')}/{case.get('name')}" for case in cases]
    assert sorted(ids) == sorted(one.check for one in EVERYTHING.results)
    for case in cases:
        found = {one.get("name"): one.get("value") for one in case.findall("properties/property")}
        assert found["clause"] == case.get("classname")
        assert found["verdict"] in [str(verdict) for verdict in Verdict]


@pytest.mark.parametrize(
    ("verdict", "element"),
    [
        (Verdict.FAIL, "failure"),
        (Verdict.UNSTABLE, "failure"),
        (Verdict.ERROR, "error"),
        (Verdict.INCONCLUSIVE, "error"),
        (Verdict.NOT_APPLICABLE, "skipped"),
        (Verdict.WARN, "system-out"),
        (Verdict.PASS, None),
    ],
)
def test_junit_puts_each_verdict_into_its_element(written, verdict, element):
    root = ElementTree.parse(written / "junit.xml").getroot()
    (case,) = [
        one
        for one in root.findall(".//testcase")
        if one.find(f"properties/property[@value='{verdict}']") is not None
    ]
    found = [one.tag for one in case if one.tag != "properties"]
    assert found == ([element] if element else [])


def test_junit_counts_what_it_holds(written):
    for suite in ElementTree.parse(written / "junit.xml").getroot():
        for name, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(name)) == len(suite.findall(f"testcase/{element}"))
        assert int(suite.get("tests")) == len(suite.findall("testcase"))


def test_each_check_has_the_transcript_that_it_names(written):
    document = json.loads((written / "report.json").read_text())
    for check in document["checks"]:
        (line,) = (written / check["transcript"]).read_text().splitlines()
        assert json.loads(line)["text"] == NASTY


def test_the_transcripts_of_an_earlier_run_are_taken_away(tmp_path):
    write_reports(report(EVERYTHING), tmp_path)
    write_reports(report(run_of(result(0, Verdict.PASS))), tmp_path)
    assert len(list((tmp_path / "transcripts").iterdir())) == 1


def test_transcript_names_are_unique_and_plain():
    checks = [
        "AP-SLUG-01/x[é]",
        "AP-SLUG-01/x[è]",
        "AP-SLUG-01/x[/../..]",
        "AP-SLUG-01/" + "x" * 300,
    ]
    names = [transcript_name(check) for check in checks]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]{1,130}\.jsonl", name) for name in names)


# -- secrets ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def relay():
    target = BundledTarget()
    target.start()
    yield target
    target.stop()


def test_a_transcript_holds_no_secret_key_and_no_nip_98_header(relay, monkeypatch):
    import time

    key, transcript, sent = SecretKey.fresh(), Transcript(), []
    common = {"who": "owner", "key": key, "transcript": transcript, "now": lambda: int(time.time())}
    ws = WebSocketDoor(relay.url, greeting=CHALLENGING, **common)
    http = HttpDoor(relay.url, network=LiveNetwork(), **common)
    credentials = http.credentials
    monkeypatch.setattr(http, "credentials", lambda *of: sent.append(credentials(*of)) or sent[-1])
    event = Draft(30175, int(time.time()), (("d", "x"),), "{}").signed_by(key)
    assert ws.publish(event).accepted
    assert http.query([Filter.of(kinds=[30175], authors=[key.pubkey])]).events == (event,)
    ws.close()
    http.close()
    headers = [one["Authorization"] for one in sent]
    text = "\n".join(frame.text for frame in transcript.frames)
    assert len(headers) == 1
    assert event.id in text
    assert "POST /query [Authorization]" in text
    assert headers[0] not in text
    assert headers[0].removeprefix("Nostr ") not in text
    assert json.loads(base64.b64decode(headers[0][6:]))["sig"] not in text
    assert key.secret_hex() not in text


def test_x_pubkey_is_named_without_its_value(relay):
    transcript, key = Transcript(), SecretKey.fresh()
    door = HttpDoor(
        relay.url, who="o", key=key, transcript=transcript, now=lambda: 0,
        network=LiveNetwork(), auth="x-pubkey",
    )  # fmt: skip
    door.query([Filter.of(kinds=[30175], ids=["0" * 64])])
    door.close()
    assert "[X-Pubkey]" in transcript.frames[0].text
    assert key.pubkey not in transcript.frames[0].text


def test_after_its_end_a_transcript_takes_nothing_more():
    transcript = Transcript()
    transcript.note("before")
    transcript.close()
    transcript.note("after")
    assert [frame.text for frame in transcript.frames] == ["before"]


# -- reading --------------------------------------------------------------------------------------


def test_a_report_is_read_as_it_was_written(tmp_path):
    made = report(EVERYTHING)
    write_reports(made, tmp_path)
    for path in (tmp_path, tmp_path / "report.json"):
        found = read_report(path)
        assert found.document == made.document
        assert {check: tuple(frames) for check, frames in found.transcripts.items()} == {
            check: tuple(frames) for check, frames in made.transcripts.items()
        }


def test_a_report_alone_shows_the_last_frames_of_what_is_red(tmp_path):
    write_reports(report(EVERYTHING), tmp_path)
    shutil.rmtree(tmp_path / "transcripts")
    found = read_report(tmp_path)
    shown = {check.verdict: len(found.transcripts[check.id]) for check in found.checks}
    assert shown["fail"] == shown["warn"] == 1
    assert shown["pass"] == shown["not applicable"] == 0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read"),
        ("{", "is not JSON"),
        ("[]", "the document"),
        ('{"format": "other"}', "not a report of the format"),
    ],
)
def test_what_is_no_report_is_named(tmp_path, content, reason):
    path = tmp_path / "report.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ReportUnreadable, match=reason):
        read_report(tmp_path)


def test_the_place_of_what_is_wrong_in_a_report_is_named(tmp_path):
    write_reports(report(EVERYTHING), tmp_path)
    document = json.loads((tmp_path / "report.json").read_text())
    document["checks"][0]["verdict"] = "green"
    (tmp_path / "report.json").write_text(json.dumps(document))
    with pytest.raises(ReportUnreadable, match="checks/0/verdict"):
        read_report(tmp_path)


def test_a_broken_transcript_is_named(tmp_path):
    write_reports(report(EVERYTHING), tmp_path)
    check = EVERYTHING.results[0].check
    (tmp_path / "transcripts" / transcript_name(check)).write_text('{"at": 1}\n')
    with pytest.raises(ReportUnreadable, match="is not a transcript"):
        read_report(tmp_path).transcripts[check]


@pytest.mark.parametrize(
    "path", sorted(PUBLISHED.glob("*/report.json")), ids=lambda p: p.parent.name
)
def test_published_reports_can_be_read(path):
    assert read_report(path).checks
