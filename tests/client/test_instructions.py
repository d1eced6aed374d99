"""Texts of instructions: encrypted to oneself, read in the order of the text, bounded."""

from __future__ import annotations

import hashlib

import pytest

from nip_ap.nostr import INSTRUCTIONS, Draft, SecretKey
from nip_ap.resources import data
from nip_ap_client.instructions import (
    LONGEST_CONTENT,
    InvalidVersion,
    TextRefused,
    current,
    opened,
    sealed,
    version_of,
)
from nip_ap_relay.policy import Policy

VECTORS = data("vectors/instructions")
KEY = SecretKey.from_hex(VECTORS["secret_key"])
WITHOUT_SDK = "nostr-sdk (PyPI) is not installed: there is no other implementation to compare with"
SAID_AT = {
    "size": "bytes, not 1 to",
    "decryption": "cannot be decrypted",
    "v1": "does not begin with v1:",
    "UTF-8": "not UTF-8",
    "text": r"U\+0000",
}


def text_of(one):
    return one["pattern"] * one["repeat"]


@pytest.mark.parametrize("one", VECTORS["valid"], ids=lambda one: one["name"])
def test_valid_vectors(one):
    content = sealed(text_of(one), KEY, bytes.fromhex(one["nonce"]))
    assert len(content) == one["content_bytes"]
    assert hashlib.sha256(content.encode()).hexdigest() == one["content_sha256"]
    assert content == one.get("content", content)
    event = Draft(INSTRUCTIONS, VECTORS["created_at"], (tuple(one["subject"]),), content).signed_by(
        KEY
    )
    assert event.id == one["id"]
    assert opened(content, KEY) == text_of(one)


def test_the_longest_text_comes_to_the_longest_content():
    sizes = [one["content_bytes"] for one in VECTORS["valid"]]
    assert max(sizes) == LONGEST_CONTENT == Policy.longest_instructions


@pytest.mark.parametrize("one", VECTORS["invalid"], ids=lambda one: one["name"])
def test_invalid_vectors_say_at_which_step(one):
    with pytest.raises(InvalidVersion, match=SAID_AT[one["step"]]):
        opened(one["content"], KEY)


def test_content_that_is_too_long_is_not_even_decrypted():
    with pytest.raises(InvalidVersion, match="bytes, not 1 to"):
        opened("A" * (LONGEST_CONTENT + 1), KEY)


@pytest.mark.parametrize("one", VECTORS["refused_texts"], ids=lambda one: one["name"])
def test_a_text_that_must_not_be_is_not_written(one):
    with pytest.raises(TextRefused, match="nothing was published"):
        sealed(text_of(one), KEY)


TEXTS = ["", "x", "Read it twice, é 🦫.\n", "x" * 32_000]


@pytest.mark.parametrize("text", TEXTS, ids=len)
def test_nostr_sdk_reads_our_versions(text):
    sdk = pytest.importorskip("nostr_sdk", reason=WITHOUT_SDK)
    secret, public = sdk.SecretKey.parse(KEY.secret_hex()), sdk.PublicKey.parse(KEY.pubkey)
    assert sdk.nip44_decrypt(secret, public, sealed(text, KEY)) == f"v1:{text}"


@pytest.mark.parametrize("text", TEXTS, ids=len)
def test_we_read_versions_that_nostr_sdk_writes(text):
    sdk = pytest.importorskip("nostr_sdk", reason=WITHOUT_SDK)
    secret, public = sdk.SecretKey.parse(KEY.secret_hex()), sdk.PublicKey.parse(KEY.pubkey)
    content = sdk.nip44_encrypt(secret, public, f"v1:{text}", sdk.Nip44Version.V2)
    assert opened(content, KEY) == text


def test_a_nonce_is_fresh_each_time():
    assert sealed("text", KEY) != sealed("text", KEY)


def test_a_version_exceeds_the_newest_of_its_subject():
    subject = ("t", "team")
    later = version_of(subject, "two", KEY, now=100, newest=500)
    assert (later.created_at, later.tags) == (501, (subject,))
    assert version_of(subject, "one", KEY, now=100).created_at == 100


def test_the_current_version_is_the_newest_and_of_one_second_the_lowest_id():
    agent, team = ("p", "0" * 64), ("t", "team")
    same_second = [version_of(agent, str(one), KEY, now=100) for one in range(4)]
    older = version_of(agent, "old", KEY, now=90)
    other = version_of(team, "other", KEY, now=200)
    lowest = min(same_second, key=lambda one: one.id)
    assert current([older, *same_second, other], agent) == lowest
    assert current([older], team) is None
