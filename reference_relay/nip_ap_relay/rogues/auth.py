"""Rogues of authentication."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from nip_ap.nostr import Event
from nip_ap_relay.policy import NOVEMBER, Policy
from nip_ap_relay.rogues.declaring import rogue


@rogue(
    "challenge-constant",
    turns_red="AP-AUTH-01 AP-AUTH-10 AP-AUTH-11",
    because="It makes one challenge at its start and sends it to everybody.",
    remedy="Make a fresh random challenge for each connection.",
)
class ChallengeConstant(Policy):
    def challenge(self, random: str) -> str:
        return "c0ffee" * 10


@rogue(
    "auth-unchecked-challenge",
    turns_red="AP-AUTH-02 AP-AUTH-10 AP-AUTH-11",
    because="It looks for a `challenge` tag and not at its value.",
    remedy="Compare the `challenge` tag with the challenge that this connection was sent.",
)
class AuthUncheckedChallenge(Policy):
    def auth_challenge_matches(self, given: str, sent: str) -> bool:
        return True


@rogue(
    "auth-unchecked-relay",
    turns_red="AP-AUTH-02 AP-AUTH-12",
    because="It does not know its own address, so it cannot compare.",
    remedy="Configure the relay's own URL and compare the `relay` tag with it.",
)
class AuthUncheckedRelay(Policy):
    def auth_relay_matches(self, given: str, own: str) -> bool:
        return True


@rogue(
    "auth-unchecked-signature",
    turns_red="AP-AUTH-02",
    because="It reads the challenge out of the event and trusts the rest.",
    remedy="Verify id and signature of the AUTH event before you read its tags.",
)
class AuthUncheckedSignature(Policy):
    def auth_event_is_sound(self, event: Event) -> bool:
        return True


@rogue(
    "auth-unchecked-time",
    turns_red="AP-AUTH-02",
    because="It accepts an answer of last year.",
    remedy="Refuse an AUTH event whose `created_at` is more than ten minutes from now.",
)
class AuthUncheckedTime(Policy):
    def auth_time_is_near(self, created_at: int, now: int) -> bool:
        return True


@rogue(
    "auth-without-ok",
    turns_red="AP-AUTH-04",
    blinds="AP-AUTH-10 AP-AUTH-11 AP-AUTH-12",
    because="It lets in whoever answers its challenge rightly, without a word.",
    remedy="Answer every AUTH event with OK, true or false.",
)
class AuthWithoutOk(Policy):
    def auth_answer(self, event: Event, accepted: bool, message: str) -> list[Any] | None:
        return None if accepted else super().auth_answer(event, accepted, message)


@rogue(
    "auth-answered-by-notice",
    turns_red="AP-AUTH-04",
    blinds="AP-AUTH-10 AP-AUTH-11 AP-AUTH-12",
    because="It says in a NOTICE that somebody has authenticated.",
    remedy="Answer an AUTH event with OK and its id, not with a NOTICE.",
)
class AuthAnsweredByNotice(Policy):
    def auth_answer(self, event: Event, accepted: bool, message: str) -> list[Any] | None:
        if accepted:
            return ["NOTICE", f"authenticated as {event.pubkey}"]
        return super().auth_answer(event, accepted, message)


@rogue(
    "auth-ok-inverted",
    turns_red="AP-AUTH-04 AP-AUTH-10 AP-AUTH-11 AP-AUTH-12",
    because="It lets in whoever answers its challenge rightly, and says OK false.",
    remedy="Send OK true where the authentication succeeded.",
)
class AuthOkInverted(Policy):
    def auth_answer(self, event: Event, accepted: bool, message: str) -> list[Any] | None:
        return super().auth_answer(event, False, message)


@rogue(
    "auth-right-answer-refused",
    turns_red="AP-AUTH-04",
    blinds=(
        "* AP-DEL-17 AP-GATE-15 AP-HTTP-06 AP-READ-12 AP-READ-17 AP-READ-18 AP-READ-19 "
        "AP-READ-20 AP-READ-21 AP-REPL-15 AP-REPL-16"
    ),
    because="It compares the relay tag with a name that nobody else knows, and lets nobody in.",
    remedy="Compare the `relay` tag with the URL that clients connect to.",
)
class AuthRightAnswerRefused(Policy):
    def auth_relay_matches(self, given: str, own: str) -> bool:
        return False


@rogue(
    "any-open-challenge-accepted",
    turns_red="AP-AUTH-10 AP-AUTH-11",
    because="It keeps the challenges that it sent in one list, and not with their connections.",
    remedy="Keep each challenge with its connection, and accept it there alone.",
)
class AnyOpenChallengeAccepted(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._sent: set[str] = set()

    def challenge(self, random: str) -> str:
        self._sent.add(random)
        return random

    def auth_challenge_matches(self, given: str, sent: str) -> bool:
        return given in self._sent or given == sent


@rogue(
    "verified-authentications-cached",
    turns_red="AP-AUTH-11",
    because="It remembers which AUTH events were right, to save the work of a second look.",
    remedy="Check the challenge of each AUTH event on its own connection, verified before or not.",
)
class VerifiedAuthenticationsCached(Policy):
    def __init__(self, spec: str = NOVEMBER) -> None:
        super().__init__(spec)
        self._right: set[str] = set()

    def auth_challenge_matches(self, given: str, sent: str) -> bool:
        if given == sent:
            self._right.add(given)
        return given in self._right


@rogue(
    "auth-for-any-port",
    turns_red="AP-AUTH-12",
    because="It compares the host of the `relay` tag, and its neighbour has the same.",
    remedy="Compare scheme, host and port of the `relay` tag with the relay's own URL.",
)
class AuthForAnyPort(Policy):
    def auth_relay_matches(self, given: str, own: str) -> bool:
        return urlsplit(given).hostname == urlsplit(own).hostname


@rogue(
    "auth-ok-without-id",
    turns_red="AP-AUTH-04",
    blinds="AP-ROB-06",
    because="It says that the client is in, and not what it answers.",
    remedy="Put the id of the AUTH event into its OK.",
)
class AuthOkWithoutId(Policy):
    def auth_answer(self, event: Event, accepted: bool, message: str) -> list[Any] | None:
        return ["OK", "", accepted, message]
