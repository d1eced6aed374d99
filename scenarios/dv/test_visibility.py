"""DV: what a viewer has hidden, told by the relay to that viewer alone (docs/real-relay.md 10)."""

from nip_ap.checking.direct_messages import hidden, hide, opened, opened_again, snapshot
from nip_ap.nostr.direct_message import (
    CHANNEL_MEMBERS,
    HIDDEN_DIRECT_MESSAGES,
    described,
    hidden_of,
)
from nip_ap.scenario import (
    Broken,
    Filter,
    Inconclusive,
    clause,
    delivered,
    every_door,
    reads_refused,
    undelivered,
    withheld,
)

TIMES = 4


def told(viewer):
    """What the relay says that a viewer has hidden, which is the subject of a check."""
    found = snapshot(viewer)
    if found is None:
        raise Inconclusive("the relay says nothing of what is hidden")
    return found


# -- what it says ------------------------------------------------------------------------


@clause("AP-DV-01")
def test_what_is_hidden_is_told(owner, other_owner):
    channel = opened(owner, other_owner)
    assert channel.id not in hidden(owner)
    hide(owner, channel)
    said = told(owner)
    assert sorted(said.tags) == [("d", owner.pubkey), ("h", channel.id), ("p", owner.pubkey)]
    assert said.content == ""
    assert said.pubkey not in (owner.pubkey, other_owner.pubkey)


@clause("AP-DV-02")
def test_it_is_always_the_whole_of_it(owner, other_owner, stranger):
    first, second = opened(owner, other_owner), opened(owner, stranger)
    hide(owner, first)
    hide(owner, second)
    assert hidden(owner) == {first.id, second.id}


@clause("AP-DV-03")
def test_what_is_opened_again_is_hidden_no_more(owner, other_owner, stranger):
    first, second = opened(owner, other_owner), opened(owner, stranger)
    hide(owner, first)
    hide(owner, second)
    if first.id not in hidden(owner):
        raise Inconclusive("it is not told as hidden before")
    opened_again(first, owner, other_owner)
    assert first.id not in hidden(owner)
    opened_again(second, owner, stranger)
    assert hidden(owner) == set()


@clause("AP-DV-04")
def test_each_word_is_newer_than_the_one_before(owner, other_owner):
    channel = opened(owner, other_owner)
    before = 0
    for turn in range(TIMES):
        if turn % 2 == 0:
            hide(owner, channel)
        else:
            opened_again(channel, owner, other_owner)
        said = told(owner)
        if said.created_at <= before:
            raise Broken(f"a created_at after {before}", str(said.created_at))
        assert (channel.id in said.tag_values("h")) == (turn % 2 == 0)
        before = said.created_at


@clause("AP-DV-05")
def test_each_viewer_hides_for_themselves(owner, other_owner, stranger):
    shared, others = opened(owner, other_owner), opened(other_owner, stranger)
    hide(owner, shared)
    hide(other_owner, others)
    assert hidden(owner) == {shared.id}
    assert hidden(other_owner) == {others.id}


@clause("AP-DV-06")
def test_who_hides_stays_a_member(owner, other_owner):
    channel = opened(owner, other_owner)
    watch = owner.watch(channel.messages())
    hide(owner, channel)
    (members,) = other_owner.read(described(CHANNEL_MEMBERS, channel.id)).events
    assert owner.pubkey in members.tag_values("p")
    message = other_owner.publish(channel.message("are you there?"))
    delivered(message, on=watch)
    assert message in owner.read(channel.messages())


# -- whom it is told ---------------------------------------------------------------------


@clause("AP-DV-07")
@every_door
def test_it_is_told_to_nobody_else(owner, other_owner, relay, via):
    hide(owner, opened(owner, other_owner))
    said = told(owner)
    withheld(said, hidden_of(owner.pubkey), from_=other_owner, seen_by=owner, via=via)
    ways = {
        "by its id": Filter.of(ids=[said.id]),
        "by kind and author": Filter.of(kinds=[HIDDEN_DIRECT_MESSAGES], authors=[said.pubkey]),
        "by author and address": Filter.of(authors=[said.pubkey], d=[owner.pubkey]),
    }
    for way, wanted in ways.items():
        if said in other_owner.try_to_read(wanted, via=via):
            raise Broken("it to be withheld from others", f"it is served, asked for {way}")
        if relay.offers("count") and other_owner.counted(wanted, via=via).count:
            raise Broken("a count of 0 for others", f"another, asked for {way}")
    if relay.offers("count") and owner.count(hidden_of(owner.pubkey), via=via) != 1:
        raise Inconclusive("it is not counted for the viewer either")


@clause("AP-DV-08")
@every_door
def test_a_question_about_it_names_its_viewer(owner, other_owner, via):
    hide(owner, opened(owner, other_owner))
    said = told(owner)
    assert said in owner.read(hidden_of(owner.pubkey), via=via)
    questions = {
        "with #p of the viewer": hidden_of(owner.pubkey),
        "with its id": Filter.of(kinds=[HIDDEN_DIRECT_MESSAGES], ids=[said.id]),
    }
    reads_refused(other_owner, questions, via=via)


@clause("AP-DV-09")
def test_it_is_delivered_to_its_viewer_only(owner, other_owner, stranger):
    channel, another = opened(owner, other_owner), opened(owner, stranger)
    hide(owner, channel)
    relay_key = told(owner).pubkey
    own = owner.watch(hidden_of(owner.pubkey))
    theirs = other_owner.watch(hidden_of(other_owner.pubkey))
    wide = other_owner.try_to_watch(Filter.of(authors=[relay_key], since=owner.now()))
    hide(owner, another)
    said = told(owner)
    delivered(said, on=own)
    hide(other_owner, channel)
    fence = told(other_owner)
    for one in filter(None, (theirs, wide)):
        undelivered(said, on=one, fence=fence)
