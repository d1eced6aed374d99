"""Habits of correct relays, each in one place. HABITS holds them by name."""

from __future__ import annotations

import asyncio
import json
import time

from tests.unusual.serving import Habit

HABITS = {}

PERSONA, DELETION, AUTH = 30175, 5, 22242


def habit(one):
    """Register it under its name in kebab case."""
    name = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in one.__name__)
    HABITS[name.strip("-")] = one
    return one


def _refused(event, why):
    return [["OK", event["id"], False, why]]


def _event(frame, verb="EVENT"):
    """The event of a frame that is well enough formed to be judged by a habit."""
    if frame[0] != verb or len(frame) < 2 or not isinstance(frame[1], dict):
        return None
    event = frame[1]
    good = isinstance(event.get("id"), str) and type(event.get("created_at")) is int
    return event if good and type(event.get("kind")) is int else None


class Reluctant(Habit):
    """Takes not every event. HTTP is closed, so that both doors agree."""

    takes_posts = False

    async def hears(self, talk, frame):
        event = _event(frame)
        why = self.objection(event) if event else None
        return _refused(event, why) if why else None

    def objection(self, event):
        """The refusal of an event; None where it may pass."""


# -- what it says besides ---------------------------------------------------------------


@habit
class Chats(Habit):
    """A NOTICE at connect and before each OK and EOSE: NIP-01 gives it no meaning."""

    async def connected(self, talk):
        await talk.say(["NOTICE", "welcome, be nice"])

    async def says(self, talk, frame):
        if frame[0] in ("OK", "EOSE"):
            return [["NOTICE", f"about to say {frame[0]}"], frame]
        return [frame]


@habit
class SpeaksOfMore(Habit):
    """Verbs that no NIP has, between others; a client passes over what it does not know."""

    async def says(self, talk, frame):
        return [["STATS", {"load": 1}], frame] if frame[0] in ("OK", "EOSE") else [frame]


@habit
class WritesJsonItsWay(Habit):
    """Spaces, escapes and another order of fields: the same JSON values."""

    async def says(self, talk, frame):
        turned = [dict(reversed(one.items())) if isinstance(one, dict) else one for one in frame]
        return [json.dumps(turned, ensure_ascii=True, indent=1)]


@habit
class PingsOften(Habit):
    """A ping of the WebSocket protocol five times a second."""

    pings_every = 0.2


@habit
class OtherWords(Habit):
    """Refusals in other words behind the same prefix, as NIP-01 leaves them to relays.

    Over HTTP they are the usual ones.
    """

    async def says(self, talk, frame):
        position = {"OK": 3, "CLOSED": 2}.get(frame[0])
        if position is None or ":" not in str(frame[position]):
            return [frame]
        prefix = frame[position].partition(":")[0]
        return [[*frame[:position], f"{prefix}: nej tack, inte detta"]]


@habit
class DuplicateInOtherWords(Habit):
    """A second copy is told OK true without a word, which NIP-01 allows."""

    async def says(self, talk, frame):
        is_duplicate = frame[0] == "OK" and frame[2] and str(frame[3]).startswith("duplicate:")
        return [[*frame[:3], ""]] if is_duplicate else [frame]


# -- when and in which order --------------------------------------------------------------


@habit
class Slow(Habit):
    """A quarter of a second passes before each OK, EOSE and CLOSED."""

    async def says(self, talk, frame):
        if frame[0] in ("OK", "EOSE", "CLOSED"):
            await asyncio.sleep(0.25)
        return [frame]


@habit
class OrdersTiesTheOtherWay(Habit):
    """Where no limit is given, events of one second come with the highest id first.

    NIP-01 gives an order for `limit` only. Over HTTP they come as they did.
    """

    async def hears(self, talk, frame):
        if frame[0] == "REQ" and not any("limit" in one for one in frame[2:]):
            talk.memory[frame[1]] = []
        elif frame[0] in ("REQ", "CLOSE") and len(frame) > 1:
            talk.memory.pop(frame[1], None)
        return

    async def says(self, talk, frame):
        held = talk.memory.get(frame[1]) if len(frame) > 1 else None
        if held is None:
            return [frame]
        if frame[0] == "EVENT":
            held.append(frame)
            return []
        if frame[0] not in ("EOSE", "CLOSED"):
            return [frame]
        talk.memory.pop(frame[1])
        held.sort(key=lambda one: one[2]["id"], reverse=True)
        held.sort(key=lambda one: one[2]["created_at"], reverse=True)
        return [*held, frame]


@habit
class ClosesAfterStored(Habit):
    """A second after EOSE a subscription is closed, with a reason: NIP-01 lets a relay do so."""

    seconds = 1.0

    async def says(self, talk, frame):
        if frame[0] == "EOSE":

            async def close():
                talk.memory[frame[1]] = "closed"
                await talk.say(["CLOSED", frame[1], "error: subscriptions are short here"])

            talk.memory.pop(frame[1], None)
            talk.later(self.seconds, close)
        if frame[0] == "EVENT" and talk.memory.get(frame[1]) == "closed":
            return []
        return [frame]


@habit
class ClosesAtStored(ClosesAfterStored):
    """A subscription is closed with its EOSE: nothing is served live."""

    async def says(self, talk, frame):
        if frame[0] == "EOSE":
            talk.memory[frame[1]] = "closed"
            return [frame, ["CLOSED", frame[1], "error: nothing is served live here"]]
        if frame[0] == "EVENT" and talk.memory.get(frame[1]) == "closed":
            return []
        return [frame]

    async def hears(self, talk, frame):
        if frame[0] == "REQ" and len(frame) > 1:
            talk.memory.pop(frame[1], None)
        return


