"""What a relay offers, found by probing; what NIP-11 says is compared with it, not believed.

Each probe is one function below or in interop_probes.py, registered by its decorator (probing.py):
name, and what it stands for. They run in the order in which they stand.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import orjson

from nip_ap.checking.actor import HTTP, WS, address, all_of
from nip_ap.checking.probing import BODY, PROBES, Probing, probe
from nip_ap.checking.revision_probe import Doors, probed_revision
from nip_ap.model.capabilities import NO, UNKNOWN, YES, Capabilities, Capability
from nip_ap.model.clauses import CHOSEN, NOVEMBER
from nip_ap.model.judgement import Inconclusive
from nip_ap.model.revision import Revision
from nip_ap.nostr import INSTRUCTIONS, MANAGED_AGENT, PERSONA, TEAM, TEAM_CATALOG, Draft, Filter
from nip_ap.nostr.channel import PRIVATE, WINDOW_BOUNDS, Channel, channel_id
from nip_ap.nostr.message import OkMessage, read_message
from nip_ap.wire import ConnectionLost, HttpDoor, NoAnswer, Unreachable, WireError

__all__ = ["PROBES", "Probing", "explore", "relay_information", "silent"]

_LAG_SAMPLES = 5


_LONGEST_LAG = 3.0


_SHARED = ("shared", "true")


@probe("auth", nip=42)
def _auth(probing: Probing) -> tuple[str, str]:
    greeting = probing.greeting
    if not greeting.challenges:
        return NO, "no AUTH challenge came, neither at connect nor with a read or a write"
    if greeting.fault:
        return YES, f"a NIP-42 challenge came: {greeting}"
    return YES, f"a NIP-42 challenge came and its answer was accepted: {greeting}"


@probe("auth-to-write", limitation="auth_required")
def _auth_to_write(probing: Probing) -> tuple[str, str]:
    event = probing.owner.signs(probing.persona(probing.slug))
    answer = probing.anonymous.ws.publish(event)
    if answer.prefix == "auth-required:":
        return YES, f"an EVENT before AUTH was refused with {answer.message!r}"
    return NO, f"an EVENT before AUTH was {answer}"


@probe("auth-to-read", limitation="auth_required")
def _auth_to_read(probing: Probing) -> tuple[str, str]:
    reading = probing.anonymous.ws.query([address(probing.owner, probing.slug)])
    if (reading.refusal or "").startswith("auth-required:"):
        return YES, f"a REQ before AUTH was closed with {reading.refusal!r}"
    return NO, f"a REQ before AUTH was answered: {reading}"


@probe("count", nip=45)
def _count(probing: Probing) -> tuple[str, str]:
    wanted = address(probing.owner, probing.slug)
    try:
        counted = probing.owner.ws.count([wanted])
    except NoAnswer as error:
        return NO, f"COUNT was not answered: {error}"
    if counted.refusal is not None:
        return NO, f"COUNT was refused: {counted.refusal!r}"
    return YES, f"COUNT answered {counted.count}"


@probe("http")
def _http(probing: Probing) -> tuple[str, str]:
    try:
        reading = probing.owner.http.query([address(probing.owner, probing.slug)])
    except WireError as error:
        return NO, f"POST /query: {error}"
    if reading.refusal is not None:
        return NO, f"POST /query answered HTTP {reading.status}: {reading.refusal!r}"
    return YES, f"POST /query answered with an array; events in it: {len(reading)}"


@probe("search", nip=50)
def _search(probing: Probing) -> tuple[str, str]:
    word = f"word{probing.owner.pubkey[:12]}"
    draft = Draft(
        PERSONA,
        probing.now,
        (("d", "probe-search"), _SHARED),
        BODY % word,
    )
    event = probing.owner.publish(draft)
    wanted = Filter.of(kinds=[PERSONA], search=word, limit=5)
    claims = probing.claims(50)
    for via in (WS, HTTP):
        try:
            ask = partial(probing.owner.read_until, event) if claims else probing.owner.try_to_read
            reading = ask(wanted, via=via)
        except WireError:
            continue
        if event in reading and len(reading) == 1:
            return YES, f"a search over {via} for a fresh word found the one persona that has it"
    return NO, "a search for a fresh word of a stored persona did not find it"


@probe("channels", nip=29)
def _channels(probing: Probing) -> tuple[str, str]:
    """A plain relay takes any kind 9; one with channels minds whether the channel exists."""
    owner, channel = probing.owner, probing.channel
    made = owner.send(owner.signs(channel.creation(PRIVATE)))
    if not made.accepted:
        return NO, f"a kind 9007 was refused: {made.message!r}"
    nowhere = Channel(channel_id(bytes(16)), probing.now)
    known, unknown = owner.send_all(
        [owner.signs(channel.message("root")), owner.signs(nowhere.message("root"))]
    )
    if not known.accepted:
        return NO, f"a kind 9007 was accepted, but no message there: {known.message!r}"
    if unknown.accepted:
        return NO, "a message was accepted for a channel that nobody made"
    return YES, "a kind 9007 made a channel; a message to an unknown channel was refused"


@probe("threads")
def _threads(probing: Probing) -> tuple[str, str]:
    """`depth_limit` reads recorded replies; a relay without it reads whatever has the `e` tag."""
    if not probing.offers("channels") or not probing.offers("http"):
        return NO, "threads are read over HTTP in a channel, and the relay lacks one of the two"
    owner, channel = probing.owner, probing.channel
    root = owner.signs(channel.message("root"))
    reply = owner.signs(channel.reply("reply", to=root))
    mention = owner.signs(channel.message("mention", ("e", root.id)))
    refused = [one for one in owner.send_all([reply, mention]) if not one.accepted]
    if refused:
        return NO, f"a reply in a channel was refused: {refused[0].message!r}"
    reading = owner.http.query([channel.thread(root, depth=50)])
    if reading.refusal is not None:
        return NO, f"a /query with depth_limit was refused: {reading.refusal!r}"
    if reply in reading and mention not in reading:
        return YES, "a /query with depth_limit gave a reply and not an unmarked mention"
    return NO, f"a /query with depth_limit gave {reading}, as one without it would"


@probe("top-level")
def _top_level(probing: Probing) -> tuple[str, str]:
    if not probing.offers("channels") or not probing.offers("http"):
        return (
            NO,
            "the top level is read over HTTP in a channel, and the relay lacks one of the two",
        )
    reading = probing.owner.http.query([probing.channel.top_level()])
    if reading.refusal is not None:
        return NO, f"a /query with top_level was refused: {reading.refusal!r}"
    if any(event.kind == WINDOW_BOUNDS for event in reading.events):
        return YES, f"a /query with top_level gave the bounds of its window (kind {WINDOW_BOUNDS})"
    return NO, f"a /query with top_level gave no kind {WINDOW_BOUNDS}"


@probe("managed-agents")
def _managed_agents(probing: Probing) -> tuple[str, str]:
    """Teams and managed agents came together."""
    kinds = {"team": TEAM, "managed agent": MANAGED_AGENT}
    for name, kind in kinds.items():
        identifier = probing.owner.pubkey if kind == MANAGED_AGENT else "probe-team"
        found, evidence = _kept(probing, name, Draft(kind, probing.now, (("d", identifier),), "{}"))
        if not found:
            return NO, evidence
    return YES, "a team (30176) and a managed agent (30177) were accepted, and served to the author"


@probe("team-catalog")
def _team_catalog(probing: Probing) -> tuple[str, str]:
    draft = Draft(TEAM_CATALOG, probing.now, (("d", "probe-team"), _SHARED), "{}")
    found, evidence = _kept(probing, "team catalog", draft)
    return (YES if found else NO), evidence


@probe("instructions")
def _instructions(probing: Probing) -> tuple[str, str]:
    draft = Draft(INSTRUCTIONS, probing.now, (("p", probing.stranger.pubkey),), "probe")
    found, evidence = _kept(probing, "version of instructions", draft)
    return (YES if found else NO), evidence


def _kept(probing: Probing, name: str, draft: Draft) -> tuple[bool, str]:
    """Whether an event is accepted and served to its author, and what was seen."""
    event = probing.owner.signs(draft)
    answer = probing.owner.send(event)
    what = f"a {name} ({draft.kind})"
    if not answer.accepted:
        return False, f"{what} was refused: {answer.message!r}"
    wanted = Filter.of(kinds=[draft.kind], authors=[event.pubkey])
    reading = probing.owner.try_to_read(wanted)
    if event not in reading:
        return False, f"{what} was accepted and is not served to its author: {reading}"
    return True, f"{what} was accepted, and served to its author"


_DAY = 86_400


_LARGEBODY = 1_048_577


_LARGEST_DOCUMENT = 262_144
"""Bytes of a NIP-11 document that is read: many times what any relay has to say of itself."""


_LARGEST_PROBED_FRAME = 4_194_304


@probe("clock-guard", limitation="created_at_upper_limit")
def _clock_guard(probing: Probing) -> tuple[str, str]:
    ahead = probing.persona(f"{probing.slug}-ahead", at=probing.now + _DAY)
    answer = probing.owner.send(probing.owner.signs(ahead))
    if answer.accepted:
        return NO, "a persona dated a day ahead was accepted"
    return YES, f"a persona dated a day ahead was refused: {answer.message!r}"


@probe("frame-limit", limitation="max_message_length")
def _frame_limit(probing: Probing) -> tuple[str, str]:
    announced = probing.information.get("limitation", {}).get("max_message_length")
    if type(announced) is not int:
        return UNKNOWN, "NIP-11 announces no max_message_length, so there is nothing to exceed"
    if not probing.may_load or announced > _LARGEST_PROBED_FRAME:
        return UNKNOWN, f"NIP-11 announces {announced} bytes; not tried out on this relay"
    door = probing.anonymous.another_connection().ws
    try:
        door.send_text(f'["CLOSE","probe"{" " * announced}]')
        door.query([address(probing.owner, probing.slug)])
    except ConnectionLost as error:
        return YES, f"a frame over {announced} bytes ended its connection: {error}"
    if door.notices:
        return YES, f"a frame over {announced} bytes got a notice: {door.notices[-1]!r}"
    return NO, f"a frame over {announced} bytes was taken without a word"


@probe("body-limit")
def _body_limit(probing: Probing) -> tuple[str, str]:
    if not probing.offers("http"):
        return NO, "the relay has no HTTP door"
    if not probing.may_load:
        return UNKNOWN, "not tried out on this relay"
    status = probing.owner.http.post("/query", b"[]".rjust(_LARGEBODY)).status_code
    if status >= 400:
        return YES, f"a body of {_LARGEBODY} bytes got HTTP {status}"
    return NO, f"a body of {_LARGEBODY} bytes got HTTP {status}"


@probe("rate-limit")
def _rate_limit(probing: Probing) -> tuple[str, str]:
    """Seen or not seen on the way; never provoked."""
    for text in probing.seen:
        if "rate-limited:" in text or text.startswith("HTTP 429"):
            return YES, f"met on the way: {text[:120]}"
    return NO, "none was met during the preflight"


# They build on what those above found, so that they come after them.
import nip_ap.checking.interop_probes  # noqa: E402, F401


def explore(probing: Probing, *, spec: str) -> Capabilities:
    """Probe a relay. Raises Unreachable; a relay that does not answer gives `answers=False`.

    `spec` is a revision, or "auto" to find it out by reading an unshared persona as a stranger.
    """
    fallback = NOVEMBER if spec == "auto" else spec
    try:
        event = probing.owner.publish(probing.persona(probing.slug))
        lag = _lag(probing)
        reading = probing.owner.try_to_read(address(probing.owner, probing.slug))
    except (NoAnswer, Inconclusive) as error:
        return silent(probing, fallback, str(error), answers=_judges(probing))
    except Unreachable:
        raise
    except WireError as error:
        return silent(probing, fallback, str(error))
    if reading.refusal is not None:
        # It may be this question alone that it does not take, which checks are to judge.
        listed = probing.owner.try_to_read(all_of(probing.owner))
        if listed.refusal is not None:
            why = f"it accepts a persona and refuses its author: {reading}"
            return silent(probing, fallback, why)
        reading = listed
    if event not in reading:
        why = f"it accepts an ordinary persona and does not serve it to its author: {reading}"
        return silent(probing, fallback, why, answers=True)
    for name in PROBES:
        probing.found[name] = _found(name, probing)
    found = dict(probing.found)
    revision = Revision(spec, CHOSEN) if spec != "auto" else _revision(probing)
    return Capabilities(
        found,
        revision.spec,
        revision.reason,
        probing.information,
        lag=lag,
        spec_is_clear=revision.is_clear,
        warnings=tuple(filter(None, [revision.warning])),
    )


def _lag(probing: Probing) -> float:
    """How long accepted personas take to appear, where they are not there at once."""
    longest = 0.0
    for number in range(_LAG_SAMPLES):
        event = probing.owner.publish(probing.persona(f"lag-{number}-{probing.slug[-12:]}"))
        began = time.monotonic()
        wanted = address(probing.owner, event.slug)
        reads = 1
        while event not in (reading := probing.owner.try_to_read(wanted)):
            if reading.refusal is not None or reading.malformed:
                return 0.0  # what `explore` reads next shows it
            reads += 1
            if probing.waited_since(began) > _LONGEST_LAG:
                return 0.0
        if reads > 1:
            longest = max(longest, probing.waited_since(began))
    return longest


def silent(probing: Probing, spec: str, why: str, *, answers: bool = False) -> Capabilities:
    """The capabilities of a relay that cannot be explored, and why."""
    found = {name: Capability(name, UNKNOWN, f"not probed: {why}") for name in PROBES}
    if probing.greeting.challenges:
        found["auth"] = Capability("auth", YES, str(probing.greeting))
    revision = NOVEMBER if spec == "auto" else spec
    return Capabilities(
        found, revision, "not probed", probing.information, answers, why,
        warnings=(why,), greeting=probing.greeting,
    )  # fmt: skip


def _judges(probing: Probing) -> bool:
    """Whether the relay finds an ordinary persona invalid: a verdict, not a want of credentials."""
    said = [read_message(text) for text in probing.seen]
    answers = [one for one in said if isinstance(one, OkMessage)]
    return any(not one.accepted and one.message.startswith("invalid:") for one in answers)


def _found(name: str, probing: Probing) -> Capability:
    function, claimed = PROBES[name]
    try:
        offered, evidence = function(probing)
    except (WireError, Inconclusive) as error:
        offered, evidence = UNKNOWN, f"the probe broke down: {error}"
    return Capability(name, offered, evidence, claimed(probing.information))


def _revision(probing: Probing) -> Revision:
    """Author-only unless shared came with the November text (docs/real-relay.md 9)."""
    hidden = probing.persona(f"{probing.slug}-revision")
    shared = Draft(PERSONA, probing.now, (("d", f"{probing.slug}-shown"), _SHARED), BODY % "")
    return probed_revision(
        probing.owner,
        probing.stranger,
        probing.owner.signs(hidden),
        probing.owner.signs(shared),
        Doors(probing.offers("count"), probing.offers("http"), probing.offers("auth")),
    )


def relay_information(door: HttpDoor) -> dict[str, Any]:
    """The NIP-11 document; empty where there is none that can be read.

    Limits that are not an object limit nothing.
    """
    try:
        content = door.information().content
        document = orjson.loads(content) if len(content) <= _LARGEST_DOCUMENT else None
    except (WireError, orjson.JSONDecodeError):
        return {}
    if not isinstance(document, dict):
        return {}
    if not isinstance(document.get("limitation", {}), dict):
        del document["limitation"]
    return document
