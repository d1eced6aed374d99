"""Values derived from a seed: the same on every machine, and apart for every name."""

from __future__ import annotations

import hashlib
import hmac

from hypothesis import assume, given, strategies

from nip_ap.nostr import SecretKey, derive

names = strategies.lists(
    strategies.text(strategies.characters(exclude_categories=["Cs"]), max_size=6), max_size=4
)


@given(names, names)
def test_other_names_give_another_value(one, other):
    assume(one != other)
    assert derive("seed", *one) != derive("seed", *other)


def test_names_do_not_run_into_each_other():
    assert len({derive("s", "ab", "c"), derive("s", "a", "bc"), derive("s", "abc")}) == 3


@given(names)
def test_another_seed_gives_another_value(given_names):
    assert derive("one", *given_names) != derive("two", *given_names)


def test_the_derivation_is_hmac_sha256_of_the_length_prefixed_names():
    expected = hmac.new(b"seed", b"\0\0\0\x03key\0\0\0\x05owner", hashlib.sha256).digest()
    assert derive("seed", "key", "owner") == expected


def test_a_derived_key_is_the_same_each_time():
    assert SecretKey.derived("seed", "owner").pubkey == SecretKey.derived("seed", "owner").pubkey
    assert SecretKey.derived("seed", "owner").pubkey != SecretKey.derived("seed", "other").pubkey
