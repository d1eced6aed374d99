"""Word for word what several requests bring, so that answers can be compared text by text."""

from __future__ import annotations

from collections.abc import Sequence

from nip_ap.nostr import PERSONA, Filter
from nip_ap.nostr.message import read_message, subscription_of
from nip_ap.wire.websocket import WebSocketDoor


def exchange(door: WebSocketDoor, verb: str, filters: Sequence[Filter]) -> list[tuple[str, ...]]:
    """Every text about each of several REQs or COUNTs, one filter a request.

    What belongs to a request and comes late is seen too: a last request is the fence. What a relay
    says meanwhile about nothing that was asked (a NOTICE, a challenge, an unknown verb) is not.
    """
    _fence(door, "fence-0")
    names = [f"look-{number}" for number in range(len(filters))]
    began = len(door.received)
    for name, wanted in zip(names, filters, strict=True):
        _ask(door, verb, name, wanted)
    _fence(door, "fence-1")
    came: dict[str | None, list[str]] = {name: [] for name in names}
    for text in door.received[began:]:
        came.get(subscription_of(read_message(text)), []).append(text)
    return [tuple(came[name]) for name in names]


def _ask(door: WebSocketDoor, verb: str, name: str, wanted: Filter) -> None:
    if verb == "REQ":
        one = door.subscribe([wanted], name)
        door.wait(lambda: one.is_answered, f"EOSE for {name}")
    else:
        door.send([verb, name, wanted.to_json()])
        door.wait(lambda: name in door.counts, f"the answer to {verb}")


def _fence(door: WebSocketDoor, name: str) -> None:
    """A request for nothing, answered; its subscription stays open, so no CLOSED follows."""
    fence = door.subscribe([Filter.of(kinds=[PERSONA], ids=["0" * 64])], name)
    door.wait(lambda: fence.is_answered, f"EOSE for {name}")
