"""One line of a transcript, and the words in which a transcript notes what happened to a check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SUITE = "suite"
"""Who speaks in a note that is no actor's."""

SENT, RECEIVED, NOTE = "sent", "received", "note"

CONNECTED = "connected"
NOT_CONNECTED = "not connected: "
NOT_SENT = "not sent: "
GAVE_UP = "gave up: "
LOST = "lost: "
LEFT = "left"
CUT_OFF = "cut off"
"""What the notes of a connection begin with. They name the actor and its connection."""

WITHIN = " did not come within "
"""What stands before the seconds in a note about something that was awaited in vain."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of a transcript. `at` is seconds since the check began; `who` names the actor.

    `connection` counts the connections of that actor at that door from 1; 0 is the suite's own.
    """

    at: float
    who: str
    door: str
    direction: str
    text: str
    connection: int = 0

    def to_json(self) -> dict[str, Any]:
        """The frame as a JSON object."""
        return {
            "at": self.at,
            "who": self.who,
            "door": self.door,
            "connection": self.connection,
            "direction": self.direction,
            "text": self.text,
        }
