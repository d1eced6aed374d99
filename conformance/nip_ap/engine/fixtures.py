"""What a scenario asks for by name. Registered only where --nip-ap is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from nip_ap.checking.actor import Actor, Clock
from nip_ap.checking.check import Check
from nip_ap.checking.credentials import LIMITED, USERS_ONLY
from nip_ap.checking.drafting import Persona
from nip_ap.checking.own_relay import OwnRelay
from nip_ap.checking.sequences import Traffic
from nip_ap.load import Crowd
from nip_ap.model.capabilities import Capabilities
from nip_ap.nostr.channel import Channel

CHECK = pytest.StashKey[Check]()
FALLS = pytest.StashKey[Callable[[Check], str]]()


@pytest.fixture
def check(request: pytest.FixtureRequest) -> Iterator[Check]:
    """The running check: notes for the report, further actors, slugs."""
    running = request.node.stash[CHECK]
    yield running
    running.leave()


@pytest.fixture
def own_relay(check: Check) -> Iterator[OwnRelay]:
    """A relay of the check's own, which it may kill; every actor of the check talks to it."""
    relay = check.move_to_own_relay()
    yield relay
    relay.leave()


@pytest.fixture
def kills(check: Check) -> int:
    """How often a check of a crash kills its relay (--kills)."""
    return check.surface.context.settings.kills


@pytest.fixture
def traffic(check: Check) -> Traffic:
    """Generated traffic, compared with a model of a relay."""
    return Traffic(check)


@pytest.fixture
def relay(check: Check) -> Capabilities:
    """What the relay under test offers, as probed."""
    return check.subject.capabilities


@pytest.fixture
def falls(request: pytest.FixtureRequest, check: Check) -> Callable[[], str]:
    """Gives what fell of the relay so far, and its silence now; empty where it serves."""
    return lambda: check.transcript.reading("falls", lambda: request.node.stash[FALLS](check))


@pytest.fixture
def clock(check: Check) -> Clock:
    """The check's one reading of the clock."""
    return check.clock


@pytest.fixture
def seed(check: Check) -> int:
    """A number that depends on the run's seed and the check, for generators."""
    return check.generation_seed


@pytest.fixture
def owner(check: Check) -> Actor:
    """The author of the personas."""
    return check.actor("owner")


@pytest.fixture
def other_owner(check: Check) -> Actor:
    """Another author, with personas of their own."""
    return check.actor("other owner")


@pytest.fixture
def stranger(check: Check) -> Actor:
    """An authenticated key that has nothing to do with the owner."""
    return check.actor("stranger")


@pytest.fixture
def anonymous(check: Check) -> Actor:
    """A connection that never authenticates."""
    return check.anonymous()


@pytest.fixture
def limited(check: Check) -> Actor:
    """A key whose credential does not have users:write."""
    return check.actor(LIMITED)


@pytest.fixture
def users_only(check: Check) -> Actor:
    """A key whose credential has users:write and nothing else."""
    return check.actor(USERS_ONLY)


@pytest.fixture
def crowd(check: Check, owner: Actor) -> Crowd:
    """Many connections of the owner, that publish and listen at once."""
    return Crowd(check, owner)


@pytest.fixture
def channel(check: Check, owner: Actor) -> Channel:
    """A channel that the owner made; private, so that it leaves other users alone."""
    return check.new_channel(owner)


@pytest.fixture
def other_channel(check: Check, owner: Actor) -> Channel:
    """Another channel of the owner."""
    return check.new_channel(owner, "other")


@pytest.fixture
def slug(check: Check) -> str:
    """A fresh slug."""
    return check.slug()


@pytest.fixture
def other_slug(check: Check) -> str:
    """Another fresh slug."""
    return check.slug("other")


@pytest.fixture
def persona(clock: Clock) -> Persona:
    """Makes drafts of personas: persona(slug, at=..., name=..., tags=[...], shared=True)."""
    return Persona(clock)
