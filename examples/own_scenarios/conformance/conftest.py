"""Fixtures of our own, made of those of the suite."""

from collections.abc import Callable

import pytest

from nip_ap.scenario import Actor, Check, Clock, Event, Persona

Family = Callable[[int], list[Event]]


@pytest.fixture
def household(owner: Actor, persona: Persona, check: Check, clock: Clock) -> Family:
    """Publishes so many personas of one owner; gives them, the newest first."""

    def publish(size: int) -> list[Event]:
        return owner.publish_all(
            persona(check.slug(str(one)), at=clock.now() - one) for one in range(size)
        )

    return publish
