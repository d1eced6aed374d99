"""A certificate verifies, and is refused with the reason whatever was done to it."""

from __future__ import annotations

import json

import pytest

from nip_ap.nostr import Event, SecretKey
from tests.certificate.conftest import LIMIT, nip_ap, write_key

ANOTHER = SecretKey.derived("tests", "another issuer")
REFUSED_CHECK = "AP-SLUG-03/a_persona_without_d_is_refused[ws]"
OTHER_CHECK = "AP-SLUG-02/an_empty_slug_is_refused[ws]"


def test_a_full_run_is_judged_again_and_agrees_check_by_check(copy):
    found = copy.verify("--issuer", copy.issuer.pubkey)
    assert (found.code, found.outcome, found.faults) == (0, "verified", [])
    report = json.loads((copy.folder / "report.json").read_text())
    assert found.judged_again["agreeing"] == len(report["checks"]) > 400
    assert found.judged_again["differing"] == {}
    assert found.judged_again["beyond"] == {}
    assert found.level == "full"


def test_without_transcripts_it_verifies_as_far_as_that_goes(copy):
    found = copy.verify(report=False)
    assert (found.code, found.judged_again) == (5, None)


def test_the_certificate_is_a_valid_event_that_fits_through_a_relay(copy):
    event = Event.from_json(copy.event)
    assert (event.kind, event.problems, event.pubkey) == (30078, (), copy.issuer.pubkey)
    assert copy.file.stat().st_size < 65_536
    assert event.tag_values("L") == ("nip-ap-conformance",)


# -- tampering ---------------------------------------------------------------------------


def forged_signature(copy):
    copy.edits(sig=f"{int(copy.event['sig'], 16) ^ 1:0128x}")
    return "forged"


def signature_of_another(copy):
    copy.edits(pubkey=ANOTHER.pubkey)
    return "the signature is not one of"


def edited_verdict(copy):
    content = copy.content
    content["checks"][0][1] = "warn"
    copy.edits(content=json.dumps(content))
    return "changed after signing"


def edited_seed(copy):
    copy.edits(content=json.dumps(copy.content | {"run": copy.content["run"] | {"seed": "x"}}))
    return "changed after signing"


def edited_time(copy):
    copy.edits(created_at=copy.event["created_at"] + 86_400)
    return "changed after signing"


def edited_time_signed(copy):
    copy.signs(copy.content, at=copy.event["created_at"] + 86_400)
    return "said to have ended at"


def another_day_signed(copy):
    content = copy.content
    content["run"]["started"] = "2031-01-01T00:00:00+00:00"
    copy.signs(content, at=1_924_992_000 + round(content["run"]["seconds"]))
    return "report.json has the started"


def removed_check(copy):
    content = copy.content
    gone = content["checks"].pop(3)[0]
    copy.signs(content)
    return f"{gone} of this suite: no verdict"


def added_check(copy):
    content = copy.content
    content["checks"].append(["AP-SLUG-01/an_easy_one", "pass", "0" * 12])
    copy.signs(content)
    return "AP-SLUG-01/an_easy_one: no check of this suite"


def check_listed_twice(copy):
    content = copy.content
    content["checks"].append(content["checks"][0])
    copy.signs(content)
    return "more than one verdict"


def failed_check_listed(copy):
    content = copy.content
    content["checks"][0][1] = "fail"
    copy.signs(content)
    return "did not hold"


def other_register(copy):
    content = copy.content
    content["suite"]["register_sha256"] = "0" * 64
    copy.signs(content)
    return "another register of clauses"


def other_code(copy):
    content = copy.content
    content["suite"]["code_sha256"] = "0" * 64
    copy.signs(content)
    return "other code of version"


def higher_level(copy):
    content = copy.content
    content["capabilities"]["threads"] = "no"
    copy.signs(content)
    return "the level is said to be 'full'"


def another_relays_name(copy):
    content = copy.content
    content["target"]["software"] = "a-better-relay"
    copy.signs(content)
    return "the `d` tag names"


def truncated_transcript(copy):
    lines = copy.transcript(REFUSED_CHECK).read_bytes().splitlines(keepends=True)
    copy.rewrites(copy.transcript(REFUSED_CHECK), b"".join(lines[:-2]))
    return f"{REFUSED_CHECK}: the transcript is not the one that was signed"


def swapped_transcripts(copy):
    one, other = (copy.transcript(check).read_bytes() for check in (REFUSED_CHECK, OTHER_CHECK))
    copy.rewrites(copy.transcript(REFUSED_CHECK), other)
    copy.rewrites(copy.transcript(OTHER_CHECK), one)
    return f"it is that of {OTHER_CHECK}"


