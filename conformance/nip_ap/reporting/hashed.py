"""Which bytes an event's id is the hash of, told where a frame holds characters that nobody sees.

A report writes such a character as JSON would escape it, so a reader cannot tell a raw byte from
an escape. NIP-01 wants control characters hashed raw, and most libraries hash them escaped: which
of the two it was, and the serialization in hex, lets a reader hash it again.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import orjson

from nip_ap.reporting.legible import is_legible

_ESCAPED = re.compile('[\n"\\\\\r\t\b\f]')
_ESCAPES = {
    "\n": "\\n",
    '"': '\\"',
    "\\": "\\\\",
    "\r": "\\r",
    "\t": "\\t",
    "\b": "\\b",
    "\f": "\\f",
}
_MOST_BYTES = 2_000
_TOLD = "the id is the SHA-256 of {} bytes, control characters {}"


def hashed(text: str) -> str:
    """A sentence on the bytes that were hashed for the event in a frame; "" where all is plain."""
    event = _event_in(text)
    if event is None:
        return ""
    try:
        names = ("pubkey", "created_at", "kind", "tags", "content")
        fields = [0, *(event[name] for name in names)]
        ways = {"escaped": orjson.dumps(fields), "raw": _serialized(fields).encode()}
    except (KeyError, TypeError, UnicodeEncodeError):
        return ""
    if is_legible(_serialized(fields)):
        return ""
    for way, data in ways.items():
        if hashlib.sha256(data).hexdigest() == event.get("id"):
            shown = f", in hex: {data.hex()}" if len(data) <= _MOST_BYTES else ""
            return _TOLD.format(len(data), way) + shown
    return "the id is the SHA-256 of neither way to write the control characters, escaped or raw"


def _event_in(text: str) -> dict[str, Any] | None:
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(frame, list) or not frame or frame[0] != "EVENT":
        return None
    return frame[-1] if isinstance(frame[-1], dict) else None


def _serialized(value: Any) -> str:
    """The JSON of NIP-01: no blanks, seven characters escaped, all others as they are."""
    if isinstance(value, str):
        return f'"{_ESCAPED.sub(lambda found: _ESCAPES[found[0]], value)}"'
    if isinstance(value, list):
        return f"[{','.join(map(_serialized, value))}]"
    return orjson.dumps(value).decode()
