"""The doors besides the protocol's: names of profiles, media, and what is said where nothing is."""

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
    """The routes of one relay; those for everything come last."""

    relay: Relay
    own: OwnUrl

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/.well-known/nostr.json", self.names, methods=["GET"]),
            *MediaDoors(self.relay, self.own).routes(),
        ]

    def for_everything_else(self) -> list[BaseRoute]:
        """Last of all: where nothing is, whatever the method."""
        return [Route("/{path:path}", self.nothing, methods=_METHODS)]

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

    async def nothing(self, request: Request) -> Response:
        """Not found, without a word of what was asked for."""
        policy, path = self.relay.policy, request.url.path
        asked = "/" + request.path_params["path"]
        return PlainTextResponse(policy.words_of_no_route(path), policy.status_of_no_route(asked))


_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
