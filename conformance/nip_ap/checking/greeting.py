"""How the relay does NIP-42, found out in the first conversation with it.

A challenge may come at connect, a moment later, or only where it is needed. Whoever waits for it
where it does not come waits in vain at each connection, and whoever does not wait where it comes
reads as nobody.
"""

from __future__ import annotations

import time
from dataclasses import replace

from nip_ap.checking.actor import Actor, address
from nip_ap.model.greeting import ON_CONNECT, ON_READ, ON_WRITE, SILENT, Greeting
from nip_ap.nostr import Draft
from nip_ap.wire import NoAnswer, RateLimited, WebSocketDoor, WireError

_AT_CONNECT = 1.0
"""Seconds in which a challenge that comes unasked has to come."""
_WITH_A_REFUSAL = 0.5
_LATE = 0.1
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between tries where the relay says that it takes no connection now."""


def find_greeting(owner: Actor) -> Greeting:
    """Try each moment at which a challenge may come, and answer it once.

    Raises Unreachable, and RateLimited: a connection that is refused tells nothing of challenges.
    """
    for pause in _PAUSES:
        began = time.monotonic()
        nobody = owner.unauthenticated()
        try:
            early = nobody.ws
            found = _greeting_at(early, owner, time.monotonic() - began)
            if not early.was_turned_away:
                return found
        finally:
            nobody.reconnect()  # some relays count connections
        early.patience.rest(pause, "rate-limited: the relay takes no connection now")
    raise RateLimited("the relay took no connection, and said each time: later")


def _greeting_at(early: WebSocketDoor, owner: Actor, dialling: float) -> Greeting:
    moment, delay = _moment(early, owner, _AT_CONNECT + 2 * dialling)
    if not moment:
        return SILENT
    found = Greeting(moment, delay)
    try:
        return _with_answer(found, early, owner)
    except WireError as error:
        return replace(found, fault=f"the connection did not outlive a right AUTH: {error}")


def _moment(door: WebSocketDoor, owner: Actor, at_connect: float) -> tuple[str, float]:
    """When the challenge comes, and how late; "" where none does."""
    waited = door.seconds_until_challenge(at_connect)
    if waited is not None:
        return ON_CONNECT, waited if waited > _LATE else 0.0
    for moment in (ON_READ, ON_WRITE):
        try:
            door.provoke(moment, owner.key)
        except WireError:
            continue
        if door.seconds_until_challenge(_WITH_A_REFUSAL) is not None:
            return moment, 0.0
    return "", 0.0


def _with_answer(found: Greeting, door: WebSocketDoor, owner: Actor) -> Greeting:
    """What follows a right AUTH."""
    door.key = owner.key
    notices = len(door.notices)
    try:
        answer = door.authenticate()
    except NoAnswer:
        said = door.notices[notices:]
        fault = (
            f"a right AUTH was answered by NOTICE {said[0]!r}"
            if said
            else ("a right AUTH got no answer")
        )
    else:
        if answer.accepted:
            return found
        fault = f"a right AUTH got OK false {answer.message!r}"
    return replace(found, answers=False, fault=fault)


def counts_although(owner: Actor, persona: Draft) -> bool:
    """Whether a relay that does not say OK to an AUTH serves its sender all the same."""
    try:
        event = owner.signs(persona)
        return owner.send(event).accepted and event in owner.read(address(owner, event.slug))
    except WireError:
        return False


def judges_in_order(owner: Actor, persona: Draft) -> bool:
    """Whether what goes out right behind an AUTH is judged after it.

    `owner` has connections that do not wait for the OK of their AUTH, at a relay that refuses
    reads and writes before it.
    """
    fresh = owner.another_connection()
    try:
        event = owner.signs(persona)
        door = fresh.ws
        door.post(event)
        question = door.subscribe([address(owner, event.slug)])
        accepted = door.answer_to(event).accepted
        question.wait_for_answer()
        return accepted and question.closed is None and door.authenticated
    except WireError:
        return False
