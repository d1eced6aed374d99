"""The doors besides the protocol's: names of profiles, media, and where the old REST was."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from nip_ap_relay.media_doors import MediaDoors
from nip_ap_relay.own_url import OwnUrl
from nip_ap_relay.relay import Relay

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LONGEST_NAME = 64


@dataclass(frozen=True)
class OtherDoors:
    """The routes of one relay."""

    relay: Relay
    own: OwnUrl

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/.well-known/nostr.json", self.names, methods=["GET"]),
            *MediaDoors(self.relay, self.own).routes(),
            *(Route(f"{one}/{{path:path}}", self.gone, methods=_METHODS) for one in _GONE),
        ]

    async def names(self, request: Request) -> Response:
        """The key of the name that is asked for, at this relay's own host (NIP-05)."""
        name = request.query_params.get("name", "").lower()
        host = urlsplit(self.own.websocket(request)).hostname or ""
        hosts = _LOOPBACK if host in _LOOPBACK else (host,)
        holders = (self.relay.holder_of(f"{name}@{one}") for one in hosts)
        holder = next(filter(None, holders), None) if 0 < len(name) <= _LONGEST_NAME else None
        document = {"names": {name: holder} if holder else {}, "relays": {}}
        headers = dict(self.relay.policy.headers_of_names())
        return Response(orjson.dumps(document), 200, headers, "application/json")

    async def gone(self, request: Request) -> Response:
        """Where the old REST surface was: not found, without a word of what was asked for."""
        policy, path = self.relay.policy, request.url.path
        return PlainTextResponse(policy.words_where_nothing_is(path), policy.status_of_gone_route())


_GONE = ("/api", "/channels")
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
