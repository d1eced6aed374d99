"""npub and nsec against the examples of NIP-19, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nip_ap.nostr.bech32 import NPUB, NSEC, decoded, encoded, public_key

EXAMPLES = [
    (
        NPUB,
        "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg",
        "7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e",
    ),
    (
        NSEC,
        "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5",
        "67dea2ed018072d675f5415ecfaed7d2597555e202d85b3d65ea4e58d2d92ffa",
    ),
]


@pytest.mark.parametrize(("kind", "text", "key"), EXAMPLES, ids=[NPUB, NSEC])
def test_the_examples_of_the_nip(kind: str, text: str, key: str) -> None:
    assert decoded(kind, text).hex() == decoded(kind, text.upper()).hex() == key
    assert encoded(kind, bytes.fromhex(key)) == text


@given(st.binary(min_size=32, max_size=32))
def test_there_and_back(key: bytes) -> None:
    assert decoded(NPUB, encoded(NPUB, key)) == key


@given(st.integers(5, 62), st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l"))
def test_one_wrong_character_is_found(place: int, other: str) -> None:
    text = EXAMPLES[0][1]
    spoiled = text[:place] + other + text[place + 1 :]
    if spoiled != text:
        with pytest.raises(ValueError, match="checksum"):
            decoded(NPUB, spoiled)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (EXAMPLES[1][1], "a secret key"),
        ("npub1b", "character that no npub has"),
        ("Npub10elf", "lower case"),
        ("abc", r"npub1\.\.\. or 64 hex digits"),
        ("g" * 64, r"npub1\.\.\. or 64 hex digits"),
    ],
)
def test_what_is_no_public_key_is_explained(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        public_key(text)
    assert EXAMPLES[1][1] not in str(caught.value)


def test_hex_is_taken_in_either_case() -> None:
    assert public_key(EXAMPLES[0][2].upper()) == public_key(EXAMPLES[0][1]) == EXAMPLES[0][2]
