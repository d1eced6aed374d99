"""GATE: what is said in private channels, through every door and shape (NIP-29)."""

from nip_ap.scenario import (
    MESSAGE,
    Broken,
    Filter,
    Inconclusive,
    NotApplicable,
    clause,
    delivered,
    each,
    every_door,
    undelivered,
)


def ways_to_ask(message, channel):
    """Filters that find a message."""
    return {
        "channel": channel.messages(),
        "author": Filter.of(kinds=[MESSAGE], authors=[message.pubkey]),
        "id": Filter.of(kinds=[MESSAGE], authors=[message.pubkey], ids=[message.id]),
    }


@clause("AP-GATE-30", needs=["count"])
@every_door
def test_private_messages_are_not_counted_for_strangers(owner, other_owner, stranger, channel, via):
    message = owner.publish(channel.message("in private"), via=via)
    owner.publish(channel.membership(other_owner.pubkey))
    seen = 0
    for way, wanted in ways_to_ask(message, channel).items():
        seen += other_owner.counted(wanted, via=via).count
        counted = stranger.counted(wanted, via=via).count
        if counted:
            raise Broken(f"a count of 0 for a stranger who asks by {way}", str(counted))
    if not seen:
        raise Inconclusive("a member's COUNT has no message either")


@clause("AP-GATE-31", needs=["search"])
@every_door
def test_private_messages_are_not_found_by_strangers(
    owner, other_owner, stranger, channel, check, via
):
    word = f"private{check.slug('word').replace('-', '')}"
    message = owner.publish(channel.message(f"the word is {word}"), via=via)
    owner.publish(channel.membership(other_owner.pubkey))
    everywhere = Filter.of(kinds=[MESSAGE], search=word, limit=10)
    ways = (everywhere, everywhere.changed(tags={"h": (channel.id,)}))
    if not any(message in other_owner.read_until(message, way, via=via) for way in ways):
        raise NotApplicable("a member's search finds no message of a channel either")
    for way in ways:
        reading = stranger.try_to_read(way, via=via)
        if reading.events:
            raise Broken("a stranger's search to find nothing private", str(reading))


@clause("AP-GATE-32")
def test_a_removed_member_gets_nothing_more(owner, other_owner, persona, slug, channel):
    other_owner.publish(persona(slug))
    owner.publish(channel.membership(other_owner.pubkey))
    theirs = other_owner.watch(channel.messages())
    delivered(owner.publish(channel.message("while a member")), on=theirs)
    own = owner.another_connection().watch(channel.messages())
    owner.publish(channel.expulsion(other_owner.pubkey))
    later = owner.publish(channel.message("behind closed doors"))
    own.wait_for(later)
    other_owner.personas()  # answered behind whatever was on its way to this connection
    if theirs.copies_of(later):
        raise Broken("nothing for a removed member", "a message sent after the removal")


SHAPES = {
    "two values of `#h`": lambda own, other: [
        Filter.of(kinds=[MESSAGE], tags={"h": [own.id, other.id]})
    ],
    "the other value first": lambda own, other: [
        Filter.of(kinds=[MESSAGE], tags={"h": [other.id, own.id]})
    ],
    "two filters": lambda own, other: [own.messages(), other.messages()],
    "a filter without `#h` beside": lambda own, other: [
        own.messages(), Filter.of(kinds=[MESSAGE], limit=5)
    ],
}  # fmt: skip


@clause("AP-GATE-33")
@each("shape", SHAPES)
def test_one_channel_is_no_way_into_another(owner, other_owner, channel, other_channel, shape):
    owner.publish(channel.membership(other_owner.pubkey))
    plain = other_owner.watch(channel.messages())
    wide = other_owner.try_to_watch(*SHAPES[shape](channel, other_channel))
    before = owner.publish(other_channel.message("for others, stored"))
    read = other_owner.try_to_read(*SHAPES[shape](channel, other_channel))
    private = owner.publish(other_channel.message("for others"))
    fence = owner.publish(channel.message("for members"))
    undelivered(private, on=plain, fence=fence)
    other_owner.read(channel.messages())  # answered behind what was on its way here
    leaked = [event for event in (before, private) if wide and wide.copies_of(event)]
    if leaked or before in read:
        raise Broken("nothing of a channel that the reader is no member of", f"by {shape}")
