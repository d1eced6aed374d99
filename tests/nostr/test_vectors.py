"""The reference vectors of the specification, to the byte."""

from __future__ import annotations

import hashlib

import pytest

from nip_ap.nostr import Draft, Event, SecretKey, event_id
from nip_ap.resources import data

VECTORS = data("vectors")
AUX = bytes.fromhex(VECTORS["aux"])
each_vector = pytest.mark.parametrize("vector", VECTORS["events"], ids=lambda one: one["name"])


@pytest.fixture
def vector_key():
    return SecretKey.from_hex(VECTORS["secret_key"])


def draft_of(vector):
    return Draft(VECTORS["kind"], vector["created_at"], (("d", vector["slug"]),), vector["content"])


def test_the_secret_key_one_has_the_generator_as_its_public_key(vector_key):
    assert vector_key.pubkey == VECTORS["pubkey"]


@each_vector
def test_the_content_has_the_hash_of_the_vector(vector):
    digest = hashlib.sha256(vector["content"].encode()).hexdigest()
    assert digest == vector["content_sha256"]


@each_vector
def test_id_and_signature_come_out_as_in_the_vector(vector, vector_key):
    event = draft_of(vector).signed_by(vector_key, aux=AUX)
    assert (event.id, event.sig) == (vector["id"], vector["sig"])
    assert event.problems == ()


@each_vector
def test_other_auxiliary_randomness_gives_another_valid_signature(vector, vector_key):
    event = draft_of(vector).signed_by(vector_key, aux=b"\1" * 32)
    assert event.id == vector["id"]
    assert event.sig != vector["sig"]
    assert event.problems == ()


@each_vector
def test_without_auxiliary_randomness_the_signature_is_the_same_each_time(vector, vector_key):
    first, second = (draft_of(vector).signed_by(vector_key) for _ in range(2))
    assert first.same_bytes_as(second)


def test_every_vector_has_an_id_of_its_own():
    assert len({vector["id"] for vector in VECTORS["events"]}) == len(VECTORS["events"])


def test_the_id_is_the_hash_of_the_array_that_nip_01_writes_down():
    text = '[0,"ab",1,30175,[["d","x"]],"line\\nquote\\"back\\\\slash\\ttab"]'
    expected = hashlib.sha256(text.encode()).hexdigest()
    assert event_id("ab", 1, 30175, [["d", "x"]], 'line\nquote"back\\slash\ttab') == expected


def test_characters_beyond_ascii_go_into_the_id_unescaped():
    expected = hashlib.sha256('[0,"ab",1,1,[],"Zoë 🦫 /"]'.encode()).hexdigest()
    assert event_id("ab", 1, 1, [], "Zoë 🦫 /") == expected


@each_vector
def test_a_vector_survives_a_trip_through_json(vector, vector_key):
    event = draft_of(vector).signed_by(vector_key, aux=AUX)
    assert Event.from_json(event.to_json()).same_bytes_as(event)
