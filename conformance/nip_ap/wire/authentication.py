"""NIP-42 at a connection: the challenge is awaited or asked for, and the newest one is answered.

A challenge may come at connect, a moment later, again, or only with the refusal of what needed
authentication. All of that is legal, so a refusal is a reason to look for a challenge, never yet
an answer. Whether a challenge came is always waited for and never just looked up: a transcript
that is played back hands out what came only to somebody who waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from nip_ap.model.frame import GAVE_UP, WITHIN
from nip_ap.model.greeting import NEVER, ON_READ, ON_WRITE, Greeting
from nip_ap.nostr import DELETION, PERSONA, Draft, Event, Filter, SecretKey, relay_auth_event
from nip_ap.wire.answers import Answer, NoAnswer
from nip_ap.wire.connection import DOOR, Connection
from nip_ap.wire.conversation import Requested
from nip_ap.wire.network import Network
from nip_ap.wire.pace import Patience
from nip_ap.wire.transcript import Transcript

AUTH_REQUIRED = "auth-required:"
_ATTEMPTS = 3
_NOWHERE = "nip-ap-asks-for-a-challenge"


class AuthenticatingConnection(Connection):
    """A connection that authenticates with the actor's key where the relay lets it."""

    def __init__(
        self,
        url: str,
        *,
        who: str,
        key: SecretKey | None,
        now: Callable[[], int],
        greeting: Greeting,
        transcript: Transcript,
        network: Network,
        patience: Patience,
        answer_limit: float,
        can_pause: bool = False,
    ) -> None:
        """Connect, and authenticate at once where the relay is known to ask for it."""
        super().__init__(
            url,
            who=who,
            transcript=transcript,
            network=network,
            patience=patience,
            answer_limit=answer_limit,
            can_pause=can_pause,
        )
        self.key = key
        self.greeting = greeting
        self._now = now
        self._authenticated = False
        self._answered: str | None = None
        self._unread: Event | None = None
        self._notices_read = 0
        if key is not None and greeting.challenges and self.asks_for_challenge(key):
            self._answer_at_once()

    def accepted_ids(self) -> list[str]:
        """The ids that an unread OK accepts, but for that of an AUTH."""
        unread = self._unread.id if self._unread is not None else ""
        return [one for one in super().accepted_ids() if one != unread]

    @property
    def authenticated(self) -> bool:
        """Whether the relay accepted an answer of the actor's key."""
        self._read_unread()
        return self._authenticated

    # -- the challenge -----------------------------------------------------------

    def seconds_until_challenge(self, limit: float) -> float | None:
        """Wait so long at most for a challenge; None where none came."""
        began = time.monotonic()
        with self._changed:
            self._line.wait(lambda: self._has_new_challenge or self._lost is not None, limit)
            if not self._has_new_challenge:
                if self._lost is None:
                    self._remark(f"{GAVE_UP}a NIP-42 challenge{WITHIN}{limit:g} s")
                return None
        return self._transcript.reading(
            "seconds until the challenge", lambda: round(time.monotonic() - began, 3), self.who
        )

    def provoke(self, moment: str, key: SecretKey) -> None:
        """Do, as `key`, what a relay may meet with a challenge, and wait for its answer."""
        if moment == ON_READ:
            self._read_nothing(key)
        elif moment == ON_WRITE:
            self._write_nothing(key)

    def await_challenge(self, key: SecretKey) -> str:
        """The challenge of this connection, asked for where it has to be. Raises NoAnswer."""
        if not self.asks_for_challenge(key) or self.challenge is None:
            raise NoAnswer("the relay sent no NIP-42 challenge")
        return self.challenge

    def asks_for_challenge(self, key: SecretKey) -> bool:
        """Wait for a challenge; first do, as `key`, what brings one. False where none is needed.

        Raises NoAnswer where one had to come.
        """
        if self.challenge is not None:
            return True
        if self.greeting.moment == ON_READ and self._read_nothing(key):
            return False
        if self.greeting.moment == ON_WRITE and self._write_nothing(key):
            return False
        self.wait(lambda: self.challenge is not None, "a NIP-42 challenge")
        return True

    def _read_nothing(self, key: SecretKey) -> bool:
        """A REQ for own personas, of which none is wanted; whether it was answered."""
        wanted = Filter.of(kinds=[PERSONA], authors=[key.pubkey], limit=1)
        asked = Requested(_NOWHERE, (wanted,))
        with self._changed:
            self.note_request(asked)
        asked.left = True
        self.send(["REQ", asked.id, wanted.to_json()])
        self.wait(lambda: asked.is_answered, f"EOSE for subscription {asked.id}")
        if asked.ended:
            self.send(["CLOSE", asked.id])
        return asked.ended

    def _write_nothing(self, key: SecretKey) -> bool:
        """A deletion of what never was, harmless where it is accepted; whether it was."""
        target = ("a", f"{PERSONA}:{key.pubkey}:{_NOWHERE}")
        event = Draft(DELETION, self._now(), (target, ("k", str(PERSONA)))).signed_by(key)
        self.send(["EVENT", event.to_json()])
        self.wait(lambda: self.has_ok(event), f"OK for event {event.short_id}")
        taken = self.take_ok(event)
        return taken is not None and taken.accepted

    # -- the answer --------------------------------------------------------------

    def authenticate(self) -> Answer:
        """Answer the newest challenge (NIP-42) with the actor's key. Raises NoAnswer."""
        self._read_unread()
        answer = self.authenticate_with(self._answer_event())
        for _ in range(_ATTEMPTS):
            if answer.accepted or self.challenge == self._answered:
                break
            answer = self.authenticate_with(self._answer_event())
        self._authenticated = answer.accepted
        return answer

    def authenticate_with(self, event: Event) -> Answer:
        """Send any AUTH event, good or broken, and wait for its OK."""
        self.send(["AUTH", event.to_json()])
        return self.answer_to(event, alone=True)

    def _answer_event(self) -> Event:
        if self.key is None or self.challenge is None:
            raise NoAnswer("the relay sent no NIP-42 challenge")
        self._answered = self.challenge
        return relay_auth_event(self.key, challenge=self.challenge, relay=self.url, at=self._now())

    def authenticate_as(self, key: SecretKey) -> str:
        """Authenticate a connection that has not; why that failed, or "". Raises NoAnswer."""
        self.key = key
        if not self.asks_for_challenge(key):
            return ""
        if not self.greeting.answers:
            self._answer_at_once()
            return ""
        answer = self.authenticate()
        return "" if answer.accepted else answer.message or "OK false"

    def _answer_at_once(self) -> None:
        """Authenticate; where the relay judges in order, its OK is read later."""
        if self.greeting.answers and not self.greeting.in_order:
            self.authenticate()
            return
        event = self._answer_event()
        self.send(["AUTH", event.to_json()])
        self._authenticated = True
        self._unread = event if self.greeting.answers else None

    def _read_unread(self) -> None:
        """Read the OK of an AUTH that nobody has waited for."""
        if self._unread is not None:
            event, self._unread = self._unread, None
            self._authenticated = self.answer_to(event, alone=True).accepted

    # -- after a refusal ---------------------------------------------------------

    def may_try_again(self, refusal: str) -> bool:
        """Whether authenticating now can make an answer of a refusal; it is done then.

        With `auth-required:` a challenge is waited for. With other words one that is in hand is
        answered, once.
        """
        if self.key is None:
            return False
        if self._unread is not None:
            self._read_unread()
            if self._authenticated:
                return True
        if refusal.startswith(AUTH_REQUIRED):
            return self._gets_new_challenge() and self.authenticate().accepted
        if self._authenticated or self._answered is not None:
            return False
        in_hand = self._transcript.reading(
            "a challenge is in hand", lambda: self.challenge is not None, self.who
        )
        return in_hand and self._gets_new_challenge() and self.authenticate().accepted

    def _gets_new_challenge(self) -> bool:
        """Wait for a challenge that was not answered yet; whether one came."""
        limit = self.patience.challenge_limit
        with self._changed:
            self._line.wait(lambda: self._has_new_challenge or self._lost is not None, limit)
            if self._has_new_challenge:
                return True
            if self._lost is None:
                self._remark(f"{GAVE_UP}a NIP-42 challenge after a refusal{WITHIN}{limit:g} s")
        self.patience.without_challenge()
        return False

    @property
    def _has_new_challenge(self) -> bool:
        return self.challenge is not None and self.challenge != self._answered

    # -- a NOTICE in place of an answer -------------------------------------------

    def put_off(self) -> str | None:
        """A NOTICE that answers what was asked, although it names nothing: later, or who are you.

        None where there is none. What comes before authentication is no answer after it.
        """
        if self.limits:
            return self.limits[0]
        if self.key is None or self._authenticated:
            return None
        news = self.notices[self._notices_read :]
        return next((text for text in news if text.startswith(AUTH_REQUIRED)), None)

    def take_put_off(self) -> str:
        """The words of such a NOTICE, which is read now."""
        with self._changed:
            words = self.put_off() or ""
            if self.limits:
                return self.limits.popleft()
            self._notices_read = len(self.notices)
            return words

    # -- the OK of one event -----------------------------------------------------

    def answer_to(self, event: Event, *, alone: bool = False) -> Answer:
        """Wait for the OK of an event. Raises NoAnswer.

        An OK that names no event sent here (nostr-relay refuses with an empty id) answers the only
        event that waits, if `alone` says so; among several it answers none that could be told.
        """
        self.wait(
            lambda: self.has_ok(event) or self.put_off() is not None or bool(self.misnamed),
            f"OK for event {event.short_id}",
        )
        with self._changed:
            named = self.take_ok(event)
            if named is not None:
                return Answer(event.id, named.accepted, named.message, DOOR)
            if not self.misnamed:
                return Answer(event.id, False, self.take_put_off(), DOOR)
            other = self.misnamed.popleft()
        if not alone:
            raise NoAnswer(f"an OK came for {other.event_id!r}, which is none of the events sent")
        self._transcript.note(f"the OK that names {other.event_id!r} is taken for {event.short_id}")
        return Answer(event.id, other.accepted, other.message, DOOR)


__all__ = ["AUTH_REQUIRED", "NEVER", "AuthenticatingConnection"]
