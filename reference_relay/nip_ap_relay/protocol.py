"""Reading what clients send: frames and filters, or a complaint in the real relay's words."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_letters
from typing import Any

import orjson

from nip_ap.nostr import Event, Filter, MalformedEvent


class Complaint(ValueError):
    """Input that cannot be read; the text goes into a NOTICE or an HTTP 400."""


@dataclass(frozen=True)
class Request:
    """One frame, read: verb, subscription id, event or filters - what the verb has of them."""

    verb: str
    subscription: str = ""
    event: Event | None = None
    filters: tuple[Filter, ...] = ()


def parse_json(data: str | bytes) -> Any:
    """Any JSON value. Raises Complaint."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Complaint(f"JSON parse error: {error}") from None


def parse_frame(text: str, *, most_filters: int, longest_id: int) -> Request:
    """One WebSocket message of NIP-01, NIP-42 or NIP-45. Raises Complaint."""
    frame = parse_json(text)
    if not isinstance(frame, list):
        raise Complaint("expected JSON array")
    if not frame:
        raise Complaint("empty array")
    verb = frame[0]
    if not isinstance(verb, str):
        raise Complaint("first element must be a string")
    if verb in ("EVENT", "AUTH"):
        return _with_event(verb, frame)
    if verb in ("REQ", "COUNT", "CLOSE"):
        subscription = _subscription_id(verb, frame, longest_id)
        if verb == "CLOSE":
            return Request(verb, subscription)
        if len(frame) - 2 > most_filters:
            raise Complaint(f"{verb} contains {len(frame) - 2} filters, maximum is {most_filters}")
        return Request(verb, subscription, filters=tuple(map(parse_filter, frame[2:])))
    raise Complaint(f"unknown message type: {verb[:64]}")


def _with_event(verb: str, frame: list[Any]) -> Request:
    if len(frame) < 2:
        raise Complaint(f"{verb} requires event object")
    try:
        return Request(verb, event=Event.from_json(frame[1]))
    except MalformedEvent as error:
        what = "event" if verb == "EVENT" else "auth event"
        raise Complaint(f"invalid {what}: {error}") from None


def _subscription_id(verb: str, frame: list[Any], longest: int) -> str:
    if len(frame) < 2:
        raise Complaint(f"{verb} requires sub_id")
    identifier = frame[1]
    if not isinstance(identifier, str):
        raise Complaint(f"{verb} sub_id must be a string")
    if not identifier:
        raise Complaint(f"{verb} sub_id must not be empty")
    if len(identifier.encode()) > longest:
        raise Complaint(f"{verb} sub_id exceeds maximum length of {longest} bytes")
    return identifier


def parse_filter(value: Any) -> Filter:
    """A filter object; unknown fields are kept as extensions. Raises Complaint."""
    if not isinstance(value, dict):
        raise Complaint("invalid filter: expected an object")
    known: dict[str, Any] = {"tags": {}, "extension": {}}
    for name, item in value.items():
        if name in ("ids", "authors"):
            known[name] = _hex_list(name, item)
        elif name == "kinds":
            known[name] = _kinds(item)
        elif name in ("since", "until", "limit"):
            known[name] = _unsigned(name, item)
        elif name == "search":
            known[name] = _string(name, item)
        elif len(name) == 2 and name[0] == "#" and name[1] in ascii_letters:
            known["tags"][name[1]] = _strings(name, item)
        else:
            known["extension"][name] = item
    return Filter(**known)


def _string(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Complaint(f"invalid filter: `{name}` must be a string")
    return value


def _strings(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Complaint(f"invalid filter: `{name}` must be an array of strings")
    return tuple(value)


def _hex_list(name: str, value: Any) -> tuple[str, ...]:
    items = _strings(name, value)
    for item in items:
        if len(item) != 64 or not all(digit in "0123456789abcdefABCDEF" for digit in item):
            raise Complaint(f"invalid filter: `{name}` takes values of 64 hex digits")
    return tuple(item.lower() for item in items)


def _kinds(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise Complaint("invalid filter: `kinds` must be an array")
    if not all(type(kind) is int and 0 <= kind <= 65535 for kind in value):
        raise Complaint("invalid filter: `kinds` takes integers from 0 to 65535")
    return tuple(value)


def _unsigned(name: str, value: Any) -> int:
    if type(value) is not int or value < 0:
        raise Complaint(f"invalid filter: `{name}` must be an unsigned integer")
    return value
