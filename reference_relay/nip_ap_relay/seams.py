"""The seams of the relay: what it does by the way, where a rogue can do otherwise.

The rules, which the protocol states, are in policy.py. What stands here is what no relay would
get wrong on purpose: that what was accepted is kept, that an answer arrives once, that a refusal
has no effect. Each seam says by its decorator whether a rehearsal (rehearsal.py) can show a change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nip_ap.nostr import INSTRUCTIONS, Event, Filter, is_ephemeral
from nip_ap.nostr.auth import RELAY_AUTH
from nip_ap.nostr.direct_message import COMMANDS
from nip_ap.nostr.gift_wrap import EPHEMERAL_GIFT_WRAP, GIFT_WRAP
from nip_ap.version import __version__
from nip_ap_relay.audience import PRIVATE
from nip_ap_relay.couriers import Courier
from nip_ap_relay.kinds import NIPS
from nip_ap_relay.limits import NOVEMBER, Limits
from nip_ap_relay.manners import AGAIN, CONNECT, LATE
from nip_ap_relay.recording import (
    had_an_authentication_refused,
    received,
    sent,
    sent_what_cannot_be_read,
    started_its_own_relay,
    used_http,
)
from nip_ap_relay.rehearsable import answers_show, only_a_run_shows
from nip_ap_relay.request_seams import RequestSeams
from nip_ap_relay.revisions import REVISIONS
from nip_ap_relay.store import Condition, Row, Store


class Seams(RequestSeams, Limits):
    """What the relay does around its rules, each as a small method."""

    def __init__(self, spec: str = NOVEMBER) -> None:
        self.spec = spec
        self.revision = REVISIONS[spec]
        self.frame_limit = self.revision.frame_limit

    # -- what happens around a write --------------------------------------------

    @answers_show
    def keeps(self, event: Event) -> bool:
        """Whether an accepted event is stored at all."""
        return True

    @answers_show
    def passes_through(self, event: Event) -> bool:
        """Ephemeral events are delivered and not stored."""
        return is_ephemeral(event.kind)

    @answers_show
    def as_stored(self, event: Event) -> Event:
        """Stored byte for byte."""
        return event

    @answers_show
    def retires(self, head: Row) -> bool:
        """Whether a beaten head leaves every answer."""
        return True

    @answers_show
    def answer_to_stale(self, event: Event) -> tuple[bool, str]:
        """What a write that lost is told: accepted, as the real relay does."""
        return True, "duplicate:"

    @answers_show
    def answer_to_duplicate(self, event: Event) -> tuple[bool, str]:
        done = " already processed" if event.kind in COMMANDS else ""
        return True, f"duplicate:{done}"

    @answers_show
    def stores_although_refused(self, event: Event, refusal: str) -> bool:
        return False

    @answers_show
    def delivers_although_refused(self, event: Event, refusal: str) -> bool:
        return False

    @answers_show
    def delivers_although_stale(self, event: Event) -> bool:
        return False

    @answers_show
    def delivers_although_known(self, event: Event) -> bool:
        return False

    @answers_show
    def ok(self, event: Event, accepted: bool, message: str) -> list[Any] | None:
        """The answer to an EVENT: one OK that names its id."""
        return ["OK", event.id, accepted, message]

    @only_a_run_shows()
    def stores_before_answering(self, event: Event) -> bool:
        """OK true means stored: what follows reads it."""
        return True

    @only_a_run_shows()
    def batch_is_committed(self) -> None:
        """A group commit has ended; nothing is remembered from one write to the next."""

    # -- stored reads ------------------------------------------------------------

    @answers_show
    def understood(self, one: Filter) -> Filter:
        """The filter as this relay reads it: as it was written."""
        return one

    @answers_show
    def row_limit(self, one: Filter) -> int:
        """How many stored events a filter gives at most."""
        return self.largest_limit if one.limit is None else min(one.limit, self.largest_limit)

    @answers_show
    def newest_first(self) -> bool:
        """Stored events come newest first, in one second the lowest id first."""
        return True

    @answers_show
    def tag_comparison(self) -> Callable[[str, str], bool] | None:
        """How a tag's value is compared with a wanted one; None is whole and case-sensitively.

        For that the index answers.
        """
        return None

    @answers_show
    def channel_condition(self, channel: str) -> Condition:
        """What `#h` of one channel means: stored under it; a stray `h` on a persona is not."""
        return Condition("channel = ?", (channel,))

    @answers_show
    def combines_filters_by_or(self) -> bool:
        return True

    @answers_show
    def gate_before_limit(self) -> bool:
        """Hidden events do not use up the limit of a reader who may not see them."""
        return True

    @answers_show
    def served(self, rows: list[Row], filters: Sequence[Filter]) -> list[Row]:
        """The stored events of one answer."""
        return rows

    @answers_show
    def as_served(self, raw: str) -> str:
        """The JSON text of an event as it leaves the relay: as it came."""
        return raw

    @answers_show
    def ends_stored_events(self, rows: list[Row], filters: Sequence[Filter]) -> bool:
        """EOSE closes the stored part of every answer."""
        return True

    @answers_show
    def finds_without_words(self) -> bool:
        """Whether a search without a word finds everything: it finds nothing."""
        return False

    @answers_show
    def never_searched(self) -> frozenset[int]:
        """Kinds that are not in the index of words."""
        return frozenset((*PRIVATE, INSTRUCTIONS))

    @answers_show
    def searches_private_deletions(self) -> bool:
        """Whether deletions that are for their author alone are in the index of words."""
        return False

    @answers_show
    def keeps_search_open(self) -> bool:
        """A search is answered once and not kept for live events."""
        return False

    @answers_show
    def count(self, rows: int, versions: int) -> int:
        """COUNT counts heads; `versions` is what was ever stored for the same filters."""
        return rows

    # -- live delivery -----------------------------------------------------------

    @answers_show
    def delivers_live(self, event: Event) -> bool:
        return True

    @answers_show
    def live_copies(self, event: Event) -> int:
        """How often one subscription gets one event."""
        return 1

    @answers_show
    def live_match(self, one: Filter, event: Event) -> bool:
        """Whether a new event belongs to a subscription's filter."""
        return one.matches(event)

    @answers_show
    def gets_live(self, subscriber: object, event: Event) -> bool:
        """Whether the next subscription of a connection that an event belongs to gets it: each."""
        return True

    @answers_show
    def close_ends(self) -> bool:
        """CLOSE ends a subscription."""
        return True

    # -- frames and connections ---------------------------------------------------

    @answers_show
    def frame_fits(self, size: int) -> bool:
        """Whether a frame of that many bytes is read at all; NIP-11 announces the limit."""
        return size <= self.frame_limit

    @only_a_run_shows(where=sent_what_cannot_be_read)
    def as_received(self, text: str) -> str:
        """The text of a frame, to be read as it came."""
        return text

    @answers_show
    def words_on_large_frame(self, size: int) -> str:
        return f"error: frame too large ({size} bytes, limit {self.frame_limit})"

    @answers_show
    def announces_hanging_up(self) -> bool:
        """Later relays say why they close; that of June closes without a word."""
        return self.revision.says_why_it_closes

    @only_a_run_shows(where=sent_what_cannot_be_read)
    def survives(self, complaint: str) -> bool:
        """Bad input gets a notice; nobody else's connection suffers."""
        return True

    @only_a_run_shows()
    def courier(self) -> Courier:
        """Who carries the answers of one connection."""
        return Courier()

    # -- the process and its store: what only a restart shows ----------------------

    @only_a_run_shows(where=started_its_own_relay)
    def commits_before_answering(self) -> bool:
        """OK true means durable: whatever ends the process, it is there afterwards."""
        return True

    @only_a_run_shows(where=started_its_own_relay)
    def opens(self, store: Store) -> None:
        """A store from before is taken as it is: what was replaced or deleted stays so."""

    @only_a_run_shows(where=started_its_own_relay)
    def stops_when_asked(self) -> bool:
        """SIGTERM closes every connection and ends the process."""
        return True

    # -- what the relay says of itself: NIP-11 -------------------------------------

    @only_a_run_shows()
    def claimed_nips(self) -> list[int]:
        return list(NIPS)

    @only_a_run_shows()
    def version(self) -> str:
        return f"{__version__}+{self.spec}"

    # -- authentication: NIP-42 and NIP-98 -----------------------------------------

    @only_a_run_shows()
    def challenges_on_connect(self) -> bool:
        return self.challenge_moment in (CONNECT, AGAIN)

    @only_a_run_shows()
    def challenges_later(self) -> bool:
        """Whether a new challenge comes a moment after the connection was made."""
        return self.challenge_moment in (LATE, AGAIN)

    @only_a_run_shows()
    def challenges_with(self, moment: str, refusal: str) -> bool:
        """Whether the refusal of a read or a write brings a challenge."""
        return self.challenge_moment == moment and refusal.startswith("auth-required:")

    @answers_show
    def auth_answer(self, event: Event, accepted: bool, message: str) -> list[Any] | None:
        """The answer to an AUTH: one OK that names its event."""
        return ["OK", event.id, accepted, message]

    @only_a_run_shows()
    def allows_another_attempt(self) -> bool:
        """Whether a wrong answer may be followed by another; the real relay allows one."""
        return self.challenge_moment == AGAIN

    @only_a_run_shows(where=had_an_authentication_refused)
    def challenge(self, random: str) -> str:
        """Fresh for each connection."""
        return random

    @answers_show
    def auth_event_is_sound(self, event: Event) -> bool:
        """Kind, id and signature of an answer to a challenge."""
        return event.kind == RELAY_AUTH and not event.problems

    @answers_show
    def auth_challenge_matches(self, given: str, sent: str) -> bool:
        return given == sent

    @answers_show
    def auth_relay_matches(self, given: str, own: str) -> bool:
        return given == own

    @answers_show
    def auth_time_is_near(self, created_at: int, now: int) -> bool:
        return abs(created_at - now) <= self.auth_window

    @only_a_run_shows(where=received("HTTP 401"))
    def http_url_matches(self, given: str, own: str) -> bool:
        return given == own

    @only_a_run_shows(where=received("HTTP 401"))
    def http_method_matches(self, given: str, own: str) -> bool:
        return given.upper() == own

    @only_a_run_shows(where=received("HTTP 401"))
    def http_payload_matches(self, given: str, digest: str) -> bool:
        return given == digest

    @only_a_run_shows(where=received("HTTP 401"))
    def http_time_is_near(self, created_at: int, now: int) -> bool:
        return abs(created_at - now) <= self.auth_window

    @only_a_run_shows(where=received("HTTP 401"))
    def http_replay_is_refused(self) -> bool:
        return True

    # -- routes ------------------------------------------------------------------------

    @only_a_run_shows(where=sent("GET /api", "GET /channels"))
    def status_of_gone_route(self) -> int:
        """What is answered where the old REST surface was: not found, whoever asks."""
        return 404

    @only_a_run_shows(where=sent("GET /api", "GET /channels"))
    def words_where_nothing_is(self, path: str) -> str:
        return "not found"

    @only_a_run_shows(where=sent("POST /query [Authorization] (", "POST /count [Authorization] ("))
    def type_of_answers(self) -> str:
        return "application/json"

    # -- the HTTP bridge -----------------------------------------------------------

    @only_a_run_shows(where=sent("POST /events"))
    def event_in_body(self, value: Any) -> Any:
        """What of a POST /events is the event: all of it."""
        return value

    @answers_show
    def objection_at_the_bridge(self, event: Event) -> str | None:
        """Two doors, one room, but for wraps: HTTP names its sender, who is to be nobody."""
        if event.kind in (GIFT_WRAP, EPHEMERAL_GIFT_WRAP):
            return f"invalid: kind {event.kind} is only accepted via WebSocket"
        return None

    @answers_show
    def refusal_over_http(self, refusal: str) -> str:
        """The text of a refusal over HTTP: the one that the WebSocket's OK has."""
        return refusal

    @only_a_run_shows(where=used_http)
    def http_status(self, refusal: str) -> int:
        """The HTTP status of a refusal."""
        forbidden = ("restricted: insufficient scope", "invalid: event pubkey does not match")
        return 403 if refusal.startswith(forbidden) else 400

    @only_a_run_shows(where=sent("POST /events"))
    def http_receipt(self, event: Event, accepted: bool, message: str) -> dict[str, Any]:
        """The body that answers a POST /events which was not refused."""
        return {"event_id": event.id, "accepted": accepted, "message": message}

    @only_a_run_shows(where=received("HTTP 401"))
    def http_answers_nobody(self) -> int:
        """The HTTP status for a request whose sender is not known."""
        return 401

    @only_a_run_shows(where=received("HTTP 413"))
    def http_answers_large_body(self) -> int:
        """The HTTP status for a body over the limit."""
        return 413

    @only_a_run_shows(where=received("HTTP 400"))
    def http_answers_bad_json(self) -> int:
        """The HTTP status for a body that cannot be read."""
        return 400
