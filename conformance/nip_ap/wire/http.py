"""The HTTP door: POST /events, /query and /count with NIP-98 or X-Pubkey."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from nip_ap.model.frame import GAVE_UP, NOTE, RECEIVED, SENT
from nip_ap.model.relay_url import RelayUrl
from nip_ap.nostr import (
    Event,
    Filter,
    MalformedEvent,
    SecretKey,
    http_auth_event,
    http_auth_header,
)
from nip_ap.wire.allowance import EVENTS, READS
from nip_ap.wire.answers import (
    Answer,
    Counted,
    HttpResponse,
    NoAnswer,
    RateLimited,
    Reading,
    StaleConnection,
    WireError,
)
from nip_ap.wire.backoff import Backoff, is_limit
from nip_ap.wire.network import Network
from nip_ap.wire.pace import Patience
from nip_ap.wire.transcript import Transcript
from nip_ap.wire.web import WebResponse, shown_body

DOOR = "http"
NIP98, X_PUBKEY = "nip98", "x-pubkey"


def http_base(relay_url: str) -> str:
    """The HTTP base of a relay's WebSocket URL, without a trailing slash."""
    return RelayUrl.parse(relay_url).http.rstrip("/")


class HttpDoor:
    """Requests of one actor."""

    name = DOOR

    def __init__(
        self,
        url: str,
        *,
        who: str,
        key: SecretKey | None,
        transcript: Transcript,
        now: Callable[[], int],
        network: Network,
        auth: str = NIP98,
        answer_limit: float = 8.0,
        nonce: str = "",
        patience: Patience | None = None,
    ) -> None:
        """Speak to the HTTP side of a relay's WebSocket URL; `key` None sends no credentials.

        `nonce` keeps the requests of checks apart that share a key, such as one of --keys.
        """
        self.base = http_base(url)
        self._root = RelayUrl.parse(url).http
        self.who = who
        self.key = key
        self._auth = auth
        self._now = now
        self._transcript = transcript
        self._connection = transcript.connection(who, DOOR)
        self._line = network.http(who, self._connection)
        self._answer_limit = answer_limit
        self.patience = patience or Patience(answer_limit)
        self._nonces = itertools.count(1)
        self._nonce = nonce

    def credentials(self, path: str, body: bytes) -> dict[str, str]:
        """The headers that authenticate a POST of this body."""
        if self.key is None:
            return {}
        if self._auth == X_PUBKEY:
            return {"X-Pubkey": self.key.pubkey}
        event = http_auth_event(
            self.key,
            url=self.base + path,
            method="POST",
            body=body,
            at=self._now(),
            nonce=self.fresh_nonce(),
        )
        return {"Authorization": http_auth_header(event)}

    def fresh_nonce(self) -> str:
        """What keeps two equal requests of this door and second apart."""
        return f"{self._nonce}{self.who}-{self._connection}-{next(self._nonces)}"

    def post(
        self, path: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> HttpResponse:
        """POST a body; headers default to the actor's credentials. Raises NoAnswer, Unreachable.

        A rate limit is waited out. With headers that were given it cannot be, since credentials
        may be used once: then it raises RateLimited. The transcript shows no value of a header.
        """
        backoff = Backoff(self.patience, waits=not self._transcript.is_played)
        what = EVENTS if path == "/events" else READS
        while True:
            self._admit(what)
            response = self._posted(path, body, headers)
            words = _limit(response)
            self._note_limit(what, words is not None)
            if words is None:
                return response
            if headers is not None:
                raise RateLimited(f"POST {path} met a rate limit: {words!r}")
            backoff.pause(words)

    def _posted(self, path: str, body: bytes, headers: Mapping[str, str] | None) -> HttpResponse:
        """With headers that are given on a new connection, so that it need not be made twice."""
        if headers is not None:
            return self._request("POST", path, body, headers, fresh=True)
        try:
            return self._request("POST", path, body, self.credentials(path, body))
        except StaleConnection:
            return self._request("POST", path, body, self.credentials(path, body), fresh=True)

    def _admit(self, what: str) -> None:
        """Keep to the pace that is known; it is the same for both doors."""
        if not self._transcript.is_played:
            self.patience.allowance.admit(what, self._account)

    def _note_limit(self, what: str, met: bool) -> None:
        if not self._transcript.is_played:
            self.patience.allowance.answered(what, self._account, int(not met), int(met))

    @property
    def _account(self) -> str:
        return self.key.pubkey if self.key is not None else f"{self.who} {id(self)}"

    def information(self) -> HttpResponse:
        """GET the NIP-11 document, without credentials. Raises NoAnswer, Unreachable."""
        headers = {"Accept": "application/nostr+json"}
        return self._request("GET", "/", b"", headers, fresh=True)

    def _request(
        self,
        method: str,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        fresh: bool = False,
    ) -> HttpResponse:
        url = self._root if method == "GET" else self.base + path
        named = "".join(f" [{name}]" for name in headers)
        what = "" if method == "GET" else f" {body.decode('utf-8', 'replace')}"
        self.patience.keep_to_the_deadline()
        self._record(SENT, f"{method} {path}{named}{what}")
        try:
            response = self._line.request(
                method, url, body=body, headers=headers, limit=self._answer_limit, fresh=fresh
            )
        except WireError as error:
            self._record(NOTE, f"{GAVE_UP}{type(error).__name__}: {error}")
            raise
        response = _without_credentials(response, headers)
        self._record(RECEIVED, f"HTTP {response.status_code} {response.text}")
        return response

    def fetch(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> WebResponse:
        """Any request beyond the bridge's three, with these headers and no credentials of its own.

        Raises NoAnswer, Unreachable.
        """
        given = headers or {}
        named = "".join(f" [{name}]" for name in given)
        self._record(SENT, f"{method} {path}{named}{shown_body(body)}")
        try:
            response = self._line.request(
                method,
                self.base + path,
                body=body,
                headers=given,
                limit=self._answer_limit,
                fresh=True,
            )
        except WireError as error:
            self._record(NOTE, f"{GAVE_UP}{type(error).__name__}: {error}")
            raise
        played = self._transcript.is_played
        text = response.text if played else WebResponse.of(response).as_text()
        self._record(RECEIVED, f"HTTP {response.status_code} {text}")
        return WebResponse.from_text(response.status_code, text)

    def _record(self, direction: str, text: str) -> None:
        self._transcript.record(self.who, DOOR, direction, text, self._connection)

    def publish(self, event: Event) -> Answer:
        """POST /events."""
        return self.publish_json(event.to_json(), event.id)

    def publish_json(self, value: Any, event_id: str) -> Answer:
        """POST any JSON value to /events."""
        response = self.post("/events", orjson.dumps(value))
        body = _json(response)
        accepted = response.is_success and body.get("accepted") is True
        message = body.get("message") if response.is_success else body.get("error")
        return Answer(
            event_id=str(body.get("event_id", event_id)),
            accepted=accepted,
            message=str(message or ""),
            door=DOOR,
            status=response.status_code,
        )

    def publish_all(self, events: Sequence[Event]) -> list[Answer]:
        """One after the other: each is its own request."""
        return [self.publish(event) for event in events]

    def query(self, filters: Iterable[Filter]) -> Reading:
        """POST /query. Raises NoAnswer where the body is no array of events."""
        wanted = tuple(filters)
        response = self._read("/query", wanted)
        refusal = None if response.is_success else _error(response)
        events, malformed = _events(response) if response.is_success else ((), ())
        return Reading(
            reader=self.who,
            door=DOOR,
            filters=wanted,
            events=events,
            malformed=malformed,
            refusal=refusal,
            status=response.status_code,
        )

    def count(self, filters: Iterable[Filter]) -> Counted:
        """POST /count."""
        wanted = tuple(filters)
        response = self._read("/count", wanted)
        body = _json(response)
        count = body.get("count")
        refusal = None if response.is_success and type(count) is int else _error(response)
        return Counted(
            self.who,
            DOOR,
            wanted,
            count if type(count) is int else 0,
            refusal,
            response.status_code,
        )

    def _read(self, path: str, filters: tuple[Filter, ...]) -> HttpResponse:
        return self.post(path, orjson.dumps([one.to_json() for one in filters]))

    def close(self) -> None:
        """End the connection; never raises."""
        self._line.close()


def _without_credentials(response: HttpResponse, sent: Mapping[str, str]) -> HttpResponse:
    """An answer in which the relay does not repeat the NIP-98 header that it got.

    Whatever is made of the answer, a transcript, a reason, a page, has no credential in it then.
    """
    token = sent.get("Authorization", "").removeprefix("Nostr ").strip()
    if not token or token not in response.text:
        return response
    text = response.text.replace(token, "(the credential that was sent)")
    return HttpResponse(response.status_code, text.encode(), response.headers)


def _json(response: HttpResponse) -> dict[str, Any]:
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return {"error": response.text}
    return body if isinstance(body, dict) else {}


def _error(response: HttpResponse) -> str:
    return str(_json(response).get("error", f"HTTP {response.status_code}"))


def _limit(response: HttpResponse) -> str | None:
    """The words of a rate limit, with the seconds that a header names; None where it is none.

    The word for it is the prefix of NIP-01, whatever the status; a 429 needs no words.
    """
    body = _json(response)
    said = str(body.get("error") or body.get("message") or "")
    if response.status_code != 429 and (body.get("accepted") is True or not is_limit(said)):
        return None
    after = response.header("retry-after")
    return f"{said}; retry in {after} s" if after.isdigit() else said or "HTTP 429"


def _events(response: HttpResponse) -> tuple[tuple[Event, ...], tuple[str, ...]]:
    """The events of an answer, and what stands among them and is none."""
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError as error:
        raise NoAnswer(f"/query answered with no array of events: {error}") from error
    if not isinstance(body, list):
        raise NoAnswer(f"/query answered with no array of events: {response.text[:200]}")
    events, malformed = [], []
    for one in body:
        try:
            events.append(Event.from_json(one))
        except MalformedEvent as error:
            malformed.append(f"{str(one)[:200]}, which is not an event: {error}")
    return tuple(events), tuple(malformed)
