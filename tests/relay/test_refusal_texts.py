"""What is refused, and in which words: those of the real relay (docs/real-relay.md 4)."""

from __future__ import annotations

import pytest

from nip_ap.nostr import DELETION, MANAGED_AGENT, PERSONA, TEAM, TEAM_CATALOG, Draft
from nip_ap.nostr.event import as_tags
from nip_ap.resources import data
from nip_ap_relay.kinds import ALL_SCOPES
from nip_ap_relay.policy import JULY, JUNE, NOVEMBER, Caller, Policy, Submission
from nip_ap_relay.store import Store

LONG = "invalid: persona event `d` tag too long ({} chars, max 64)"
FIRST = "invalid: persona event `d` tag must start with a lowercase letter or digit"
REST = "invalid: persona event `d` tag must match [a-z0-9_-] after the first character"
EMPTY = "invalid: persona event `d` tag must not be empty"
COUNT = "invalid: persona event must have exactly one `d` tag (got {})"
SHARED_MANY = "invalid: persona event must have at most one `shared` tag (got {})"
SHARED_SHAPE = 'invalid: persona event `shared` tag must be exactly ["shared","true"] (got [{}])'

TAGS_IN_EVERY_REVISION = [
    ([], COUNT.format(0)),
    ([["t", "x"]], COUNT.format(0)),
    ([["d", "a"], ["d", "a"]], COUNT.format(2)),
    ([["d", "a"], ["d", "b"], ["d", "c"]], COUNT.format(3)),
    ([["d", ""]], EMPTY),
    ([["d", "a" * 65]], LONG.format(65)),
    ([["d", "é" * 33]], LONG.format(66)),
    ([["d", "-" * 65]], LONG.format(65)),
    ([["d", "A"]], FIRST),
    ([["d", "-a"]], FIRST),
    ([["d", "_a"]], FIRST),
    ([["d", " a"]], FIRST),
    ([["d", "éa"]], FIRST),
    ([["d", ".B"]], FIRST),
    ([["d", "aB"]], REST),
    ([["d", "a b"]], REST),
    ([["d", "a\n"]], REST),
    ([["d", "a.b"]], REST),
    ([["d", "aé"]], REST),
    ([["d", "a\0"]], REST),
]
TAGS_BY_REVISION = [
    (JUNE, [["d"]], COUNT.format(0)),
    (JUNE, [["d"], ["d", "x"]], None),
    (NOVEMBER, [["d"]], EMPTY),
    (NOVEMBER, [["d"], ["d", "x"]], COUNT.format(2)),
    (JUNE, [["d", "x"], ["shared", "yes"]], None),
    (JUNE, [["d", "x"], ["shared", "true"], ["shared", "true"]], None),
    (NOVEMBER, [["d", "x"], ["shared", "true"]], None),
    (NOVEMBER, [["d", "x"], ["shared", "yes"]], SHARED_SHAPE.format('"shared","yes"')),
    (NOVEMBER, [["d", "x"], ["shared"]], SHARED_SHAPE.format('"shared"')),
    (NOVEMBER, [["d", "x"], ["shared", "true", "x"]], SHARED_SHAPE.format('"shared","true","x"')),
    (NOVEMBER, [["d", "x"], ["shared", "true"], ["shared", "true"]], SHARED_MANY.format(2)),
    (NOVEMBER, [["d", "-"], ["shared", "no"]], SHARED_SHAPE.format('"shared","no"')),
]
GOOD_TAGS = [
    [["d", "a"]],
    [["d", "0"]],
    [["d", "a" * 64]],
    [["d", "z9-_z9_-"]],
    [["d", "x", "extra"]],
    [["t", "x"], ["d", "x"]],
    [["d", "x"], ["h", "not-a-channel"], ["-"], ["expiration", "1"]],
]


def tagged(tags, at):
    return Draft(PERSONA, at, tuple(map(tuple, tags)), "{}")


@pytest.mark.parametrize("spec", [JUNE, NOVEMBER])
@pytest.mark.parametrize(("tags", "text"), TAGS_IN_EVERY_REVISION, ids=repr)
def test_a_wrong_envelope_is_refused_in_these_words(judge, key, at_the_clock, spec, tags, text):
    assert judge(tagged(tags, at_the_clock).signed_by(key), spec=spec) == text


