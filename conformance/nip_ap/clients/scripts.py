"""Scripts for readers: what a relay serves, and what a reader has to make of it (fixtures/reader/).

A script is data. Its events are signed here, with keys of the check's own, and then broken where
the script says so; `shows` and `hides` name events whose personas a reader shows or must not show.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from nip_ap.nostr import DELETION, PERSONA, Draft, Event, SecretKey
from nip_ap.resources import data, resource

OWNER, VIEWER = "owner", "viewer"
"""Whose key the reader has: the owner's, or that of somebody who looks at another's personas."""

_MOST_TRIES = 4096


@dataclass(frozen=True)
class Script:
    """One file of fixtures/reader/: what a check of the clause plays.

    `sees` tells a person in one sentence what an app has to show. `needs` are placeholders that a
    command has to have: `key`, `slug`. `tells` are names of events that have to be told as dropped,
    and `never_says` texts that occur nowhere in the output.
    """

    name: str
    clause: str
    title: str
    sees: str
    events: Sequence[Mapping[str, Any]]
    shows: Sequence[str]
    hides: Sequence[str] = ()
    relay: Mapping[str, Any] = field(default_factory=dict)
    needs: Sequence[str] = ()
    reads_as: str = OWNER
    slug: str = ""
    tells: Sequence[str] = ()
    never_says: Sequence[str] = ()


@dataclass(frozen=True)
class Staged:
    """An event as it is served. `slug` and `body` are what a reader would show of it."""

    name: str
    text: str
    always: bool
    slug: str
    body: Mapping[str, Any]
    owner: str

    def to_json(self) -> dict[str, Any]:
        """What the relay needs."""
        return {"text": self.text, "always": self.always}

    @property
    def display_name(self) -> str | None:
        """The display name, where it has one that is a string."""
        found = self.body.get("display_name")
        return found if isinstance(found, str) else None


@cache
def script_named(name: str) -> Script:
    """A script by the name of its file."""
    return Script(name=name, **data(f"reader/{name}"))


def script_names() -> list[str]:
    """All scripts."""
    return sorted(path.stem for path in resource("fixtures/reader").glob("*.json"))


def scripts_of(clause: str) -> list[str]:
    """The scripts that the checks of a clause play."""
    return [one for one in script_names() if script_named(one).clause == clause]


class Stage:
    """The events of a script, made for one seed and one moment."""

    def __init__(self, script: Script, seed: str, now: int, *, many: int = 0) -> None:
        """`many`: how many personas a `many` of the script stands for; 0 takes its own number."""
        self.script = script
        self._seed = seed
        self._now = now
        self._many = many
        self.keys = {role: self._key(role) for role in (OWNER, VIEWER)}
        self.events: dict[str, Staged] = {}
        self._signed: dict[str, Event] = {}
        for given in script.events:
            for staged in self._staged(given):
                self.events[staged.name] = staged

    def _key(self, role: str) -> SecretKey:
        return SecretKey.derived(self._seed, "key", role)

    @property
    def owner(self) -> SecretKey:
        """Whose personas are read."""
        return self.keys[OWNER]

    @property
    def reader(self) -> SecretKey:
        """Who reads."""
        return self.keys[self.script.reads_as]

    def served(self) -> list[dict[str, Any]]:
        """All events, as the relay wants them, in the order in which they are served."""
        first = {one["name"] for one in self.script.events if one.get("served_first")}
        ordered = sorted(self.events.values(), key=lambda one: one.name not in first)
        return [one.to_json() for one in ordered]

    def shown(self) -> list[Staged]:
        """What has to be shown; `many` stands for all of them."""
        return [one for name in self.script.shows for one in self._called(name)]

    def hidden(self) -> list[Staged]:
        """What must not be shown."""
        return [one for name in self.script.hides for one in self._called(name)]

    def _called(self, name: str) -> list[Staged]:
        if name in self.events:
            return [self.events[name]]
        found = [one for key, one in self.events.items() if key.startswith(f"{name} ")]
        if not found:
            raise ValueError(f"the script {self.script.name} has no event {name!r}")
        return found

    # -- making events ---------------------------------------------------------

    def _staged(self, given: Mapping[str, Any]) -> Iterator[Staged]:
        if "many" in given:
            for number in range(self._many or given["many"]):
                yield self._one(self._numbered(given, number))
        else:
            yield self._one(given)

    @staticmethod
    def _numbered(given: Mapping[str, Any], number: int) -> dict[str, Any]:
        body = {"display_name": f"Persona {number:05}", "system_prompt": f"You are {number}."}
        return {
            **given,
            "name": f"{given['name']} {number}",
            "d": [f"p-{number:05}"],
            "at": -100 - number,
            "content": body,
        }

    def _one(self, given: Mapping[str, Any]) -> Staged:
        draft = self._draft(given)
        key = self._key(given.get("by", OWNER))
        event = draft.signed_by(key)
        if "below" in given:
            event = self._below(draft, key, self._signed[given["below"]])
        self._signed[given["name"]] = event
        value = event.to_json() | self._spoiled(event, given)
        text = json.dumps(value)
        for wrong, right in given.get("text", {}).items():
            text = text.replace(wrong, right)
        content = _shown_content(given)
        return Staged(
            name=given["name"],
            text=text,
            always=bool(given.get("always")),
            slug=next(iter(given.get("d", ())), ""),
            body=content if isinstance(content, dict) else {},
            owner=event.pubkey,
        )

    def _draft(self, given: Mapping[str, Any]) -> Draft:
        at = self._now + int(given.get("at", 0))
        if "deletes" in given:
            address = f"{PERSONA}:{self._key(given.get('of', OWNER)).pubkey}:{given['deletes']}"
            return Draft(DELETION, at, (("a", address), ("k", str(PERSONA))))
        content = _content(given)
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        tags = [("d", slug) for slug in given["d"]] + [tuple(tag) for tag in given.get("tags", ())]
        return Draft(int(given.get("kind", PERSONA)), at, tuple(tags), text)

    @staticmethod
    def _below(draft: Draft, key: SecretKey, other: Event) -> Event:
        """The same with an id below that of another event: it wins where their dates are equal."""
        for number in range(_MOST_TRIES):
            event = draft.with_tags(("alt", f"version {number}")).signed_by(key)
            if event.id < other.id:
                return event
        raise ValueError("no id is low enough")

    def _spoiled(self, event: Event, given: Mapping[str, Any]) -> dict[str, Any]:
        """What is wrong with an event after it was signed."""
        match given.get("spoil"):
            case None:
                return {}
            case "sig":
                return {"sig": event.sig[:-1] + ("0" if event.sig[-1] != "0" else "1")}
            case "id":
                return {"id": event.id[:-1] + ("0" if event.id[-1] != "0" else "1")}
            case "content":
                return {"content": json.dumps(_shown_content(given))}
            case "key":
                other = SecretKey.derived(self._seed, "key", "forger")
                return {"sig": other.sign(bytes.fromhex(event.id))}
        raise ValueError(f"{given['spoil']!r} is no way to spoil an event")


def _shown_content(given: Mapping[str, Any]) -> Any:
    """The content as it is served, be it changed after signing."""
    return {"display_name": given["instead"]} if "instead" in given else _content(given)


def _content(given: Mapping[str, Any]) -> Any:
    """The content that is signed, long fields written out; None where there is none."""
    content = given.get("content")
    if isinstance(content, dict):
        return content | {name: "x" * size for name, size in given.get("long", {}).items()}
    return content
