"""Instructions (kind 44300): a text encrypted to its own author, and read back in a fixed order.

The plaintext is `v1:` and the text in UTF-8. A version that cannot be read is an error to be
shown: it is never replaced by an older one (NIP-AP, "Instructions").
"""

from __future__ import annotations

from collections.abc import Iterable

from nip_ap.nostr import INSTRUCTIONS, Draft, Event, SecretKey, nip44

LONGEST_TEXT = 131_072
"""Bytes of a text."""
LONGEST_CONTENT = 218_548
"""Bytes of the content that the longest text comes to."""

_VERSION = b"v1:"


class TextRefused(ValueError):
    """A text that must not be published; the message says why."""


class InvalidVersion(ValueError):
    """A version that cannot be read; the message says at which step."""


def sealed(text: str, key: SecretKey, nonce: bytes | None = None) -> str:
    """The content of a version: the text, encrypted to its own author. Raises TextRefused."""
    encoded = text.encode()
    objection = _objection(encoded)
    if objection:
        raise TextRefused(f"the text {objection}; nothing was published")
    shared = nip44.conversation_key(key, key.pubkey)
    return nip44.encrypt(_VERSION + encoded, shared, nonce)


def opened(content: str, key: SecretKey) -> str:
    """The text of a version. Raises InvalidVersion.

    Size first, then decryption, then `v1:`, then UTF-8, then what a text may not have.
    """
    size = len(content.encode())
    if not 1 <= size <= LONGEST_CONTENT:
        raise InvalidVersion(f"its content has {size} bytes, not 1 to {LONGEST_CONTENT}")
    try:
        plaintext = nip44.decrypt(content, nip44.conversation_key(key, key.pubkey))
    except nip44.CannotDecrypt as error:
        raise InvalidVersion(f"it cannot be decrypted: {error}") from None
    if not plaintext.startswith(_VERSION):
        raise InvalidVersion("its plaintext does not begin with v1:")
    encoded = plaintext.removeprefix(_VERSION)
    try:
        text = encoded.decode()
    except UnicodeDecodeError:
        raise InvalidVersion("its text is not UTF-8") from None
    if objection := _objection(encoded):
        raise InvalidVersion(f"its text {objection}")
    return text


def _objection(encoded: bytes) -> str:
    """What a text may not be, as the end of a sentence; empty where it is in order."""
    if b"\0" in encoded:
        return "has the character U+0000"
    if len(encoded) > LONGEST_TEXT:
        return f"has {len(encoded)} bytes, and {LONGEST_TEXT} are allowed"
    return ""


def version_of(
    subject: tuple[str, str], text: str, key: SecretKey, *, now: int, newest: int | None = None
) -> Event:
    """A signed version about a subject, ("p", key) or ("t", team id). Raises TextRefused.

    `newest` is the date of the newest version of that subject, which it has to exceed.
    """
    at = now if newest is None else max(now, newest + 1)
    return Draft(INSTRUCTIONS, at, (subject,), sealed(text, key)).signed_by(key)


def current(versions: Iterable[Event], subject: tuple[str, str]) -> Event | None:
    """The version that holds for a subject: the newest, and of one second the lowest id."""
    about = [one for one in versions if one.kind == INSTRUCTIONS and subject in one.tags]
    return min(about, key=lambda one: one.order, default=None)
