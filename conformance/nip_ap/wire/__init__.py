"""All I/O of the suite towards a relay: two doors, and a transcript of what went through them."""

from nip_ap.model.frame import Frame
from nip_ap.wire.answers import (
    ANSWER_LIMIT,
    Answer,
    ConnectionLost,
    Counted,
    NoAnswer,
    RateLimited,
    Reading,
    Unreachable,
    WireError,
)
from nip_ap.wire.backoff import LIMITED
from nip_ap.wire.conversation import Malformed
from nip_ap.wire.exchange import exchange
from nip_ap.wire.http import HttpDoor
from nip_ap.wire.network import LiveNetwork, Network
from nip_ap.wire.pace import Patience
from nip_ap.wire.playback import Diverged, Playback, RecordedKey
from nip_ap.wire.transcript import Transcript
from nip_ap.wire.websocket import Subscription, WebSocketDoor

__all__ = [
    "ANSWER_LIMIT",
    "LIMITED",
    "Answer",
    "ConnectionLost",
    "Counted",
    "Diverged",
    "Frame",
    "HttpDoor",
    "LiveNetwork",
    "Malformed",
    "Network",
    "NoAnswer",
    "Patience",
    "Playback",
    "RateLimited",
    "Reading",
    "RecordedKey",
    "Subscription",
    "Transcript",
    "Unreachable",
    "WebSocketDoor",
    "WireError",
    "exchange",
]
