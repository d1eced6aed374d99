"""What a certificate is made from, and what it is refused for."""

from __future__ import annotations

import pytest

from nip_ap.certificate.document import against
from nip_ap.certificate.issuing import IssuerError, issuer_key
from nip_ap.certificate.levels import CORE_GROUPS, Judged
from nip_ap.model.capabilities import Capabilities
from nip_ap.model.clauses import NOVEMBER, register
from nip_ap.model.result import Result
from nip_ap.model.run import Run
from nip_ap.model.settings import Settings
from nip_ap.model.subject import Subject
from nip_ap.model.verdict import Verdict
from nip_ap.nostr import SecretKey
from tests.certificate.conftest import nip_ap, write_key

CHECKS = ("AP-SLUG-01/a", "AP-SLUG-02/b", "AP-SLUG-03/c")


def run_of(*verdicts, manifest=CHECKS, **settings):
    results = tuple(
        Result(check, (check.partition("/")[0],), verdict)
        for check, verdict in zip(CHECKS, verdicts, strict=False)
    )
    subject = Subject("", "ws://127.0.0.1:9", Capabilities({}, NOVEMBER, ""))
    return Run(subject, Settings("seed", **settings), manifest, results)


GOOD = (Verdict.PASS, Verdict.WARN, Verdict.NOT_APPLICABLE)


def test_a_whole_conformant_run_can_be_certified():
    assert against(run_of(*GOOD), CHECKS) == []


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (run_of(*GOOD, only=("SLUG",)), "it was filtered: --only SLUG"),
        (run_of(*GOOD, repeat=2), "checks were repeated"),
        (run_of(*GOOD[:2], manifest=CHECKS[:2]), "1 check of the suite left out, such as"),
        (run_of(*GOOD[:2]), "1 check without a result, such as AP-SLUG-03/c"),
        (run_of(*GOOD, manifest=CHECKS[:2]), "1 check run more than once"),
        (run_of(Verdict.PASS, Verdict.FAIL, Verdict.PASS), "the run is not conformant"),
        (run_of(Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.PASS), "the run is inconclusive"),
        (run_of(Verdict.PASS, Verdict.UNSTABLE, Verdict.PASS), "the run is not conformant"),
        (run_of(), "without a result"),
    ],
)
def test_another_run_cannot(run, reason):
    assert reason in "; ".join(against(run, CHECKS))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "--certify needs --out DIR"),
        (("--out", "x", "--only", "SLUG"), "a filtered run cannot be certified"),
        (("--out", "x", "--repeat", "3"), "--certify and --repeat"),
    ],
)
def test_it_is_said_before_the_run_that_a_run_cannot_be_certified(tmp_path, arguments, reason):
    key = write_key(tmp_path / "key", SecretKey.fresh())
    done = nip_ap("run", "--certify", key, *arguments)
    assert done.code == 4
    assert reason in done.err
    assert done.out == ""


def test_publish_alone_is_a_usage_error():
    done = nip_ap("run", "--publish", "ws://127.0.0.1:9")
    assert (done.code, "--certify KEYFILE" in done.err) == (4, True)


def test_a_key_that_others_may_read_is_refused(tmp_path):
    key = write_key(tmp_path / "key", SecretKey.fresh())
    assert issuer_key(key).pubkey
    for mode in (0o640, 0o604, 0o644):
        key.chmod(mode)
        with pytest.raises(IssuerError, match="chmod 600"):
            issuer_key(key)


@pytest.mark.parametrize("text", ["", "zz" * 32, "12" * 31, "0" * 64, "f" * 64, "caf\xe9"])
def test_a_key_file_without_a_key_is_refused_and_not_repeated(tmp_path, text):
    file = tmp_path / "key"
    file.write_bytes(text.encode("latin-1"))
    file.chmod(0o600)
    with pytest.raises(IssuerError) as error:
        issuer_key(file)
    assert not text or text not in str(error.value)


def test_a_relay_that_is_not_conformant_gets_no_certificate(tmp_path):
    from nip_ap.targets import BundledTarget

    target = BundledTarget(("--rogue", "slug-max-63"))
    target.start()
    try:
        key = write_key(tmp_path / "key", SecretKey.fresh())
        out = tmp_path / "out"
        out.mkdir()
        (out / "certificate.json").write_text("{}")
        done = nip_ap("run", target.url, "--certify", key, "--out", out)
    finally:
        target.stop()
    assert done.code == 1
    assert "no certificate: the run is not conformant: 1 clause broken: AP-SLUG-01" in done.out
    assert not (out / "certificate.json").exists(), "an older one must not be taken for this run's"


# -- levels ------------------------------------------------------------------------------


def level(offered, **verdicts):
    """The level where each group has one check that passed, but for those given."""
    groups = (*CORE_GROUPS, "HTTP", "THREAD", "GATE")
    found = {f"AP-{group}-01/x": verdicts.get(group, Verdict.PASS) for group in groups}
    return Judged(found, offered, NOVEMBER, register()).level


ALL = {"http": "yes", "threads": "yes", "channels": "yes"}
NONE = Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (level(ALL), "full"),
        (level(ALL | {"http": "no"}, HTTP=NONE), "core + threads + gate"),
        (level(ALL | {"threads": "no"}, THREAD=NONE), "core + bridge + gate"),
        (level(ALL, GATE=NONE), "core + bridge + threads"),
        (level({}, HTTP=NONE, THREAD=NONE, GATE=NONE), "core"),
        (level(ALL, READ=NONE), ""),
    ],
)
def test_the_level_says_what_was_judged(found, expected):
    assert found == expected


def level_of_the_family(offered, **verdicts):
    """The level where the suite had probed for the agent family."""
    groups = (*CORE_GROUPS, "HTTP", "THREAD", "GATE", "TEAM", "CAT", "INSTR")
    found = {f"AP-{group}-01/x": verdicts.get(group, Verdict.PASS) for group in groups}
    return Judged(found, ALL | FAMILY | offered, NOVEMBER, register()).level


FAMILY = {"managed-agents": "yes", "team-catalog": "yes", "instructions": "yes"}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (level_of_the_family({}), "full"),
        (
            level_of_the_family({"instructions": "no"}, INSTR=NONE),
            "core + bridge + threads + gate + teams + catalogs",
        ),
        (
            level_of_the_family(dict.fromkeys(FAMILY, "no"), TEAM=NONE, CAT=NONE, INSTR=NONE),
            "core + bridge + threads + gate",
        ),
        (level(ALL), "full"),
    ],
    ids=["all", "no instructions", "none of the family", "from before the family"],
)
def test_the_levels_have_grown_and_what_was_full_stays_so(found, expected):
    assert found == expected


def test_a_key_file_that_is_not_there_says_how_to_make_one(tmp_path):
    with pytest.raises(IssuerError, match=r"openssl rand -hex 32 > .*issuer.key && chmod 600"):
        issuer_key(tmp_path / "issuer.key")