@pytest.mark.parametrize(("spec", "tags", "text"), TAGS_BY_REVISION, ids=repr)
def test_each_revision_judges_by_its_own_text(judge, key, at_the_clock, spec, tags, text):
    assert judge(tagged(tags, at_the_clock).signed_by(key), spec=spec) == text


@pytest.mark.parametrize("spec", [JUNE, NOVEMBER])
@pytest.mark.parametrize("tags", GOOD_TAGS, ids=repr)
def test_a_good_envelope_is_accepted(judge, key, at_the_clock, spec, tags):
    assert judge(tagged(tags, at_the_clock).signed_by(key), spec=spec) is None


@pytest.mark.parametrize(
    "tags", [[], [["d", ""]], [["d", "A"]], [["d", "a"], ["d", "b"]]], ids=repr
)
def test_the_grammar_does_not_bind_another_addressable_kind(judge, key, at_the_clock, tags):
    draft = tagged(tags, at_the_clock).changed(kind=30078)
    assert judge(draft.signed_by(key)) is None


@pytest.mark.parametrize("content", ["", "not json", "[]", '{"env_vars":{}}', "\0", "🦫"])
def test_content_is_not_judged(judge, key, at_the_clock, content):
    draft = tagged([["d", "x"]], at_the_clock).changed(content=content)
    assert judge(draft.signed_by(key)) is None


# -- the rules before the envelope, and their order -------------------------------------


@pytest.fixture
def good(key, at_the_clock):
    return tagged([["d", "x"]], at_the_clock).signed_by(key)


def test_nobody_is_refused_first(judge, good):
    broken = good.altered(content="x", created_at=0)
    assert judge(broken, caller=None) == "auth-required: not authenticated"


def test_a_foreign_author_is_refused_before_the_signature_is_looked_at(judge, good, other_key):
    text = "invalid: event pubkey does not match authenticated identity"
    assert judge(good.altered(sig="0" * 128), caller=other_key.pubkey) == text


@pytest.mark.parametrize("kind", [22242, 27235])
def test_authentication_events_cannot_be_stored(judge, good, key, kind):
    text = "invalid: AUTH events cannot be submitted via EVENT"
    assert judge(good.resigned(key, kind=kind)) == text


def test_a_wrong_id_is_refused_with_both_ids_before_the_signature(judge, good):
    broken = good.altered(content="other", sig="0" * 128)
    assert judge(broken) == (
        f"invalid: invalid event id: computed {broken.computed_id}, got {good.id}"
    )


@pytest.mark.parametrize("sig", ["0" * 128, "f" * 128])
def test_a_wrong_signature_is_refused(judge, good, sig):
    assert judge(good.altered(sig=sig)) == "invalid: invalid schnorr signature"


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize(
    ("distance", "text"),
    [
        (0, None),
        (899, None),
        (900, None),
        (901, "invalid: event timestamp too far from server time"),
        (10**9, "invalid: event timestamp too far from server time"),
    ],
)
def test_the_clock_guard_lets_exactly_900_seconds_pass(
    judge, key, at_the_clock, sign, distance, text
):
    event = tagged([["d", "x"]], at_the_clock + sign * distance).signed_by(key)
    assert judge(event) == text


def test_the_rules_ask_the_clock_of_the_policy(key, at_the_clock):
    class Late(Policy):
        def now(self):
            return at_the_clock + 901

    policy = Late()
    event = tagged([["d", "x"]], at_the_clock).signed_by(key)
    refusal = policy.refusal(Submission(event, Caller(key.pubkey), policy.now(), Store()))
    assert refusal == "invalid: event timestamp too far from server time"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("x" * 262_144, None),
        ("x" * 262_145, "invalid: content exceeds maximum size of 262144 bytes (got 262145)"),
        ("é" * 131_073, "invalid: content exceeds maximum size of 262144 bytes (got 262146)"),
    ],
    ids=["at the limit", "one over", "one over in bytes"],
)
def test_the_limit_of_content_counts_bytes(judge, good, key, content, text):
    assert judge(good.resigned(key, content=content)) == text


