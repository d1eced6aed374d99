"""How a connection of the load comes in: NIP-42 as the preflight found it, or not at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import orjson

from nip_ap.load.connection import Refused
from nip_ap.model.greeting import ON_READ, ON_WRITE, Greeting
from nip_ap.nostr import DELETION, PERSONA, Draft, Filter, SecretKey, relay_auth_event
from nip_ap.nostr.message import AuthMessage, EoseMessage, OkMessage, RelayMessage

Send = Callable[[str], object]

_NOWHERE = "nip-ap-asks-for-a-challenge"


class Entrance:
    """One authentication. What comes before its end is its own, and no answer to anything else."""

    def __init__(self, who: str, url: str, key: SecretKey, greeting: Greeting) -> None:
        self._who = who
        self._url = url
        self._key = key
        self._greeting = greeting
        loop = asyncio.get_running_loop()
        self._challenge: asyncio.Future[str] = loop.create_future()
        self._admitted: asyncio.Future[None] = loop.create_future()
        self._sent = ""
        self._is_answered = False
        if not greeting.challenges:
            self._admitted.set_result(None)

    @property
    def is_over(self) -> bool:
        """Whether what comes now is for somebody else."""
        return self._admitted.done()

    async def pass_through(self, send: Send, limit: float) -> None:
        """Do what the relay wants, within so many seconds. Raises Refused."""
        if self.is_over:
            return
        try:
            async with asyncio.timeout(limit):
                self._ask(send)
                await asyncio.wait(
                    (self._challenge, self._admitted), return_when=asyncio.FIRST_COMPLETED
                )
                if self._challenge.done():
                    self._answer(send)
                await self._admitted
        except TimeoutError:
            raise Refused(f"{self._who} could not authenticate in time") from None

    def _ask(self, send: Send) -> None:
        """What brings a challenge where none comes unasked."""
        if self._greeting.moment == ON_READ:
            wanted = Filter.of(kinds=[PERSONA], authors=[self._key.pubkey], limit=1)
            send(orjson.dumps(["REQ", _NOWHERE, wanted.to_json()]).decode())
        elif self._greeting.moment == ON_WRITE:
            target = ("a", f"{PERSONA}:{self._key.pubkey}:{_NOWHERE}")
            draft = Draft(DELETION, int(time.time()), (target, ("k", str(PERSONA))))
            self._send_event(send, "EVENT", draft.signed_by(self._key).to_json())

    def _answer(self, send: Send) -> None:
        event = relay_auth_event(
            self._key, challenge=self._challenge.result(), relay=self._url, at=int(time.time())
        )
        self._is_answered = True
        self._send_event(send, "AUTH", event.to_json())
        if not self._greeting.answers:
            self._admit()

    def _send_event(self, send: Send, verb: str, event: dict[str, object]) -> None:
        self._sent = str(event["id"])
        send(orjson.dumps([verb, event]).decode())

    def take(self, message: RelayMessage) -> None:
        """One message of the relay, while this is going on."""
        match message:
            case AuthMessage(challenge) if not self._challenge.done():
                self._challenge.set_result(challenge)
            case OkMessage(self._sent, True):
                self._admit()
            case OkMessage(self._sent, False) if self._is_answered and not self.is_over:
                words = f"{self._who} could not authenticate: {message.message!r}"
                self._admitted.set_exception(Refused(words))
            case EoseMessage(subscription) if subscription == _NOWHERE:
                self._admit()

    def _admit(self) -> None:
        if not self._admitted.done():
            self._admitted.set_result(None)
