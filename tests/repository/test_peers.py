"""The peers: their pages agree with their reports; each starts, stops and gets its verdict.

What needs a relay is marked `peers` and runs where that relay is installed already, by
`tox -e peers` or by `python -m peers` into .peers; NIP_AP_PEERS names another folder. Nothing is
installed here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "reports" / "published"

sys.path.insert(0, str(ROOT))
from peers import declarations, publish, relay  # noqa: E402

PEERS = {peer.name: peer for peer in declarations.PEERS}
WORK = Path(os.environ.get("NIP_AP_PEERS", ROOT / ".peers"))

each_peer = pytest.mark.parametrize("name", sorted(PEERS))


def published(name: str) -> dict[str, object]:
    path = PUBLISHED / name / "report.json"
    if not path.is_file():
        pytest.skip(f"{name} has not been published yet")
    report = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(report, dict)
    return report


@each_peer
def test_a_published_report_is_explained_check_by_check(name: str) -> None:
    assert publish.complaints(published(name), publish.explanations_for(PEERS[name])) == []


@each_peer
def test_a_published_report_keeps_to_the_schema(name: str) -> None:
    schema = json.loads((ROOT / "reports" / "report.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(published(name), schema)


@each_peer
def test_a_published_page_names_each_clause_that_is_not_green(name: str) -> None:
    report = published(name)
    page = (PUBLISHED / name / "README.md").read_text(encoding="utf-8")
    for check in publish.not_green(report):
        assert all(clause in page for clause in check["clauses"]), check["id"]
    assert PEERS[name].version in page


@pytest.mark.peers
@each_peer
def test_a_peer_is_ready_when_it_says_so_and_gone_afterwards(name: str, tmp_path: Path) -> None:
    programs = installed(name)
    with relay.running(PEERS[name], programs, tmp_path / "relay.log") as url:
        assert relay.answers(url)
    assert not relay.answers(url)


@pytest.mark.peers
@each_peer
def test_a_peer_gets_the_published_verdict_again(name: str, tmp_path: Path) -> None:
    programs = installed(name)
    before = published(name)
    nip_ap = Path(sys.executable).parent / "nip-ap"
    with relay.running(PEERS[name], programs, tmp_path / "relay.log") as url:
        words = [str(nip_ap), "run", url, "--only", "SLUG", "--seed", "peers", "--json"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=180)
    again = json.loads(done.stdout)
    verdicts = {check["id"]: check["verdict"] for check in before["checks"]}  # type: ignore[attr-defined]
    assert {check["id"]: check["verdict"] for check in again["checks"]}.items() <= verdicts.items()


def installed(name: str) -> Path:
    """The programs of a peer, or a skip that says how to get them."""
    peer = PEERS[name]
    if not relay.is_installed(peer, WORK):
        pytest.skip(f"{name} is not installed in {WORK}; `python -m peers {name}` installs it")
    return relay.programs_of(peer, WORK)
