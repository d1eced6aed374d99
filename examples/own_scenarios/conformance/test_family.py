"""FAMILY: what our app promises of many personas, and of several devices."""

from collections.abc import Callable

from nip_ap.scenario import Actor, Clock, Event, Persona, all_of, clause, delivered

PROMISED = 120


@clause("ACME-FAMILY-01")
def test_a_large_family_is_listed_whole(
    owner: Actor, household: Callable[[int], list[Event]]
) -> None:
    published = household(PROMISED)
    listed = owner.read_one_answer(all_of(owner)).events
    assert len(listed) == len(published)


@clause("ACME-FAMILY-02")
def test_a_new_name_arrives_at_the_other_device(
    owner: Actor, persona: Persona, slug: str, clock: Clock
) -> None:
    owner.publish(persona(slug, at=clock.now() - 10, name="Ada"))
    device = owner.another_connection().watch(all_of(owner).changed(since=clock.now() - 5))
    delivered(owner.publish(persona(slug, name="Ada Lovelace")), on=device)
