"""Keys as people pass them on: `npub1...` and `nsec1...` (NIP-19), which is Bech32 (BIP-173)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NPUB, NSEC = "npub", "nsec"

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM = 6
_KEY_BYTES = 32


def encoded(kind: str, key: bytes) -> str:
    """32 bytes as `<kind>1...`."""
    data = list(_regrouped(key, 8, 5, pad=True))
    spare = _polymod([*_expanded(kind), *data, *[0] * _CHECKSUM]) ^ 1
    data += [spare >> 5 * (_CHECKSUM - 1 - place) & 31 for place in range(_CHECKSUM)]
    return f"{kind}1{''.join(_ALPHABET[one] for one in data)}"


def decoded(kind: str, text: str) -> bytes:
    """The 32 bytes in `<kind>1...`. Raises ValueError with a sentence that repeats no digit."""
    given = text.strip()
    if given not in (given.lower(), given.upper()):
        raise ValueError(f"an {kind} is written in lower case")
    prefix, _, rest = given.lower().rpartition("1")
    if prefix != kind:
        raise ValueError(f"it does not begin with {kind}1")
    if not set(rest) <= set(_ALPHABET):
        raise ValueError(f"it holds a character that no {kind} has")
    data = [_ALPHABET.index(one) for one in rest]
    if _polymod([*_expanded(kind), *data]) != 1:
        raise ValueError(f"the checksum of this {kind} is wrong: a character is missing or another")
    key = bytes(_regrouped(data[:-_CHECKSUM], 5, 8, pad=False))
    if len(key) != _KEY_BYTES:
        raise ValueError(f"an {kind} holds {_KEY_BYTES} bytes, and this one {len(key)}")
    return key


def public_key(text: str) -> str:
    """64 hex digits of a public key that is given as hex or npub. Raises ValueError."""
    given = text.strip()
    if given.lower().startswith(NSEC):
        raise ValueError("that is a secret key (nsec); a public key is wanted: npub1... or hex")
    if given.lower().startswith(NPUB):
        return decoded(NPUB, given).hex()
    if len(given) != 2 * _KEY_BYTES or not set(given.lower()) <= set("0123456789abcdef"):
        raise ValueError(f"{given[:80]!a} is not a public key: npub1... or 64 hex digits")
    return given.lower()


def _expanded(kind: str) -> list[int]:
    codes = [ord(one) for one in kind]
    return [*(code >> 5 for code in codes), 0, *(code & 31 for code in codes)]


def _polymod(values: Iterable[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, factor in enumerate(_GENERATOR):
            check ^= factor if top >> place & 1 else 0
    return check


def _regrouped(values: Sequence[int] | bytes, width: int, into: int, *, pad: bool) -> Iterable[int]:
    """The bits of a row of numbers, cut anew; without `pad` the rest has to be short and zero."""
    held = bits = 0
    for value in values:
        held = held << width | value
        bits += width
        while bits >= into:
            bits -= into
            yield held >> bits & (1 << into) - 1
    rest = held & (1 << bits) - 1
    if pad and bits:
        yield rest << into - bits
    elif not pad and (bits >= width or rest):
        raise ValueError("its last bits are not zero")
