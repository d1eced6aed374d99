"""The reference relay is run once for what it depends on, and rehearsed from then on."""

import shutil
from types import SimpleNamespace

import pytest

from nip_ap.engine.declarations import declarations
from nip_ap.model.capabilities import Capabilities
from nip_ap.model.clauses import NOVEMBER
from nip_ap.model.result import Result
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Subject
from nip_ap.model.verdict import Verdict
from nip_ap.proof import recordings
from nip_ap.proof.cache import Cache
from nip_ap.proof.recordings import reference_run, version_of_the_suite
from nip_ap.proof.role import ProofBroken
from nip_ap.proof.session import files_of_groups, workers_for

SETTINGS = Settings("s", spec=NOVEMBER)
SUBJECT = Subject("reference", "ws://relay.example", Capabilities({}, NOVEMBER, ""))
GALLERY = SimpleNamespace(settings=SETTINGS, subject=lambda name: SUBJECT)
FILES = files_of_groups(frozenset({"SLUG", "GATE"}))


@pytest.fixture
def asked(monkeypatch):
    """The files of each run that was asked for; every check of theirs passes."""
    found = []

    def run_checks(settings, subjects, files, workers, on_result):
        found.append(list(files))
        checks = [one for one in declarations() if one.file in files]
        results = [Result(one.check_id(), one.clauses, Verdict.PASS) for one in checks]
        return [Run(SUBJECT, settings, tuple(one.check for one in results), tuple(results))]

    monkeypatch.setattr(recordings, "run_checks", run_checks)
    return found


def recorded(files, cache):
    return reference_run(GALLERY, files, 1, cache, None)


def test_a_second_proof_runs_the_reference_no_more(asked, tmp_path):
    first, second = (recorded(FILES, Cache(tmp_path)) for _ in range(2))
    assert asked == [FILES]
    assert [one.check for one in second.run.results] == [one.check for one in first.run.results]
    assert second.name == first.name
    assert second.run.is_complete


def test_only_the_files_that_are_not_kept_are_run(asked, tmp_path):
    recorded(FILES[:1], Cache(tmp_path))
    recorded(FILES, Cache(tmp_path))
    assert asked == [FILES[:1], FILES[1:]]


def test_without_a_cache_every_proof_runs_the_reference(asked):
    for _ in range(2):
        recorded(FILES, Cache(None))
    assert asked == [FILES, FILES]


def test_a_reference_that_does_not_conform_is_no_reference(monkeypatch, tmp_path):
    red = Result("AP-SLUG-02/x", ("AP-SLUG-02",), Verdict.FAIL)
    run = Run(SUBJECT, SETTINGS, (red.check,), (red,))
    monkeypatch.setattr(recordings, "run_checks", lambda *given: [run])
    with pytest.raises(ProofBroken, match="the reference relay itself is not conformant"):
        recorded(FILES, Cache(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_the_version_changes_with_the_relay_and_not_with_its_rogues(monkeypatch, tmp_path):
    relay = tmp_path / "nip_ap_relay"
    origin = recordings.Path(recordings.nip_ap_relay.__file__).parent
    shutil.copytree(origin, relay, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(recordings.nip_ap_relay, "__file__", str(relay / "__init__.py"))
    before = version_of_the_suite(SETTINGS)
    (relay / "rogues" / "new.py").write_text("")
    assert version_of_the_suite(SETTINGS) == before
    (relay / "policy.py").write_text("")
    assert version_of_the_suite(SETTINGS) != before


def test_the_version_changes_with_the_seed():
    assert version_of_the_suite(SETTINGS) != version_of_the_suite(Settings("t", spec=NOVEMBER))


@pytest.mark.parametrize(("checks", "workers"), [(1, 1), (59, 1), (60, 2), (10_000, 10)])
def test_another_process_has_to_be_worth_it(checks, workers):
    assert workers_for(checks, 10) == workers
