"""One WebSocket connection: frames in, frames out, its subscriptions and its key."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections import deque
from typing import Any

import orjson

from nip_ap.nostr import Event
from nip_ap_relay import surfaces
from nip_ap_relay.auth import answers_challenge
from nip_ap_relay.couriers import Courier, HangUp, Send
from nip_ap_relay.live import Subscription
from nip_ap_relay.manners import ADDRESS, CONNECTION, KEY, LATER, NOTICE, READ, WRITE
from nip_ap_relay.protocol import Complaint, Request, parse_frame
from nip_ap_relay.relay import FAILED, Relay

_LIVE_BACKLOG = 20_000
_READ_AHEAD = 2_000
_CLOSED_REMEMBERED = 100


class Session:
    """The state of one connection."""

    def __init__(
        self, relay: Relay, url: str, courier: Courier, challenge: str = "", address: str = ""
    ) -> None:
        """`challenge` replaces the one that the policy makes; `address` is the client's."""
        self.relay = relay
        self.url = url
        self.address = address
        self.pubkey: str | None = None
        self.overrun = False
        self._courier = courier
        self._caller = relay.caller(None)
        self._challenge = challenge or relay.policy.challenge(os.urandom(32).hex())
        self._auth_failed = False
        self._later: asyncio.TimerHandle | None = None
        self._subscriptions: dict[str, Subscription] = {}
        self._closed: deque[str] = deque(maxlen=_CLOSED_REMEMBERED)
        self._outbox: deque[str] = deque()
        self._something_to_send = asyncio.Event()
        self._room_to_read = asyncio.Event()
        self._room_to_read.set()

    # -- out -------------------------------------------------------------------

    def send(self, *frame: Any) -> None:
        """Queue one answer."""
        self._queue(orjson.dumps(frame).decode())

    def send_live(self, text: str) -> None:
        """Queue one live delivery; a client that has stopped reading loses its connection."""
        if len(self._outbox) >= _LIVE_BACKLOG:
            self.drop()
            return
        self._queue(text)

    def take_queued(self) -> list[str]:
        """The frames that wait to be sent, out of the queue."""
        frames = list(self._outbox)
        self._outbox.clear()
        return frames

    def drop(self) -> None:
        """End the connection without sending what is queued."""
        self.overrun = True
        self._something_to_send.set()

    def _queue(self, text: str) -> None:
        self._outbox.append(text)
        self._something_to_send.set()
        if len(self._outbox) > _READ_AHEAD:
            self._room_to_read.clear()

    async def write(self, send: Send) -> None:
        """Send what is queued until cancelled. Raises HangUp where the connection has to end."""
        while True:
            await self._something_to_send.wait()
            self._something_to_send.clear()
            if self.overrun:
                raise HangUp("the relay ends this connection")
            while self._outbox:
                await self._courier.carry(self.take_queued(), send)
            self._room_to_read.set()

    async def ready_to_read(self) -> None:
        """Wait while the client leaves too many answers unread."""
        await self._room_to_read.wait()

    # -- in --------------------------------------------------------------------

    def open(self) -> None:
        """Greet with a challenge, as the real relay does on connect."""
        policy = self.relay.policy
        self.relay.connections.add(self)
        if policy.challenges_on_connect():
            self.send("AUTH", self._challenge)
        if policy.challenges_later():
            self._later = asyncio.get_running_loop().call_later(LATER, self._challenge_anew)

    def _challenge_anew(self) -> None:
        """A new challenge, which replaces the one before."""
        self._challenge = self.relay.policy.challenge(os.urandom(32).hex())
        self.send("AUTH", self._challenge)

    def close(self) -> None:
        """Forget the connection and its subscriptions."""
        self.relay.connections.discard(self)
        if self._later is not None:
            self._later.cancel()
        for subscription in self._subscriptions.values():
            self.relay.live.remove(subscription)
        self._subscriptions.clear()

    def receive(self, text: str) -> None:
        """Act on one frame. Raises HangUp where it is too large."""
        policy = self.relay.policy
        size = len(text) if text.isascii() else len(text.encode())
        if not policy.frame_fits(size):
            if not policy.survives(policy.words_on_large_frame(size)):
                self.relay.drop_everybody()
            notice = orjson.dumps(["NOTICE", policy.words_on_large_frame(size)]).decode()
            raise HangUp("frame too large", notice if policy.announces_hanging_up() else "")
        self.relay.interceptor.heard(self, text)
        try:
            request = parse_frame(
                policy.as_received(text),
                most_filters=policy.filters_at_once,
                longest_id=policy.longest_subscription_id,
            )
        except Complaint as complaint:
            if not policy.survives(str(complaint)):
                self.relay.drop_everybody()
                return
            self.send("NOTICE", f"invalid message: Invalid message format: {complaint}")
            return
        self.act_on(request)

    def act_on(self, request: Request) -> None:
        """Answer one request that could be read, unless it comes too soon."""
        if self._comes_too_soon(request):
            return
        try:
            self._act_on(request)
        except sqlite3.Error as error:
            self.relay.has_failed(error)
            self._forget(request.subscription)
            self.send("CLOSED", request.subscription, FAILED)

    def _act_on(self, request: Request) -> None:
        if request.verb == "EVENT" and request.event is not None:
            self._event(request.event)
        elif request.verb == "AUTH" and request.event is not None:
            self._auth(request.event)
        elif request.verb == "REQ":
            self._req(request)
        elif request.verb == "COUNT":
            self._count(request)
        elif request.verb == "CLOSE":
            self._close(request.subscription)

    def _event(self, event: Event) -> None:
        def answer(accepted: bool, message: str) -> None:
            frame = self.relay.policy.ok(event, accepted, message)
            if frame is not None:
                self.send(*frame)
            if self.relay.policy.challenges_with(WRITE, message):
                self.send("AUTH", self._challenge)

        self.relay.submit(event, self._caller, answer)

    def _auth(self, event: Event) -> None:
        policy = self.relay.policy
        if self._auth_failed and not policy.allows_another_attempt():
            self._answer_auth(event, False, "auth-required: authentication already failed")
        elif self.pubkey is not None and not policy.allows_another_attempt():
            self._answer_auth(event, False, "auth-required: already authenticated")
        elif answers_challenge(policy, event, challenge=self._challenge, url=self.url):
            self.pubkey = event.pubkey
            self._caller = self.relay.caller(event.pubkey)
            self._answer_auth(event, True, "")
        else:
            self._auth_failed = True
            self._answer_auth(event, False, "auth-required: verification failed")

    def _answer_auth(self, event: Event, accepted: bool, message: str) -> None:
        frame = self.relay.policy.auth_answer(event, accepted, message)
        if frame is not None:
            self.send(*frame)

    def _req(self, request: Request) -> None:
        policy, identifier = self.relay.policy, request.subscription
        self._forget(identifier)
        query = self.relay.query(self.pubkey)
        refusal = self._read_refusal(request)
        if refusal is not None:
            self._refuse_read(identifier, refusal)
            return
        subscription = Subscription(self, identifier, request.filters)
        is_search = any(one.search is not None for one in request.filters)
        if request.filters and (not is_search or policy.keeps_search_open()):
            self._take_up(subscription)
        rows = query.rows(request.filters, surfaces.REQ)
        for row in rows:
            self._queue(f"{subscription.prefix}{policy.as_served(row.raw)}]")
        if policy.ends_stored_events(rows, request.filters):
            self.send("EOSE", identifier)

    def _take_up(self, subscription: Subscription) -> None:
        """Serve a subscription live from now on, before its stored events are looked up."""
        if not self.relay.policy.takes_up(subscription.id, self._closed):
            return
        delay = self.relay.policy.registers_after()
        if delay:
            loop = asyncio.get_running_loop()
            loop.call_later(delay, self._register, subscription)
        else:
            self._register(subscription)

    def _register(self, subscription: Subscription) -> None:
        self._forget(subscription.id)
        self._subscriptions[subscription.id] = subscription
        self.relay.live.add(subscription)

    def _refuse_read(self, identifier: str, refusal: str) -> None:
        if self.relay.policy.challenges_with(READ, refusal):
            self.send("AUTH", self._challenge)
        self.send("CLOSED", identifier, refusal)

    def _comes_too_soon(self, request: Request) -> bool:
        """Whether a quota is used up, which the client is told."""
        if not self.relay.turnstile.quotas:
            return False
        who = {CONNECTION: id(self), ADDRESS: self.address, KEY: self.pubkey}
        wait = self.relay.turnstile.wait(request.verb, who, time.monotonic())
        if not wait:
            return False
        manners = self.relay.policy.manners
        text = manners.words(wait)
        if manners.told_by == NOTICE:
            self.send("NOTICE", text)
        elif request.event is not None:
            self.send("OK", request.event.id, False, text)
        else:
            self.send("CLOSED", request.subscription, text)
        return True

    def _read_refusal(self, request: Request) -> str | None:
        policy = self.relay.policy
        if policy.mixes_search(request.filters):
            return "error: mixed search and non-search filters not supported"
        if len(self._subscriptions) >= policy.subscriptions_at_once:
            return "error: too many subscriptions"
        return self._refusal_to_find(request)

    def _refusal_to_find(self, request: Request) -> str | None:
        policy = self.relay.policy
        too_much = policy.searches_too_much(request.filters)
        if too_much is not None:
            return f"invalid: {too_much}"
        return policy.read_refusal(request.filters, self._caller, self.relay.store)

    def _count(self, request: Request) -> None:
        query = self.relay.query(self.pubkey)
        refusal = self._refusal_to_find(request)
        if refusal is not None:
            self._refuse_read(request.subscription, refusal)
            return
        count = query.count(request.filters, surfaces.COUNT)
        self.send("COUNT", request.subscription, {"count": count})

    def _close(self, identifier: str) -> None:
        if self.relay.policy.close_ends():
            self._forget(identifier)
            self._closed.append(identifier)
        self.send("CLOSED", identifier, "")

    def _forget(self, identifier: str) -> None:
        subscription = self._subscriptions.pop(identifier, None)
        if subscription is not None:
            self.relay.live.remove(subscription)
