"""NIP-44 v2 against its published vectors, an independent implementation, and its own bounds."""

from __future__ import annotations

import hashlib

import pytest

from nip_ap.nostr import SecretKey, nip44
from nip_ap.resources import data

VECTORS = data("vectors/nip44")
KEY = SecretKey.derived("tests", "nip44")
OWN = nip44.conversation_key(KEY, KEY.pubkey)
WITHOUT_SDK = "nostr-sdk (PyPI) is not installed: there is no other implementation to compare with"


@pytest.mark.parametrize("one", VECTORS["encrypt_decrypt"], ids=lambda one: one["plaintext"][:2])
def test_published_vectors(one):
    first, second = (SecretKey.from_hex(one[name]) for name in ("sec1", "sec2"))
    shared = nip44.conversation_key(first, second.pubkey)
    assert shared == nip44.conversation_key(second, first.pubkey)
    assert shared.hex() == one["conversation_key"]
    nonce = bytes.fromhex(one["nonce"])
    assert nip44.encrypt(one["plaintext"].encode(), shared, nonce) == one["payload"]
    assert nip44.decrypt(one["payload"], shared).decode() == one["plaintext"]


@pytest.mark.parametrize("one", VECTORS["long"], ids=lambda one: one["pattern"])
def test_published_vectors_of_long_messages(one):
    shared, nonce = (bytes.fromhex(one[name]) for name in ("conversation_key", "nonce"))
    plaintext = (one["pattern"] * one["repeat"]).encode()
    payload = nip44.encrypt(plaintext, shared, nonce)
    assert hashlib.sha256(payload.encode()).hexdigest() == one["payload_sha256"]
    assert nip44.decrypt(payload, shared) == plaintext


@pytest.mark.parametrize(("size", "padded"), VECTORS["padded_length"])
def test_published_padding(size, padded):
    assert nip44.padded_length(size) == padded


@pytest.mark.parametrize("size", [1, 32, 33, 65_535, 65_536, 65_537, 131_075])
def test_every_size_comes_back(size):
    plaintext = b"x" * size
    assert nip44.decrypt(nip44.encrypt(plaintext, OWN), OWN) == plaintext


@pytest.mark.parametrize(("size", "prefix"), [(65_535, "ffff"), (65_536, "000000010000")])
def test_the_extended_length_begins_at_65536(size, prefix):
    found = nip44.padded(b"x" * size)
    assert found.startswith(bytes.fromhex(prefix) + b"x")


@pytest.mark.parametrize(
    "wrong",
    [
        bytes(2) + (5).to_bytes(4, "big") + b"hello" + bytes(27),
        (5).to_bytes(2, "big") + b"hello" + bytes(26) + b"x",
        (5).to_bytes(2, "big") + b"hello" + bytes(28),
        (40).to_bytes(2, "big") + b"hello" + bytes(27),
        bytes(34),
    ],
    ids=["extended without need", "not zeros", "too much", "too long", "of no bytes"],
)
def test_padding_that_does_not_fit_is_refused(wrong):
    with pytest.raises(nip44.CannotDecrypt):
        nip44.unpadded(wrong)


def test_another_key_cannot_read_it():
    other = SecretKey.derived("tests", "another")
    payload = nip44.encrypt(b"text", OWN)
    with pytest.raises(nip44.CannotDecrypt, match="authentication code"):
        nip44.decrypt(payload, nip44.conversation_key(other, KEY.pubkey))


def test_nothing_is_not_encrypted():
    with pytest.raises(ValueError, match="at least one byte"):
        nip44.encrypt(b"", OWN)


# nostr-sdk 0.45.1 has no extended length: it reads up to 65,535 bytes, and writes fewer.
@pytest.mark.parametrize("size", [1, 3, 4, 32, 33, 1_000, 65_534, 65_535])
def test_nostr_sdk_reads_ours(size):
    sdk = pytest.importorskip("nostr_sdk", reason=WITHOUT_SDK)
    secret, public = sdk.SecretKey.parse(KEY.secret_hex()), sdk.PublicKey.parse(KEY.pubkey)
    assert sdk.nip44_decrypt(secret, public, nip44.encrypt(b"x" * size, OWN)) == "x" * size


@pytest.mark.parametrize("size", [1, 3, 4, 32, 33, 1_000, 32_000])
def test_we_read_what_nostr_sdk_writes(size):
    sdk = pytest.importorskip("nostr_sdk", reason=WITHOUT_SDK)
    secret, public = sdk.SecretKey.parse(KEY.secret_hex()), sdk.PublicKey.parse(KEY.pubkey)
    payload = sdk.nip44_encrypt(secret, public, "x" * size, sdk.Nip44Version.V2)
    assert nip44.decrypt(payload, OWN) == b"x" * size
