"""Events under a check's own keys that the check did not send: somebody else has these keys.

What the relay made of an event on its way does not verify; what verifies was signed with the key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import orjson

from nip_ap.model.frame import RECEIVED, SENT, Frame
from nip_ap.nostr import Event, MalformedEvent


def foreign_write(frames: Sequence[Frame], pubkeys: Collection[str]) -> Event | None:
    """The first event by one of these keys that came and was never sent."""
    sent = "".join(one.text for one in frames if one.direction == SENT)
    for frame in frames:
        if frame.direction != RECEIVED:
            continue
        for value in _events_in(frame.text):
            if value.get("pubkey") in pubkeys and str(value.get("id")) not in sent:
                event = _signed(value)
                if event is not None:
                    return event
    return None


def _events_in(text: str) -> Iterator[dict[str, Any]]:
    """The objects in an EVENT message, or in the body of an HTTP answer."""
    if text.startswith("HTTP "):
        text = text.partition("[")[1] + text.partition("[")[2]
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return
    if isinstance(found, list):
        yield from (one for one in found if isinstance(one, dict))


def _signed(value: dict[str, Any]) -> Event | None:
    try:
        event = Event.from_json(value)
    except MalformedEvent:
        return None
    return None if event.problems else event
