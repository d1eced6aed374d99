"""An independent implementation (PyPI nostr-sdk) agrees on ids, signatures and verdicts."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given, strategies

from nip_ap.nostr import Draft, Event, SecretKey
from tests.nostr.strategies_of_events import drafts, events, kinds, tags, texts, times

sdk = pytest.importorskip("nostr_sdk")

KEY = SecretKey.derived("tests", "sdk")


def theirs(event):
    return sdk.Event.from_json(json.dumps(event.to_json()))


def verdict_of_theirs(event):
    """Whether rust-nostr takes an event for valid; what it cannot parse is not."""
    try:
        return theirs(event).verify()
    except sdk.NostrSdkError:
        return False


def signed_by_theirs(draft):
    builder = (
        sdk.EventBuilder(sdk.Kind(draft.kind), draft.content)
        .tags([sdk.Tag.parse(list(tag)) for tag in draft.tags])
        .custom_created_at(sdk.Timestamp.from_secs(draft.created_at))
    )
    event = builder.finalize(sdk.Keys.parse(KEY.secret_hex()))
    return Event.from_json(json.loads(event.as_json()))


def test_both_derive_the_same_public_key():
    assert sdk.Keys.parse(KEY.secret_hex()).public_key().to_hex() == KEY.pubkey


@given(events)
def test_they_verify_what_we_sign(event):
    other = theirs(event)
    assert (other.id().to_hex(), other.verify()) == (event.id, True)


@given(drafts)
def test_we_verify_what_they_sign_and_give_it_the_same_id(draft):
    event = signed_by_theirs(draft)
    assert event.problems == ()
    assert event.tags == draft.tags
    assert event == draft.signed_by(KEY)


ALTERATIONS = {
    "created_at": times,
    "kind": kinds,
    "tags": tags,
    "content": texts,
    "sig": strategies.binary(min_size=64, max_size=64).map(bytes.hex),
    "id": strategies.binary(min_size=32, max_size=32).map(bytes.hex),
    "pubkey": strategies.binary(min_size=32, max_size=32).map(bytes.hex),
}


@pytest.mark.parametrize("field", ALTERATIONS)
@given(data=strategies.data())
def test_they_reject_what_we_alter(field, data):
    event = data.draw(events)
    value = data.draw(ALTERATIONS[field])
    assume(value != getattr(event, field))
    altered = event.altered(**{field: value})
    assert altered.problems
    assert not verdict_of_theirs(altered)


@pytest.mark.parametrize(
    "content",
    ["\0", "\x01\x1f", "\x7f\x80", "\u2028\u2029", "é", "e\u0301", "🦫", "\\u0041", "</script>"],
)
def test_both_serialise_odd_characters_alike(content):
    draft = Draft(30175, 1_700_000_000, (("d", content),), content)
    assert signed_by_theirs(draft).id == draft.signed_by(KEY).id
