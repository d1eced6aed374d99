"""Rogues of the HTTP door."""

from __future__ import annotations

from typing import Any

from nip_ap.nostr import NOTE, PERSONA, Event
from nip_ap_relay import surfaces
from nip_ap_relay.policy import Policy
from nip_ap_relay.rogues.declaring import rogue
from nip_ap_relay.store import Row


@rogue(
    "http-receipt-without-id",
    turns_red="AP-HTTP-01",
    because="It answers 200 and a message, and leaves the id to be guessed.",
    remedy="Return `event_id` in the answer to a submitted event.",
)
class HttpReceiptWithoutId(Policy):
    def http_receipt(self, event: Event, accepted: bool, message: str) -> dict[str, Any]:
        return {"event_id": "", "accepted": accepted, "message": message}


@rogue(
    "http-403-for-nobody",
    turns_red="AP-HTTP-03 AP-HTTP-04 AP-HTTP-05 AP-HTTP-07",
    because="It does not tell who you are from what you may do.",
    remedy="Answer 401 without credentials, and 403 where they do not suffice.",
)
class Http403ForNobody(Policy):
    def http_answers_nobody(self) -> int:
        return 403


@rogue(
    "http-500-on-large-body",
    turns_red="AP-HTTP-03",
    because="Its limit is the memory that it gets.",
    remedy="Bound the body and answer 413 beyond it.",
)
class Http500OnLargeBody(Policy):
    def http_answers_large_body(self) -> int:
        return 500


@rogue(
    "http-500-on-bad-json",
    turns_red="AP-HTTP-03 AP-HTTP-08 AP-INT-06",
    because="It does not catch the parser's exception.",
    remedy="Catch the parser's error and answer 400.",
)
class Http500OnBadJson(Policy):
    def http_answers_bad_json(self) -> int:
        return 500


@rogue(
    "doors-differ",
    turns_red="AP-HTTP-01",
    because="The bridge has a validator of its own, which knows no tags beside `d`.",
    remedy="Use one validator for both the WebSocket and HTTP.",
)
class DoorsDiffer(Policy):
    def objection_at_the_bridge(self, event: Event) -> str | None:
        if event.kind == PERSONA and event.tag_values("alt"):
            return "invalid: unknown tag `alt`"
        return super().objection_at_the_bridge(event)


@rogue(
    "http-count-differs",
    turns_red="AP-HTTP-02",
    by_chance="AP-HTTP-06",
    because="The bridge counts in a table of its own, which holds no notes.",
    remedy="Count from the same store as the WebSocket does.",
)
class HttpCountDiffers(Policy):
    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        if surface == surfaces.HTTP_COUNT and row.kind == NOTE:
            return False
        return super().may_read(row, reader, surface)


@rogue(
    "http-query-differs",
    turns_red="AP-HTTP-02",
    by_chance="AP-HTTP-06",
    blinds="AP-SCOPE-02 AP-TEAM-08 AP-WRAP-07",
    because="The bridge reads a table of its own, which holds no notes.",
    remedy="Query the same store as the WebSocket does.",
)
class HttpQueryDiffers(Policy):
    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        if surface == surfaces.HTTP_QUERY and row.kind == NOTE:
            return False
        return super().may_read(row, reader, surface)


@rogue(
    "nip98-unchecked-url",
    turns_red="AP-HTTP-04 AP-HTTP-09",
    because="It does not compare `u` with the address it was called by.",
    remedy="Compare the `u` tag with the URL that was requested.",
)
class Nip98UncheckedUrl(Policy):
    def http_url_matches(self, given: str, own: str) -> bool:
        return True


@rogue(
    "nip98-unchecked-method",
    turns_red="AP-HTTP-04",
    because="It takes an authorization to read for one to write.",
    remedy="Compare the `method` tag with the method of the request.",
)
class Nip98UncheckedMethod(Policy):
    def http_method_matches(self, given: str, own: str) -> bool:
        return True


@rogue(
    "nip98-unchecked-payload",
    turns_red="AP-HTTP-04",
    because="It skips the payload hash, which NIP-98 leaves to servers.",
    remedy="Compare the `payload` tag with the SHA-256 of the body.",
)
class Nip98UncheckedPayload(Policy):
    def http_payload_matches(self, given: str, digest: str) -> bool:
        return True


@rogue(
    "nip98-unchecked-time",
    turns_red="AP-HTTP-04",
    because="It lets an authorization live for ever.",
    remedy="Refuse an authorization whose `created_at` is more than a minute from now.",
)
class Nip98UncheckedTime(Policy):
    def http_time_is_near(self, created_at: int, now: int) -> bool:
        return True


@rogue(
    "nip98-replay",
    turns_red="AP-HTTP-05 AP-HTTP-07",
    because="It keeps no list of the authorizations that it has seen.",
    remedy="Remember the ids of authorizations while they are valid, and accept each once.",
)
class Nip98Replay(Policy):
    def http_replay_is_refused(self) -> bool:
        return False


@rogue(
    "nip98-url-by-prefix",
    turns_red="AP-HTTP-09",
    because="It looks whether `u` begins with the address it was called by.",
    remedy="Compare the whole of the `u` tag with the URL that was requested.",
)
class Nip98UrlByPrefix(Policy):
    def http_url_matches(self, given: str, own: str) -> bool:
        return given.startswith(own)


@rogue(
    "nip98-replays-soon-forgotten",
    turns_red="AP-HTTP-07",
    because="It remembers the last authorizations, and not those that could still be used.",
    remedy="Remember the ids of authorizations for as long as they are valid.",
)
class Nip98ReplaysSoonForgotten(Policy):
    authorizations_remembered = 5


@rogue(
    "http-first-of-an-array",
    turns_red="AP-HTTP-08",
    because="It takes a body that is an array for a batch, stores its first event, and says OK.",
    remedy="Refuse a body that is not one object, with 400.",
)
class HttpFirstOfAnArray(Policy):
    def event_in_body(self, value: Any) -> Any:
        return value[0] if isinstance(value, list) and len(value) > 1 else value
