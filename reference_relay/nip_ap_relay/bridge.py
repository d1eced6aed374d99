"""The HTTP bridge without HTTP: bodies in, statuses and JSON out."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from nip_ap.nostr import Event, Filter, MalformedEvent
from nip_ap_relay import surfaces
from nip_ap_relay.protocol import Complaint, parse_filter, parse_json
from nip_ap_relay.relay import FAILED, Relay
from nip_ap_relay.windows import ThreadReads

SERVER_ERROR = 500


@dataclass(frozen=True)
class Reply:
    """An HTTP status and a JSON text."""

    status: int
    text: str

    @classmethod
    def of(cls, value: Any, status: int = 200) -> Reply:
        """A reply with a value as JSON."""
        return cls(status, orjson.dumps(value).decode())


@dataclass(frozen=True)
class Bridge:
    """POST /events, /query and /count for a sender who is known."""

    relay: Relay

    def events(self, body: bytes, pubkey: str, answer: Callable[[Reply], None]) -> None:
        """Submit one event; the reply comes when it is durable, or at once where it is refused."""
        try:
            event = Event.from_json(self.relay.policy.event_in_body(parse_json(body)))
        except (Complaint, MalformedEvent) as error:
            status = self.relay.policy.http_answers_bad_json()
            answer(Reply.of({"error": f"invalid event JSON: {error}"}, status))
            return

        def done(accepted: bool, message: str) -> None:
            if accepted or message.startswith("duplicate:"):
                answer(Reply.of(self.relay.policy.http_receipt(event, accepted, message)))
            else:
                policy = self.relay.policy
                status = SERVER_ERROR if message == FAILED else policy.http_status(message)
                answer(Reply.of({"error": policy.refusal_over_http(message)}, status))

        objection = self.relay.policy.objection_at_the_bridge(event)
        if objection is not None:
            done(False, objection)
            return
        self.relay.submit(event, self.relay.caller(pubkey), done)

    def query(self, body: bytes, pubkey: str) -> Reply:
        """An array of filters: a bare array of events."""
        return self._read(body, pubkey, self._events)

    def count(self, body: bytes, pubkey: str) -> Reply:
        """An array of filters: {"count": n}."""
        return self._read(body, pubkey, self._number)

    def _read(
        self, body: bytes, pubkey: str, answer: Callable[[list[Filter], str], Reply]
    ) -> Reply:
        policy = self.relay.policy
        try:
            filters = _filters(body)
            if policy.mixes_search(filters):
                raise Complaint("mixed search and non-search filters not supported")
            if too_much := policy.searches_too_much(filters):
                raise Complaint(too_much)
            for complaint in filter(None, map(policy.cursor_refusal, filters)):
                raise Complaint(complaint.removeprefix("invalid: "))
            refusal = policy.read_refusal(
                [one for one in filters if not one.tags.get("h")],
                self.relay.caller(pubkey),
                self.relay.store,
            ) or policy.private_read_refusal(filters, self.relay.caller(pubkey))
            if refusal is not None:
                return Reply.of({"error": refusal}, 403)
            return answer(filters, pubkey)
        except sqlite3.Error as error:
            self.relay.has_failed(error)
            return Reply.of({"error": FAILED}, SERVER_ERROR)
        except Complaint as error:
            return Reply.of({"error": f"invalid filters: {error}"}, policy.http_answers_bad_json())

    def _events(self, filters: list[Filter], pubkey: str) -> Reply:
        query = self.relay.query(pubkey)
        threads = ThreadReads(self.relay, query)
        texts = [text for one in filters if threads.answers(one) for text in threads.read(one)]
        ordinary = [one for one in filters if not threads.answers(one)]
        if ordinary:
            rows = query.rows(ordinary, surfaces.HTTP_QUERY)
            texts += [self.relay.policy.as_served(row.raw) for row in rows]
        return Reply(200, f"[{','.join(texts)}]")

    def _number(self, filters: list[Filter], pubkey: str) -> Reply:
        return Reply.of({"count": self.relay.query(pubkey).count(filters, surfaces.HTTP_COUNT)})


def _filters(body: bytes) -> list[Filter]:
    value = parse_json(body)
    if not isinstance(value, list):
        raise Complaint("expected a JSON array of filters")
    return [parse_filter(one) for one in value]
