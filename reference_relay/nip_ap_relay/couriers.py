"""How answers travel to a client: at once and in order; the general rogues travel otherwise."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Send = Callable[[str], Awaitable[None]]


class HangUp(Exception):
    """The connection is to be closed now, after a last frame where there is one."""

    def __init__(self, reason: str, last_frame: str = "") -> None:
        super().__init__(reason)
        self.last_frame = last_frame


class Courier:
    """Carries frames to the client, in the order in which they were given to it."""

    async def carry(self, frames: list[str], send: Send) -> None:
        """Send a batch of frames. Raises HangUp to end the connection."""
        for frame in frames:
            await send(frame)
