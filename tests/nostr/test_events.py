"""Events as values: what holds for all of them, and that each sort of broken one can be built."""

from __future__ import annotations

import dataclasses

import orjson
import pytest
from hypothesis import assume, given, strategies

from nip_ap.nostr import (
    Draft,
    Event,
    MalformedEvent,
    SecretKey,
    address_of,
    is_addressable,
    is_ephemeral,
    is_replaceable,
)
from nip_ap.resources import data
from tests.nostr.strategies_of_events import drafts, events, keys, kinds, tags, texts, times

MALFORMED = data("malformed")
OTHER_VALUES = {
    "pubkey": keys.map(lambda key: key.pubkey),
    "created_at": times,
    "kind": kinds,
    "tags": tags,
    "content": texts,
}


@given(events)
def test_an_event_comes_back_from_json_text_with_every_byte(event):
    again = Event.from_json(orjson.loads(orjson.dumps(event.to_json())))
    assert again.same_bytes_as(event)
    assert again.problems == ()


@pytest.mark.parametrize("field", OTHER_VALUES)
@given(data=strategies.data())
def test_the_id_depends_on_every_field_that_is_signed(field, data):
    event = data.draw(events)
    value = data.draw(OTHER_VALUES[field])
    assume(value != getattr(event, field))
    assert dataclasses.replace(event, **{field: value}).computed_id != event.id


@pytest.mark.parametrize("field", OTHER_VALUES)
@given(data=strategies.data())
def test_an_altered_field_is_always_found_out(field, data):
    event = data.draw(events)
    value = data.draw(OTHER_VALUES[field])
    assume(value != getattr(event, field))
    assert event.altered(**{field: value}).problems


@given(events, strategies.integers(0, 511))
def test_one_flipped_bit_of_the_signature_is_found_out(event, bit):
    broken = f"{int(event.sig, 16) ^ (1 << bit):0128x}"
    assert event.altered(sig=broken).problems == (
        "sig is not a BIP-340 signature of the id under pubkey",
    )


@given(events, strategies.integers(0, 255))
def test_one_flipped_bit_of_the_id_is_found_out_twice(event, bit):
    broken = event.altered(id=f"{int(event.id, 16) ^ (1 << bit):064x}")
    assert len(broken.problems) == 2


@given(events, keys)
def test_the_signature_of_another_key_is_found_out(event, key):
    assume(key.pubkey != event.pubkey)
    assert event.altered(sig=key.sign(bytes.fromhex(event.id))).problems


def test_a_pubkey_that_is_no_point_of_the_curve_is_a_problem_and_no_crash(key):
    event = Draft(1, 0).signed_by(key)
    assert event.altered(pubkey="f" * 64).problems


@given(events, keys, texts)
def test_an_event_signed_anew_is_valid_under_the_new_key(event, key, content):
    again = event.resigned(key, content=content)
    assert again.problems == ()
    assert (again.pubkey, again.content, again.tags) == (key.pubkey, content, event.tags)


@given(drafts, keys)
def test_events_are_equal_exactly_where_their_ids_are(draft, key):
    event = draft.signed_by(key)
    other_signature = draft.signed_by(key, aux=b"\7" * 32)
    assert event == other_signature
    assert not event.same_bytes_as(other_signature)
    assert event != event.resigned(key, content=event.content + "x")


@given(events, events)
def test_the_order_is_newest_first_then_lowest_id(one, other):
    assume(one.id != other.id)
    expected = (
        one.created_at > other.created_at
        if one.created_at != other.created_at
        else one.id < other.id
    )
    assert (one.order < other.order) is expected


@pytest.mark.parametrize(
    ("tags", "slug"),
    [
        ((), ""),
        ((("d",),), ""),
        ((("d", "a"),), "a"),
        ((("t", "x"), ("d", "a"), ("d", "b")), "a"),
        ((("d",), ("d", "b")), "b"),
        ((("d", "a", "more"),), "a"),
    ],
)
def test_the_slug_is_the_first_d_that_has_a_value(key, tags, slug):
    event = Draft(30175, 7, tags).signed_by(key)
    assert event.slug == slug
    assert address_of(event) == f"30175:{key.pubkey}:{slug}"