@habit
class ShortLives(Habit):
    """A connection ends after ten seconds, whatever it does, as behind some proxies."""

    async def connected(self, talk):
        talk.later(10.0, lambda: talk.end(1001, "going away"))


# -- what it takes ------------------------------------------------------------------------


@habit
class RecentOnly(Reluctant):
    """Takes what is at most five minutes old and one ahead, and says so in NIP-11."""

    past, ahead = 300, 60

    def objection(self, event):
        off = event["created_at"] - time.time()
        if off < -self.past:
            return "invalid: created_at is too far in the past"
        return "invalid: created_at is too far in the future" if off > self.ahead else None

    def information(self, document):
        document["limitation"]["created_at_lower_limit"] = self.past
        document["limitation"]["created_at_upper_limit"] = self.ahead
        return document


@habit
class RecentOnlyUnannounced(RecentOnly):
    """As recent-only, and NIP-11 says nothing of it."""

    def information(self, document):
        for name in ("created_at_lower_limit", "created_at_upper_limit"):
            document["limitation"].pop(name)
        return document


@habit
class WantsWork(Reluctant):
    """NIP-13 proof of work of 20 bits, announced."""

    bits = 20

    def objection(self, event):
        done = 256 - int(event["id"], 16).bit_length()
        return f"pow: {done} bits are below {self.bits}" if done < self.bits else None

    def information(self, document):
        document["limitation"]["min_pow_difficulty"] = self.bits
        return document


@habit
class Paid(Reluctant):
    """Takes events of members only, and nobody here is one."""

    def objection(self, event):
        return "restricted: not a member, see https://relay.example/join"

    def information(self, document):
        document["limitation"]["payment_required"] = True
        document["payments_url"] = "https://relay.example/join"
        return document


@habit
class Whitelist(Reluctant):
    """Takes events of a list of keys only, in the words of another prefix."""

    def objection(self, event):
        return "blocked: pubkey is not on the list"


@habit
class FewKinds(Reluctant):
    """Takes personas, deletions and profiles, and no other kind."""

    kinds = (0, DELETION, PERSONA)

    def objection(self, event):
        if event["kind"] in self.kinds:
            return None
        return f"blocked: kind {event['kind']} is not taken here"


@habit
class WantsNarrowFilters(Habit):
    """Refuses a filter without ids, authors or a tag."""

    async def hears(self, talk, frame):
        if frame[0] not in ("REQ", "COUNT") or len(frame) < 3:
            return None
        for one in frame[2:]:
            if not isinstance(one, dict):
                return None
            if not ({"ids", "authors"} & set(one) or any(name.startswith("#") for name in one)):
                return [["CLOSED", frame[1], "blocked: the filter is too broad"]]
        return None


# -- which doors there are ---------------------------------------------------------------


@habit
class NoHttp(Habit):
    """WebSocket and NIP-11 alone."""

    takes_posts = False


@habit
class NoInformation(Habit):
    """No NIP-11 document: a GET is asked to upgrade."""

    def http(self, method, headers):
        return 426 if method == "GET" else None


@habit
class OnlyWebsocket(Habit):
    """Neither NIP-11 nor any other HTTP."""

    def http(self, method, headers):
        return 426


@habit
class BehindAPath(Habit):
    """The relay is at /nostr of its host."""

    path = "/nostr"


@habit
class Compresses(Habit):
    """Offers permessage-deflate."""

    compresses = True


@habit
class OneRequestAConnection(Habit):
    """Each HTTP connection ends with its answer."""

    def headers(self):
        return [(b"connection", b"close")]


@habit
class OtherName(Habit):
    """Another software, with fields in NIP-11 that others do not have, and none of limits."""

    def information(self, document):
        return {
            "name": "other",
            "software": "git+https://relay.example/other.git",
            "version": "0.0.1-beta",
            "supported_nips": [1, 9, 11, 42],
            "icon": None,
            "retention": [{"kinds": [0], "time": None}],
            "x-own": {"deep": [1, 2, 3]},
        }


# -- COUNT -------------------------------------------------------------------------------


class _NoCount(Habit):
    takes_posts = False

    async def hears(self, talk, frame):
        return self.answer(frame) if frame[0] == "COUNT" and len(frame) > 2 else None

    def information(self, document):
        document["supported_nips"] = [one for one in document["supported_nips"] if one != 45]
        return document


@habit
class CountsNotByNotice(_NoCount):
    """COUNT is unknown to it, which it says by NOTICE."""

    def answer(self, frame):
        return [["NOTICE", "unknown command COUNT"]]


@habit
class CountsNotInSilence(_NoCount):
    """COUNT is passed over."""

    def answer(self, frame):
        return []


@habit
class CountsNotByClosed(_NoCount):
    """COUNT is refused as NIP-45 has it."""

    def answer(self, frame):
        return [["CLOSED", frame[1], "error: counting is too much work"]]


@habit
class CountsRoughly(Habit):
    """Counts are rounded up to the next ten, and said to be approximate."""

    takes_posts = False

    async def says(self, talk, frame):
        if frame[0] != "COUNT":
            return [frame]
        rough = -(-frame[2]["count"] // 10) * 10
        return [[*frame[:2], {"count": rough, "approximate": True}]]
