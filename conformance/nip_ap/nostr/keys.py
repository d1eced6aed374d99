"""Secret keys, BIP-340 signatures, and values derived from a seed."""

from __future__ import annotations

import hashlib
import hmac
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from nip_ap.nostr.bech32 import NSEC, decoded
from nip_ap.secret_files import secret_text

if TYPE_CHECKING:  # a curve is loaded by who signs or verifies, and not by who reads a report
    from coincurve import PublicKeyXOnly

_CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def derive(seed: str, *names: str) -> bytes:
    """32 bytes that depend on the seed and on every name, HMAC-SHA-256 (design.md section 6).

    Names are length-prefixed, so that ("ab", "c") and ("a", "bc") differ.
    """
    message = b"".join(
        len(part).to_bytes(4, "big") + part for part in (name.encode() for name in names)
    )
    return hmac.new(seed.encode(), message, hashlib.sha256).digest()


class SecretKey:
    """A secp256k1 secret key. It signs; it never shows itself in a repr, a log or a report."""

    __slots__ = ("_key", "pubkey")

    def __init__(self, secret: bytes) -> None:
        """Take 32 bytes. Raises ValueError where they are no key of the curve."""
        if len(secret) != 32 or not 0 < int.from_bytes(secret, "big") < _CURVE_ORDER:
            raise ValueError("a secret key is 32 bytes, not zero and below the curve's order")
        from coincurve import PrivateKey, PublicKeyXOnly

        self._key = PrivateKey(secret)
        self.pubkey: str = PublicKeyXOnly.from_secret(secret).format().hex()

    @classmethod
    def from_hex(cls, text: str) -> SecretKey:
        """Read 64 hex digits. Raises ValueError with a sentence that does not repeat the text."""
        try:
            secret = bytes.fromhex(text.strip())
        except ValueError:
            raise ValueError("a secret key is written as 64 hex digits") from None
        return cls(secret)

    @classmethod
    def from_text(cls, text: str) -> SecretKey:
        """Read 64 hex digits or `nsec1...`. Raises ValueError that does not repeat the text."""
        if text.strip().lower().startswith(NSEC):
            return cls(decoded(NSEC, text))
        return cls.from_hex(text)

    @classmethod
    def from_file(cls, path: Path) -> SecretKey:
        """Read a file that nobody else may read and that holds one key: 64 hex digits or nsec.

        Raises ValueError, SecretFileError among them, with a sentence that repeats no content.
        """
        return cls.from_text(secret_text(path))

    @classmethod
    def derived(cls, seed: str, *names: str) -> SecretKey:
        """The key that a seed and names give: the same on every machine."""
        candidate = derive(seed, *names)
        while not 0 < int.from_bytes(candidate, "big") < _CURVE_ORDER:
            candidate = hashlib.sha256(candidate).digest()
        return cls(candidate)

    @classmethod
    def fresh(cls) -> SecretKey:
        """A key from the machine's randomness."""
        return cls.derived(os.urandom(32).hex(), "fresh")

    def sign(self, message: bytes, aux: bytes | None = None) -> str:
        """Sign a 32-byte message (BIP-340); 128 hex digits.

        `aux` is the auxiliary randomness. It defaults to the message itself, which makes a
        signature a function of key and message alone: same seed, same bytes on the wire.
        """
        return self._key.sign_schnorr(message, message if aux is None else aux).hex()

    def shared_x(self, pubkey: str) -> bytes:
        """The x coordinate, 32 bytes, that this key and a public one share (ECDH, unhashed).

        Raises ValueError where the public key, 64 hex digits, is no point of the curve.
        """
        from coincurve import PublicKey

        point = PublicKey(b"\x02" + bytes.fromhex(pubkey)).multiply(self._key.secret)
        return point.format()[1:]

    def secret_hex(self) -> str:
        """The secret as 64 hex digits, for writing a key file. Never pass it to a log."""
        return self._key.secret.hex()

    def __repr__(self) -> str:
        return f"SecretKey(pubkey={self.pubkey})"


def signature_verifies(signature: str, message: bytes, pubkey: str) -> bool:
    """Whether 128 hex digits are a BIP-340 signature of a 32-byte message under an x-only key."""
    try:
        return bool(_public_key(pubkey).verify(bytes.fromhex(signature), message))
    except (ValueError, TypeError):
        return False


@lru_cache(maxsize=4096)
def _public_key(pubkey: str) -> PublicKeyXOnly:
    """A key to verify with. Finding the point of an x costs a sixth of verifying a signature."""
    from coincurve import PublicKeyXOnly

    return PublicKeyXOnly(bytes.fromhex(pubkey))
