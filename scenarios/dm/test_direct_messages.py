"""DM: direct messages, opened for a set of people and kept to them (docs/real-relay.md 10)."""

from nip_ap.checking.direct_messages import channel_in, hide, next_time, opened
from nip_ap.nostr.channel import Channel
from nip_ap.nostr.direct_message import (
    CHANNEL,
    CHANNEL_MEMBERS,
    HIDDEN_DIRECT_MESSAGES,
    MEMBER_ADDED,
    MEMBER_REMOVED,
    described,
    hiding,
    opening,
    response_in,
    widening,
)
from nip_ap.nostr.gift_wrap import addressed_to
from nip_ap.scenario import (
    HTTP,
    MESSAGE,
    NOTE,
    Broken,
    Draft,
    Filter,
    Inconclusive,
    clause,
    delivered,
    every_door,
    refused,
    withheld,
)

FAR_TOO_MANY = 9


def answer_to(actor, draft):
    """What the relay says to a command."""
    return actor.send(actor.signs(draft.changed(created_at=next_time(actor))))


def notice_of(actor, channel):
    """The relay's word to an actor that they are in a direct message."""
    notices = actor.read(addressed_to(actor.pubkey, kind=MEMBER_ADDED)).events
    return next((one for one in notices if one.tag_values("h") == (channel.id,)), None)


def members_of(channel, reader):
    """Whom the relay names as the members of a channel."""
    found = reader.read(described(CHANNEL_MEMBERS, channel.id)).events
    return {pubkey for event in found for pubkey in event.tag_values("p")}


def ways_to_ask(message, channel):
    """Filters that find a message."""
    return {
        "by channel": channel.messages(),
        "by author": Filter.of(kinds=[MESSAGE], authors=[message.pubkey]),
        "by id": Filter.of(kinds=[MESSAGE], ids=[message.id]),
    }


# -- opening -----------------------------------------------------------------------------


@clause("AP-DM-01")
def test_the_same_people_open_the_same_direct_message(owner, other_owner):
    first = answer_to(owner, opening(other_owner.pubkey, at=0))
    again = answer_to(owner, opening(other_owner.pubkey, at=0))
    assert (first.accepted, again.accepted) == (True, True)
    assert channel_in(again.message, owner).id == channel_in(first.message, owner).id
    assert response_in(first.message).get("created") is True
    assert response_in(again.message).get("created") is False


@clause("AP-DM-02")
def test_who_opens_it_and_how_often_one_is_named_does_not_matter(owner, other_owner):
    channel = opened(owner, other_owner)
    assert opened(other_owner, owner).id == channel.id
    assert opened(owner, other_owner, owner, other_owner).id == channel.id


@clause("AP-DM-03")
def test_the_relay_describes_it_to_its_people(owner, other_owner):
    channel = opened(owner, other_owner)
    for reader in (owner, other_owner):
        (about,) = reader.read(described(CHANNEL, channel.id)).events
        marks = {tag[0] for tag in about.tags}
        assert {"hidden", "private"} <= marks
        assert about.pubkey not in (owner.pubkey, other_owner.pubkey)
        assert members_of(channel, reader) == {owner.pubkey, other_owner.pubkey}


# -- who is told -------------------------------------------------------------------------


@clause("AP-DM-04")
def test_each_of_its_people_is_told(owner, other_owner):
    channel = opened(owner, other_owner)
    for actor in (owner, other_owner):
        actor.must_read(addressed_to(actor.pubkey, kind=MEMBER_ADDED))
        notice = notice_of(actor, channel)
        if notice is None:
            raise Broken(f"a kind {MEMBER_ADDED} for {actor.name}, with the channel", "none")
        assert notice.tag_values("p") == (actor.pubkey,)


@clause("AP-DM-05")
def test_its_people_are_told_live(owner, other_owner):
    watch = other_owner.watch(addressed_to(other_owner.pubkey, kind=MEMBER_ADDED))
    channel = opened(owner, other_owner)
    notice = notice_of(other_owner, channel)
    if notice is None:
        raise Inconclusive("there is no notice in the history either")
    delivered(notice, on=watch)


@clause("AP-DM-06")
@every_door
def test_a_notice_is_for_whom_it_names_alone(owner, other_owner, via):
    notice = notice_of(owner, opened(owner, other_owner))
    if notice is None:
        raise Inconclusive("there is no notice to be withheld")
    withheld(
        notice,
        addressed_to(owner.pubkey, kind=MEMBER_ADDED),
        from_=other_owner,
        seen_by=owner,
        via=via,
    )
    for wanted in (
        Filter.of(ids=[notice.id]),
        Filter.of(kinds=[MEMBER_ADDED], ids=[notice.id]),
        Filter.of(authors=[notice.pubkey], since=notice.created_at, until=notice.created_at),
    ):
        if notice in other_owner.try_to_read(wanted, via=via):
            raise Broken("a notice to be withheld from others", f"it is served for {wanted}")