@pytest.mark.parametrize(
    ("kind", "replaceable", "ephemeral", "addressable"),
    [
        (0, True, False, False),
        (1, False, False, False),
        (3, True, False, False),
        (9999, False, False, False),
        (10000, True, False, False),
        (19999, True, False, False),
        (20000, False, True, False),
        (29999, False, True, False),
        (30000, False, False, True),
        (39999, False, False, True),
        (40000, False, False, False),
    ],
)
def test_kinds_fall_into_the_ranges_of_nip_01(kind, replaceable, ephemeral, addressable):
    found = (is_replaceable(kind), is_ephemeral(kind), is_addressable(kind))
    assert found == (replaceable, ephemeral, addressable)


# -- reading what is broken ------------------------------------------------------------


def with_change(event, change):
    if "replace" in change:
        return change["replace"]
    if "remove" in change:
        return {name: value for name, value in event.items() if name != change["remove"]}
    return event | change["set"]


@pytest.mark.parametrize("entry", MALFORMED, ids=lambda one: one["name"])
def test_each_malformed_event_of_the_fixtures_is_refused(entry, key):
    good = Draft(30175, 1_700_000_000, (("d", "x"),), "{}").signed_by(key).to_json()
    broken = with_change(good, entry["change"])
    assert broken != good
    with pytest.raises(MalformedEvent):
        Event.from_json(broken)


@pytest.mark.parametrize("field", ["id", "pubkey", "sig"])
def test_upper_case_hex_is_refused_and_the_field_named(key, field):
    event = Draft(1, 1).signed_by(key).to_json()
    with pytest.raises(MalformedEvent, match=f"`{field}`"):
        Event.from_json(event | {field: "A" * len(event[field])})


def test_unknown_fields_are_dropped(key):
    event = Draft(1, 1).signed_by(key)
    assert "seen_on" not in Event.from_json(event.to_json() | {"seen_on": []}).to_json()


@pytest.mark.parametrize(
    "changes",
    [
        {"tags": ((), ("d", "x"))},
        {"tags": (("d", 7),)},
        {"created_at": -1},
        {"created_at": 1.5},
        {"created_at": 2**64},
        {"kind": 95711},
        {"kind": "30175"},
        {"content": None},
        {"pubkey": "f" * 64},
        {"pubkey": "02" + "a" * 64},
        {"sig": ""},
        {"id": "0" * 63},
    ],
    ids=str,
)
def test_every_sort_of_broken_event_can_be_built_and_written(key, changes):
    event = Draft(30175, 1, (("d", "x"),)).signed_by(key)
    written = event.altered(**changes).to_json()
    (name, value) = next(iter(changes.items()))
    assert written[name] == ([list(tag) for tag in value] if name == "tags" else value)
    assert {field: written[field] for field in written if field != name} == {
        field: value for field, value in event.to_json().items() if field != name
    }


# -- keys ---------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [b"", b"\0" * 32, b"\xff" * 32, b"\1" * 31, b"\1" * 33])
def test_bytes_that_are_no_secret_key_are_refused(secret):
    with pytest.raises(ValueError, match="a secret key is 32 bytes"):
        SecretKey(secret)


def test_a_bad_key_text_is_not_repeated_in_the_message():
    with pytest.raises(ValueError, match="64 hex digits") as caught:
        SecretKey.from_hex("my-very-secret-text")
    assert "my-very-secret-text" not in str(caught.value)


def test_a_key_never_shows_its_secret(key):
    assert key.secret_hex() not in f"{key} {key!r} {[key]}"


def test_a_key_file_may_end_in_a_newline(tmp_path, key):
    path = tmp_path / "key"
    path.write_text(key.secret_hex() + "\n")
    path.chmod(0o600)
    assert SecretKey.from_file(path).pubkey == key.pubkey


def test_fresh_keys_differ():
    assert SecretKey.fresh().pubkey != SecretKey.fresh().pubkey
