"""SCOPE: who may write a persona, and that it belongs to no channel (NIP-AP, "Roles")."""

from nip_ap.scenario import (
    HTTP,
    MESSAGE,
    NOTE,
    PERSONA,
    Draft,
    Filter,
    Inconclusive,
    NotApplicable,
    accepted,
    address,
    all_of,
    clause,
    delivered,
    every_door,
    refused,
    undelivered,
)

UNLISTED_KIND = 30179

# -- credentials -------------------------------------------------------------------------


@clause("AP-SCOPE-01")
@every_door
def test_an_ordinary_key_may_publish_a_persona(owner, persona, slug, via):
    event = accepted(owner, persona(slug), via=via)
    assert owner.head(slug, via=via) == event


@clause("AP-SCOPE-02")
@every_door
def test_a_key_without_users_write_is_refused(limited, persona, slug, via):
    forbidden = persona(slug)
    allowed = Draft(NOTE, forbidden.created_at, forbidden.tags, forbidden.content)
    (answer,) = refused(limited, forbidden, twin=allowed, via=via)
    assert answer.prefix == "restricted:"
    assert limited.head(slug, via=via) is None
    if via == HTTP:
        assert answer.status == 403


@clause("AP-SCOPE-02", needs=["users-only-key"])
@every_door
def test_users_write_is_all_it_takes(users_only, persona, slug, via):
    event = accepted(users_only, persona(slug), via=via)
    assert users_only.head(slug, via=via) == event


# -- authentication ----------------------------------------------------------------------


@clause("AP-SCOPE-03")
def test_before_authentication_a_persona_is_refused(owner, persona, slug, relay):
    if not relay.enforces("auth-to-write"):
        raise NotApplicable(relay["auth-to-write"].evidence)
    early = owner.unauthenticated()
    event = owner.signs(persona(slug))
    answer = early.send(event)
    assert (answer.accepted, answer.prefix) == (False, "auth-required:")
    assert owner.head(slug) is None
    early.authenticate()
    accepted(early, event)
    assert owner.head(slug) == event


@clause("AP-SCOPE-04")
@every_door
def test_nobody_may_submit_a_persona_of_another_author(owner, stranger, persona, slug, via):
    event = owner.signs(persona(slug))
    answer = stranger.send(event, via=via)
    assert answer.accepted is False
    assert owner.head(slug, via=via) is None
    accepted(owner, event, via=via)
    assert owner.head(slug, via=via) == event


# -- a stray `h` -------------------------------------------------------------------------


def is_global(owner, stranger, persona, slug, channel_id):
    """Publish a persona whose `h` tag names a channel; a stranger reads it without naming one."""
    event = accepted(owner, persona(slug, tags=[("h", channel_id)], shared=True))
    for reader in (owner, stranger):
        assert event in reader.read(address(owner, slug))
        assert event in reader.read(all_of(owner))


@clause("AP-SCOPE-05")
def test_an_h_tag_that_names_no_channel_does_not_matter(owner, stranger, persona, check):
    for number, named in enumerate(("nonsense", "", check.channel_id("never made"))):
        is_global(owner, stranger, persona, check.slug(str(number)), named)


@clause("AP-SCOPE-05", needs=["channels"])
def test_an_h_tag_does_not_tie_a_persona_to_a_channel(owner, other_owner, stranger, persona, check):
    channels = {
        "own": check.new_channel(owner, "own"),
        "foreign": check.new_channel(other_owner, "foreign", "open"),
        "private": check.new_channel(other_owner, "private"),
    }
    for name, channel in channels.items():
        is_global(owner, stranger, persona, check.slug(name), channel.id)


@clause("AP-SCOPE-06")
def test_an_h_tag_sends_a_persona_to_no_subscribers_of_the_channel(owner, persona, slug, channel):
    in_channel = Filter.of(kinds=[PERSONA, MESSAGE], tags={"h": [channel.id]})
    everywhere, there = owner.watch(all_of(owner)), owner.watch(in_channel)
    event = owner.publish(persona(slug, tags=[("h", channel.id)]))
    delivered(event, on=everywhere)
    undelivered(event, on=there, fence=owner.publish(channel.message("in the channel")))


@clause("AP-SCOPE-07")
@every_door
def test_an_h_tag_puts_a_persona_in_no_history_of_the_channel(owner, persona, slug, channel, via):
    message = owner.publish(channel.message("in the channel"), via=via)
    event = owner.publish(persona(slug, tags=[("h", channel.id)]), via=via)
    reading = owner.read(Filter.of(kinds=[PERSONA, MESSAGE], tags={"h": [channel.id]}), via=via)
    if message not in reading:
        raise Inconclusive(f"a message of the channel is not in its history either: {reading}")
    assert event not in reading


# -- other kinds -------------------------------------------------------------------------


@clause("AP-SCOPE-08")
def test_what_a_kind_that_is_not_listed_is_answered(owner, persona, slug, clock, check):
    owner.publish(persona(slug))
    answer = owner.send(owner.signs(Draft(UNLISTED_KIND, clock.now(), (("d", slug),), "{}")))
    check.fact("unlisted kind", {"kind": UNLISTED_KIND, "answer": str(answer)})
    check.note(f"kind {UNLISTED_KIND} was {answer}")
