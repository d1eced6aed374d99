"""NIP-44 v2: payloads encrypted for a pair of keys, with the extended length prefix.

A plaintext of up to 65,535 bytes has its length before it in 16 bits, a longer one two zero bytes
and then its length in 32 bits. Shared secrets come from `SecretKey`, ciphers from `cryptography`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os

from nip_ap.nostr.keys import SecretKey

VERSION = 2

LONGEST_SHORT = 65_535
"""Bytes of plaintext that a length of 16 bits can tell."""

_SALT = b"nip44-v2"
_NONCE, _MAC = 32, 32
_LEAST = 32
"""Bytes that the shortest plaintext is padded to."""


class CannotDecrypt(ValueError):
    """A payload that is malformed, or not for this key; the message says which part."""


def conversation_key(key: SecretKey, pubkey: str) -> bytes:
    """The 32 bytes that two keys share, in either direction. Raises ValueError for no key."""
    return hmac.new(_SALT, key.shared_x(pubkey), hashlib.sha256).digest()


def encrypt(plaintext: bytes, shared: bytes, nonce: bytes | None = None) -> str:
    """The payload in base64. `nonce` is fixed in vectors alone. Raises ValueError for no bytes."""
    if not plaintext:
        raise ValueError("NIP-44 encrypts at least one byte")
    nonce = os.urandom(_NONCE) if nonce is None else nonce
    cipher_key, cipher_nonce, mac_key = _message_keys(shared, nonce)
    ciphertext = _chacha20(cipher_key, cipher_nonce, padded(plaintext))
    mac = hmac.new(mac_key, nonce + ciphertext, hashlib.sha256).digest()
    return base64.b64encode(bytes([VERSION]) + nonce + ciphertext + mac).decode()


def decrypt(payload: str, shared: bytes) -> bytes:
    """The plaintext of a payload. Raises CannotDecrypt."""
    if payload.startswith("#"):
        raise CannotDecrypt("the payload is of a version that is not known")
    try:
        raw = base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        raise CannotDecrypt("the payload is not base64") from None
    if len(raw) < 1 + _NONCE + 2 + _LEAST + _MAC:
        raise CannotDecrypt(f"the payload is too short: {len(raw)} bytes")
    if raw[0] != VERSION:
        raise CannotDecrypt(f"the payload is of version {raw[0]}, not {VERSION}")
    nonce, ciphertext, mac = raw[1 : 1 + _NONCE], raw[1 + _NONCE : -_MAC], raw[-_MAC:]
    cipher_key, cipher_nonce, mac_key = _message_keys(shared, nonce)
    expected = hmac.new(mac_key, nonce + ciphertext, hashlib.sha256).digest()
    if not hmac.compare_digest(expected, mac):
        raise CannotDecrypt("its authentication code is wrong: another key, or it was changed")
    return unpadded(_chacha20(cipher_key, cipher_nonce, ciphertext))


def padded_length(size: int) -> int:
    """To how many bytes a plaintext of `size` bytes is padded, its length prefix aside."""
    if size <= _LEAST:
        return _LEAST
    power = 1 << (size - 1).bit_length()
    step = 32 if power <= 256 else power // 8
    return step * ((size - 1) // step + 1)


def padded(plaintext: bytes) -> bytes:
    """A plaintext with its length before it and zeros behind it."""
    size = len(plaintext)
    prefix = (
        size.to_bytes(2, "big") if size <= LONGEST_SHORT else bytes(2) + size.to_bytes(4, "big")
    )
    return prefix + plaintext + bytes(padded_length(size) - size)


def unpadded(padded_text: bytes) -> bytes:
    """What `padded` was given. Raises CannotDecrypt where prefix and padding do not agree."""
    size, start = int.from_bytes(padded_text[:2], "big"), 2
    if size == 0:
        size, start = int.from_bytes(padded_text[2:6], "big"), 6
        if size <= LONGEST_SHORT:
            raise CannotDecrypt("its length prefix is the extended one without need")
    plaintext, zeros = padded_text[start : start + size], padded_text[start + size :]
    if len(padded_text) != start + padded_length(size) or any(zeros):
        raise CannotDecrypt("its padding does not fit its length")
    return plaintext


def _message_keys(shared: bytes, nonce: bytes) -> tuple[bytes, bytes, bytes]:
    """Key and nonce of the cipher, and the key of the authentication code."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

    if len(shared) != 32 or len(nonce) != _NONCE:
        raise ValueError("a conversation key and a nonce have 32 bytes each")
    keys = HKDFExpand(SHA256(), 76, nonce).derive(shared)
    return keys[:32], keys[32:44], keys[44:]


def _chacha20(key: bytes, nonce: bytes, data: bytes) -> bytes:
    """The cipher of RFC 8439 from its first block on; it is its own inverse."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

    # `cryptography` takes the block counter, 4 bytes, as the beginning of the nonce.
    encryptor = Cipher(algorithms.ChaCha20(key, bytes(4) + nonce), mode=None).encryptor()
    return encryptor.update(data) + encryptor.finalize()
