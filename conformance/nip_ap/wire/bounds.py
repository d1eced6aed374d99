"""How much a relay may send before it floods: more than any check asks for, less than hurts."""

from __future__ import annotations

FLOODS = "the relay floods"
"""What the reason begins with where a connection was ended for what the relay sent on it."""

LARGEST_MESSAGE = 2 * 2**20
"""Bytes of one message. Relays take in a quarter of that, and the suite writes nothing larger."""

MOST_CONTROL_FRAMES = 20_000
MOST_FRAMES = 400_000
"""Frames on one connection, pings and fragments among them."""

MOST_MESSAGES, MOST_MESSAGES_PER_REQUEST = 30_000, 100
MOST_CHARACTERS = 32 * 2**20
"""What may come on one connection, with so many messages more for each frame that was sent."""

MOST_SHOWN = 500
"""Frames of a flood that its transcript keeps."""


def flood(messages: int, characters: int, sent: int) -> str | None:
    """Why what came on one connection is a flood; None where it is not."""
    most = MOST_MESSAGES + MOST_MESSAGES_PER_REQUEST * sent
    if messages > most:
        return f"{FLOODS} with over {most} messages on one connection"
    if characters > MOST_CHARACTERS:
        return f"{FLOODS} with over {MOST_CHARACTERS} characters on one connection"
    return None