# -- who reads and writes it -------------------------------------------------------------


@clause("AP-DM-07")
@every_door
def test_messages_are_read_by_its_people_only(owner, other_owner, stranger, relay, via):
    channel = opened(owner, other_owner)
    message = owner.publish(channel.message("between us"), via=via)
    withheld(message, channel.messages(), from_=stranger, seen_by=other_owner, via=via)
    for way, wanted in ways_to_ask(message, channel).items():
        if message in stranger.try_to_read(wanted, via=via):
            raise Broken("a message to be withheld from a stranger", f"it is served, asked {way}")
        if relay.offers("count") and stranger.counted(wanted, via=via).count:
            raise Broken("a count of 0 for a stranger", f"another, asked {way}")
    if relay.offers("count") and not other_owner.count(channel.messages(), via=via):
        raise Inconclusive("a message is not counted for a member either")


@clause("AP-DM-08")
def test_messages_are_delivered_to_its_people_only(owner, other_owner, stranger, persona, slug):
    stranger.publish(persona(slug))
    channel = opened(owner, other_owner)
    own, theirs = other_owner.watch(channel.messages()), stranger.try_to_watch(channel.messages())
    message = owner.publish(channel.message("between us"))
    delivered(message, on=own)
    stranger.personas()  # answered behind whatever was on its way to this connection
    if theirs is not None and theirs.copies_of(message):
        raise Broken("nothing for a stranger", "a message of a direct message, live")


@clause("AP-DM-09")
def test_nobody_else_writes_to_it(owner, other_owner, stranger):
    channel, own = opened(owner, other_owner), opened(stranger, other_owner)
    refused(stranger, channel.message("let me in"), twin=own.message("let me in"))


# -- widening ----------------------------------------------------------------------------


@clause("AP-DM-10")
def test_who_is_added_is_added_to_a_new_one(owner, other_owner, stranger):
    old = opened(owner, other_owner)
    before = owner.publish(old.message("before"))
    answer = answer_to(owner, widening(old.id, stranger.pubkey, at=0))
    if not answer.accepted:
        raise Broken("a direct message to be widened by one of its people", str(answer))
    new = channel_in(answer.message, owner)
    people = {owner.pubkey, other_owner.pubkey}
    assert new.id != old.id
    assert members_of(new, stranger) == people | {stranger.pubkey}
    assert members_of(old, owner) == people
    withheld(before, old.messages(), from_=stranger, seen_by=other_owner)


# -- what is refused ---------------------------------------------------------------------


def wrong_commands(owner, other_owner, stranger, channel, ordinary):
    """Commands that are wrong in one respect each, with who sends them."""
    many = [f"{number:064x}" for number in range(1, FAR_TOO_MANY + 1)]
    absent = "0" * 8 + channel.id[8:]
    return {
        "opened with nobody": (owner, opening(at=0)),
        "opened with oneself": (owner, opening(owner.pubkey, at=0)),
        "opened with nine others": (owner, opening(*many, at=0)),
        "widened by an outsider": (stranger, widening(channel.id, stranger.pubkey, at=0)),
        "widened by nobody new": (owner, widening(channel.id, other_owner.pubkey, at=0)),
        "widened to ten": (owner, widening(channel.id, *many[:8], at=0)),
        "hidden by an outsider": (stranger, hiding(channel.id, at=0)),
        "hidden and not there": (owner, hiding(absent, at=0)),
        "hidden and no direct message": (owner, hiding(ordinary.id, at=0)),
        "hidden and not named": (owner, hiding("", at=0)),
    }


@clause("AP-DM-11")
def test_wrong_commands_are_refused(owner, other_owner, stranger, check):
    channel = opened(owner, other_owner)
    ordinary = check.new_channel(owner)
    hide(owner, channel)
    commands = wrong_commands(owner, other_owner, stranger, channel, ordinary)
    answers = {name: answer_to(*command) for name, command in commands.items()}
    taken = {name: str(answer) for name, answer in answers.items() if answer.accepted}
    if taken:
        raise Broken(f"a refusal of {len(commands)} commands", str(taken))


@clause("AP-DM-12")
def test_nobody_speaks_for_the_relay(owner, stranger, clock):
    note = Draft(NOTE, clock.now(), (("d", stranger.pubkey), ("p", stranger.pubkey)))
    kinds = (MEMBER_ADDED, MEMBER_REMOVED, HIDDEN_DIRECT_MESSAGES)
    refused(owner, [note.changed(kind=kind) for kind in kinds], twin=note)


@clause("AP-DM-01", needs=["http"])
def test_it_is_opened_over_http_too(owner, other_owner):
    channel = opened(owner, other_owner)
    command = owner.signs(opening(other_owner.pubkey, at=owner.now()))
    answer = owner.send(command, via=HTTP)
    assert answer.accepted
    assert channel_in(answer.message, owner) == Channel(channel.id, owner.now())
