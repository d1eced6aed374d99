"""Rogues of routes."""

from __future__ import annotations

from nip_ap_relay.policy import Policy
from nip_ap_relay.rogues.declaring import rogue


@rogue(
    "route-left-over",
    turns_red="AP-REST-01",
    because="A route of the old surface answers still, and asks for credentials before it says no.",
    remedy="Remove the routes of the old REST surface: 404.",
)
class RouteLeftOver(Policy):
    def status_of_gone_route(self) -> int:
        return 401


@rogue(
    "route-echoes-its-path",
    turns_red="AP-REST-01",
    because="Its page for what it does not find repeats what was asked for.",
    remedy="Answer 404 without words of the request.",
)
class RouteEchoesItsPath(Policy):
    def words_where_nothing_is(self, path: str) -> str:
        return f"nothing at {path}"


@rogue(
    "json-said-to-be-text",
    turns_red="AP-REST-02",
    because="It writes JSON and lets the framework guess what it is.",
    remedy="Send `Content-Type: application/json` with JSON.",
)
class JsonSaidToBeText(Policy):
    def type_of_answers(self) -> str:
        return "text/plain"