@pytest.mark.parametrize("kind", [2, 4, 6, 41, 1063, 9009, 30024, 30179, 43001])
def test_a_kind_that_no_scope_knows_is_refused(judge, good, key, kind):
    assert judge(good.resigned(key, kind=kind)) == "restricted: unknown event kind"


@pytest.mark.parametrize(
    ("kind", "scope"),
    [(30175, "users:write"), (30078, "users:write"), (0, "users:write"), (1, "messages:write")],
)
def test_a_missing_scope_is_named(good, key, at_the_clock, kind, scope):
    event = good.resigned(key, kind=kind)
    caller = Caller(key.pubkey, frozenset({"messages:read"}))
    refusal = Policy().refusal(Submission(event, caller, at_the_clock, Store()))
    assert refusal == f"restricted: insufficient scope (need {scope})"


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ([], "invalid: missing e or a tag for target"),
        ([["k", "30175"]], "invalid: missing e or a tag for target"),
        ([["a", "nonsense"]], "invalid: invalid a-tag format"),
        ([["a", "30175:xyz:slug"]], "invalid: invalid pubkey in a-tag"),
        ([["a", f"30175:{'0' * 64}:slug"]], "invalid: must be event author"),
    ],
    ids=repr,
)
def test_a_deletion_of_the_wrong_form_is_refused(judge, key, at_the_clock, tags, text):
    event = Draft(DELETION, at_the_clock, tuple(map(tuple, tags))).signed_by(key)
    assert judge(event) == text


@pytest.mark.parametrize(
    ("spec", "known"),
    [
        (JUNE, {PERSONA}),
        (JULY, {PERSONA, TEAM, MANAGED_AGENT, TEAM_CATALOG}),
        (NOVEMBER, {PERSONA, TEAM, MANAGED_AGENT, TEAM_CATALOG}),
    ],
)
def test_a_revision_knows_its_kinds_of_the_family(good, key, at_the_clock, spec, known):
    policy = Policy(spec)
    unknown = "restricted: unknown event kind"
    for kind in (PERSONA, TEAM, MANAGED_AGENT, TEAM_CATALOG):
        event = good.resigned(key, kind=kind)
        submission = Submission(event, Caller(key.pubkey, ALL_SCOPES), at_the_clock, Store())
        assert policy.refusal(submission) == (None if kind in known else unknown)


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ([], "must have exactly one `d` tag (got 0)"),
        ([["d"]], "`d` tag must not be empty"),
        ([["d"], ["d", "x"]], "must have exactly one `d` tag (got 2)"),
        ([["d", ""]], "`d` tag must not be empty"),
        ([["d", "\U0001f44d" * 64]], None),
        ([["d", "x" * 65]], "`d` tag too long (65 chars, max 64)"),
        ([["d", "Builtin-Team:welcome"]], None),
        ([["d", "a b"]], "`d` tag must not contain control characters or whitespace"),
        ([["d", "a\u2003b"]], "`d` tag must not contain control characters or whitespace"),
        ([["d", "a\u009fb"]], "`d` tag must not contain control characters or whitespace"),
        ([["d", "a\u200bb"]], None),
        (
            [["d", "x"], ["shared", "true", ""]],
            '`shared` tag must be exactly ["shared","true"] (got ["shared","true",""])',
        ),
    ],
    ids=repr,
)
def test_a_team_catalog_of_the_wrong_form_is_refused(judge, key, at_the_clock, tags, text):
    event = Draft(TEAM_CATALOG, at_the_clock, tuple(map(tuple, tags)), "{}").signed_by(key)
    assert judge(event) == (text and f"invalid: team catalog event {text}")


@pytest.mark.parametrize("one", data("family/events"), ids=lambda one: one["name"])
def test_the_fixtures_of_the_family_are_what_they_say(judge, key, at_the_clock, one):
    content = one["content"] * one.get("repeat", 1)
    event = Draft(one["kind"], at_the_clock, as_tags(one["tags"]), content).signed_by(key)
    refusal = judge(event)
    assert (refusal or "").startswith("invalid:") is (one["sort"] == "broken"), refusal