def missing_transcript(copy):
    copy.transcript(REFUSED_CHECK).unlink()
    return "no transcript at"


def flipped_in_the_report(copy):

    def flip(document):
        check = next(one for one in document["checks"] if one["id"] == REFUSED_CHECK)
        check.update(verdict="warn", reason="x", expected="x", seen="x")

    copy.edits_report(flip)
    return f"report.json has warn for {REFUSED_CHECK}, and pass was signed"


def edited_preflight(copy):
    file = copy.folder / "transcripts/preflight.jsonl"
    copy.rewrites(file, file.read_bytes().replace(b"auth-required", b"authrequired"))
    return "the preflight's transcript"


def accepts(frames):
    """A refusal turned into an acceptance."""
    for one in frames:
        if one["direction"] == "received" and one["text"].startswith('["OK"'):
            one["text"] = one["text"].replace(",false,", ",true,")
    return frames


def edited_frame_signed_by_the_issuer(copy):
    """The relay really accepted; the issuer signs that it held all the same."""
    copy.edits_frames(REFUSED_CHECK, accepts)
    copy.signs(copy.with_digests(copy.content))
    return f"{REFUSED_CHECK}: judged again: pass was signed, fail is found"


def left_out_signed(copy):
    """The frames that would tell are left out, and the rest is signed."""
    copy.edits_frames(REFUSED_CHECK, lambda frames: frames[:-3])
    copy.signs(copy.with_digests(copy.content))
    return f"{REFUSED_CHECK}: judged again: pass was signed, error is found: the transcript does"


def seed_signed(copy):
    """Another seed, in the report as well: the keys are not those that the seed gives."""
    copy.edits_report(lambda document: document["run"].update(seed="another"))
    content = copy.content
    content["run"]["seed"] = content["run"]["settings"]["seed"] = "another"
    copy.signs(content)
    return "judged again, the preflight does not agree"


def capability_hidden(copy):
    """What the relay offers is denied, so that its checks need not apply."""
    content = copy.content
    content["capabilities"]["search"] = "no"
    of_search = ("AP-GATE-13", "AP-READ-14")
    for one in content["checks"]:
        if one[0].startswith(of_search):
            one[1] = "not applicable"

    def deny(document):
        for one in document["checks"]:
            if one["id"].startswith(of_search):
                one.update(verdict="not applicable", reason="x")
        verdicts = [one["verdict"] for one in document["checks"]]
        document["counts"] = {one: verdicts.count(one) for one in document["counts"]}
        for one in document["capabilities"]:
            if one["name"] == "search":
                one["offered"] = "no"

    copy.edits_report(deny)
    content["level"] = "core + bridge + threads + gate + teams + catalogs + instructions"
    copy.resigns(content)
    return "search no was signed, yes is found"


TAMPERING = [
    forged_signature,
    signature_of_another,
    edited_verdict,
    edited_seed,
    edited_time,
    edited_time_signed,
    another_day_signed,
    removed_check,
    added_check,
    check_listed_twice,
    failed_check_listed,
    other_register,
    other_code,
    higher_level,
    another_relays_name,
    truncated_transcript,
    swapped_transcripts,
    missing_transcript,
    flipped_in_the_report,
    edited_preflight,
    seed_signed,
    capability_hidden,
]


@pytest.mark.parametrize("tamper", TAMPERING, ids=lambda one: one.__name__)
def test_tampering_is_refused_with_its_reason(copy, nothing_judged_again, tamper):
    reason = tamper(copy)
    faults = copy.faults()
    assert any(reason in fault for fault in faults), faults


@pytest.mark.parametrize(
    "tamper", [edited_frame_signed_by_the_issuer, left_out_signed], ids=lambda one: one.__name__
)
def test_what_the_frames_alone_tell_is_found_when_they_are_judged_again(copy, tamper):
    reason = tamper(copy)
    found = copy.verify()
    assert (found.code, found.outcome) == (1, "refused")
    assert any(reason in fault for fault in found.faults), found.faults


def test_signed_anew_by_another_it_is_not_the_issuers(copy):
    copy.edits_frames(REFUSED_CHECK, lambda frames: frames[:-1])
    copy.signs(copy.with_digests(copy.content), key=ANOTHER)
    found = copy.verify("--issuer", copy.issuer.pubkey)
    assert found.code == 1
    assert found.faults == [
        f"another issuer signed it: {ANOTHER.pubkey}, and not {copy.issuer.pubkey}"
    ]


