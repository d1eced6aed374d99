"""Profiles as checks use them: names that a relay serves, and what agents let be done with them."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from nip_ap.checking.actor import Actor, all_of
from nip_ap.nostr import PROFILE, Draft
from nip_ap.wire.web import WebResponse

AGENT_PROFILE = 10100
NAMES = "/.well-known/nostr.json"


def named_profile(actor: Actor, handle: str, *, at: int) -> Draft:
    """A profile that claims a name (NIP-05)."""
    content = {"name": actor.name, "nip05": handle}
    return Draft(PROFILE, at, (), json.dumps(content, separators=(",", ":")))


def newer_than_all(actor: Actor, kind: int, at: int) -> int:
    """That time, or one after all that the key has of a kind.

    A given key has a past; what it deleted a moment ago stays deleted up to that second.
    """
    there = actor.ws.query([all_of(actor, kinds=[kind])]).events  # no claim rests on it
    return max([at, *(event.created_at + 1 for event in there)])


def domain_of(actor: Actor) -> str:
    """The domain of which the relay may serve names: its host, without a port."""
    return urlsplit(actor.http.base).hostname or ""


def holder_in(response: WebResponse, name: str) -> str | None:
    """The key that a document of names gives for a name; None where it gives none."""
    document = response.json()
    names = document.get("names") if isinstance(document, dict) else None
    holder = names.get(name) if isinstance(names, dict) else None
    return holder if isinstance(holder, str) else None


def holder_of(name: str, actor: Actor) -> str | None:
    """Who has a name of the relay, as anybody may ask."""
    return holder_in(actor.http.fetch("GET", f"{NAMES}?name={name}"), name)


def add_policy(policy: str, *, at: int, alt: str = "") -> Draft:
    """An agent's word on who may add it to channels: anyone, owner_only or nobody.

    `alt` (NIP-31) tells it from another of the same key and second.
    """
    content = json.dumps({"channel_add_policy": policy}, separators=(",", ":"))
    return Draft(AGENT_PROFILE, at, (("alt", alt),) if alt else (), content)
