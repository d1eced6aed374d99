"""Direct messages as checks use them: opened, hidden and looked at by actors."""

from __future__ import annotations

from nip_ap.checking.actor import Actor
from nip_ap.model.judgement import Inconclusive
from nip_ap.nostr import Draft, Event
from nip_ap.nostr.channel import Channel, is_channel_id
from nip_ap.nostr.direct_message import (
    HIDE_DIRECT_MESSAGE,
    OPEN_DIRECT_MESSAGE,
    hidden_of,
    hiding,
    opening,
    response_in,
)


def opened(actor: Actor, *others: Actor) -> Channel:
    """The direct message of an actor and others. Raises Inconclusive where it does not open."""
    return channel_in(_commanded(actor, opening(*(one.pubkey for one in others), at=0)), actor)


def opened_again(channel: Channel, actor: Actor, *others: Actor) -> None:
    """Open what is there already. Raises Inconclusive where another one opens."""
    found = opened(actor, *others)
    if found.id != channel.id:
        raise Inconclusive("the same people open another direct message each time")


def hide(actor: Actor, channel: Channel) -> None:
    """Take a direct message out of the actor's list. Raises Inconclusive where that is refused."""
    _commanded(actor, hiding(channel.id, at=0))


def channel_in(message: str, actor: Actor) -> Channel:
    """The channel that the OK to a command names. Raises Inconclusive where it names none."""
    named = response_in(message).get("channel_id")
    if not isinstance(named, str) or not is_channel_id(named):
        raise Inconclusive(f"a direct message was opened, and its OK names no channel: {message!r}")
    return Channel(named, actor.now())


def snapshot(viewer: Actor) -> Event | None:
    """The newest word of the relay on what a viewer has hidden; None where there is none."""
    found = viewer.read(hidden_of(viewer.pubkey)).events
    return min(found, key=lambda event: event.order) if found else None


def hidden(viewer: Actor) -> set[str]:
    """The channels that a viewer has hidden, as the relay tells it."""
    found = snapshot(viewer)
    return set(found.tag_values("h")) if found is not None else set()


def next_time(actor: Actor) -> int:
    """A second for a command: none twice, since the same command would be the same event."""
    commands = (OPEN_DIRECT_MESSAGE, HIDE_DIRECT_MESSAGE)
    given = sum(one.kind in commands and one.pubkey == actor.pubkey for one in actor.written)
    return actor.now() - _EARLIER + given


_EARLIER = 60


def _commanded(actor: Actor, draft: Draft) -> str:
    answer = actor.send(actor.signs(draft.changed(created_at=next_time(actor))))
    if not answer.accepted:
        raise Inconclusive(f"a command of kind {draft.kind} was refused: {answer.message!r}")
    return answer.message