def test_the_transcripts_of_another_run_are_refused(copy, tmp_path):
    """Of the same relay and seed, a little later: every frame may be genuine."""
    other = nip_ap(
        "run", "--seed", "certified", "--only", "AP-SLUG-03", "--out", tmp_path / "other"
    )
    assert other.code == 0
    theirs = tmp_path / "other" / copy.transcript(REFUSED_CHECK).relative_to(copy.folder)
    copy.rewrites(copy.transcript(REFUSED_CHECK), theirs.read_bytes())
    found = copy.verify()
    assert found.code == 1
    assert found.faults[0] == f"{REFUSED_CHECK}: the transcript is not the one that was signed"


def test_another_version_of_the_suite_is_no_fault_and_no_proof(copy):
    content = copy.content
    content["suite"]["version"] = "9.9.9"
    copy.signs(content)
    found = copy.verify()
    assert (found.code, found.outcome, found.faults) == (2, "undecided", [])
    assert "pip install nip-ap-conformance==9.9.9" in found.doubts[0]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", "it is not JSON"),
        (b"[]", "it is not a Nostr event"),
        (b'{"kind":1}', "it is not a Nostr event: missing field"),
    ],
)
def test_what_is_no_certificate_is_refused(tmp_path, data, reason):
    (tmp_path / "c.json").write_bytes(data)
    done = nip_ap("verify", tmp_path / "c.json")
    assert (done.code, done.err) == (1, "")
    assert reason in done.out


def test_what_cannot_be_asked_is_a_usage_error(tmp_path, copy):
    for arguments, reason in (
        ((tmp_path / "nowhere.json",), "cannot be read"),
        ((copy.file, "--issuer", "npub1"), "64 lower-case hex digits"),
        (("ws://127.0.0.1:9",), "--issuer PUBKEY"),
    ):
        done = nip_ap("verify", *arguments)
        assert done.code == 4
        assert reason in done.err


# -- secrets -----------------------------------------------------------------------------


def test_the_issuers_key_is_nowhere(copy):
    canary = copy.issuer.secret_hex()
    for file in copy.folder.rglob("*"):
        if file.is_file():
            assert canary not in file.read_text(errors="replace"), file
    words = ("--issuer", copy.issuer.pubkey, "--limit", LIMIT)
    done = nip_ap("verify", copy.folder, *words)
    assert done.code == 0
    assert canary not in done.out + done.err


def test_it_is_published_on_a_relay_and_verified_from_there(copy, tmp_path):
    from nip_ap.certificate.document import certificate_of
    from nip_ap.certificate.issuing import Issuer, issuer_key, publish
    from nip_ap.targets import BundledTarget

    target = BundledTarget()
    target.start()
    try:
        key = issuer_key(write_key(tmp_path / "k", copy.issuer))
        publish(certificate_of(Event.from_json(copy.event)), Issuer(key, target.url))
        found = nip_ap("verify", target.url, "--issuer", key.pubkey, "--partial")
        assert (found.code, found.err) == (0, "")
        assert "verified" in found.out
        other = nip_ap("verify", target.url, "--issuer", ANOTHER.pubkey)
        assert other.code == 3
        assert f"has no certificate by {ANOTHER.pubkey}" in other.err
    finally:
        target.stop()


def test_with_keys_of_the_issuers_it_is_judged_again_without_them(tmp_path, issuer):
    """What such a key signed is taken from the transcripts, and has to verify."""
    roles = {role: SecretKey.fresh() for role in ("stranger", "limited", "users-only")}
    keys, out = tmp_path / "keys.json", tmp_path / "out"
    keys.write_text(json.dumps({role: key.secret_hex() for role, key in roles.items()}))
    keys.chmod(0o600)
    done = nip_ap(
        *("run", "--keys", keys, "--out", out, "--examples", "5"),
        *("--certify", write_key(tmp_path / "key", issuer)),
    )
    assert done.code == 0, done.out
    keys.unlink()
    words = ("verify", out, "--issuer", issuer.pubkey, "--json", "--limit", LIMIT)
    found = json.loads(nip_ap(*words).out)
    assert (found["outcome"], found["faults"]) == ("verified", [])
    secrets = [key.secret_hex() for key in (*roles.values(), issuer)]
    for file in out.rglob("*"):
        if file.is_file():
            text = file.read_text(errors="replace")
            assert not any(secret in text for secret in secrets), file
            assert "Nostr ey" not in text, f"a NIP-98 header in {file}"
