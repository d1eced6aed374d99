"""Hypothesis strategies for events; shared by the tests of this folder."""

from __future__ import annotations

from hypothesis import strategies

from nip_ap.nostr import Draft, SecretKey

texts = strategies.text(
    strategies.characters(exclude_categories=["Cs"])
    | strategies.sampled_from('"\\\n\r\t\b\f/\0\x7f'),
    max_size=40,
)
tags = strategies.lists(
    strategies.tuples(texts)
    | strategies.tuples(texts, texts)
    | strategies.tuples(texts, texts, texts),
    max_size=4,
).map(tuple)
times = strategies.integers(0, 2**53 - 1)
kinds = strategies.integers(0, 65535)
drafts = strategies.builds(Draft, kinds, times, tags, texts)
keys = strategies.binary(min_size=1, max_size=8).map(
    lambda name: SecretKey.derived("strategies", name.hex())
)
events = strategies.builds(lambda draft, key: draft.signed_by(key), drafts, keys)
