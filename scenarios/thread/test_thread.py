"""THREAD: channels, threads by depth, broadcast, top level (relay-behaviour.md section 6)."""

import json

from nip_ap.scenario import (
    DELETION,
    HTTP,
    MESSAGE,
    WINDOW_BOUNDS,
    Broken,
    Draft,
    Filter,
    Inconclusive,
    NotApplicable,
    clause,
    delivered,
    each,
    every_door,
    refused,
    same_events,
    undelivered,
    vanishes,
    withheld,
)

LIMIT = 100
AT_ONCE = 20
BROADCAST = ("broadcast", "1")
UNKNOWN = "f" * 64


def by_id(event):
    """A message by its id."""
    return Filter.of(kinds=[event.kind], ids=[event.id])


def chain(owner, channel, length):
    """A root and replies, each to the one before, unpublished."""
    root = owner.signs(channel.message("root"))
    replies = []
    for depth in range(1, length + 1):
        parent = replies[-1] if replies else root
        draft = channel.reply(f"depth {depth}", to=parent, root=root if replies else None)
        replies.append(owner.signs(draft))
    return root, replies


def thread(owner, channel, root, depth):
    """The replies under a root down to a depth."""
    return owner.read(channel.thread(root, depth), via=HTTP).events


# -- channels ----------------------------------------------------------------------------


@clause("AP-THREAD-01")
@every_door
def test_a_channel_can_be_made_and_written_to(owner, channel, via):
    message = channel.message("hello")
    without_h = Draft(message.kind, message.created_at, (), message.content)
    (answer,) = refused(owner, without_h, twin=message, via=via)
    assert answer.prefix == "invalid:"
    same_events(owner.read(channel.messages(), via=via).events, [owner.signs(message)])


# -- depth -------------------------------------------------------------------------------


@clause("AP-THREAD-02")
def test_depth_counts_replies_from_the_root(owner, channel):
    root, replies = chain(owner, channel, 4)
    for event in (root, *replies):
        owner.publish(event)
    sibling = owner.publish(channel.reply("another direct reply", to=root))
    for depth in range(6):
        expected = [*replies[:depth], sibling] if depth else []
        same_events(thread(owner, channel, root, depth), expected)


@clause("AP-THREAD-03")
def test_a_thread_holds_the_replies_of_its_own_root(owner, channel):
    roots = [owner.publish(channel.message(f"root {number}")) for number in range(2)]
    replies = [owner.publish(channel.reply("reply", to=root)) for root in roots]
    for root, reply in zip(roots, replies, strict=True):
        same_events(thread(owner, channel, root, LIMIT), [reply])


@clause("AP-THREAD-04")
@every_door
def test_a_reply_to_an_unknown_parent_is_refused(owner, channel, via):
    root = owner.publish(channel.message("root"), via=via)
    lost = owner.signs(channel.reply("reply", to=UNKNOWN))
    (answer,) = refused(owner, lost, twin=channel.reply("reply", to=root), via=via)
    assert answer.prefix == "invalid:"
    assert lost not in owner.read(channel.messages(), via=via)


@clause("AP-THREAD-05")
def test_a_reply_to_a_parent_in_another_channel_is_refused(owner, channel, other_channel):
    root = owner.publish(channel.message("root"))
    foreign = owner.publish(other_channel.message("foreign root"))
    astray = owner.signs(channel.reply("reply", to=foreign))
    refused(owner, astray, twin=channel.reply("reply", to=root))
    for one in (channel, other_channel):
        assert astray not in owner.read(one.messages())


@clause("AP-THREAD-06")
def test_a_root_that_is_not_the_parents_is_refused(owner, channel):
    root, (parent,) = chain(owner, channel, 1)
    other_root = channel.message("other root")
    owner.publish(root)
    owner.publish(parent)
    wrong = owner.publish(other_root)
    bad = [
        channel.reply("nested", to=parent, root=wrong),
        channel.reply("nested", to=parent, root=parent),
    ]
    refused(owner, bad, twin=channel.reply("nested", to=parent, root=root))


@clause("AP-THREAD-07")
def test_the_depth_limit_holds(owner, channel, check):
    root, replies = chain(owner, channel, LIMIT + 1)
    owner.publish(root)
    grown = grow(owner, replies)
    if grown > LIMIT:
        raise Broken(f"a reply at depth {LIMIT + 1} to be refused", "its acceptance")
    check.fact("deepest reply", grown)
    check.note(f"replies are accepted down to depth {grown}")
    deepest, above = replies[grown - 1], replies[grown - 2]
    refused(
        owner,
        channel.reply("one more", to=deepest, root=root),
        twin=channel.reply("one more", to=above, root=root),
    )


def grow(owner, replies):
    """Publish a chain, each reply once its parent is accepted; gives how many were accepted."""
    for number, reply in enumerate(replies):
        if not owner.send(reply).accepted:
            return number
    return len(replies)


@clause("AP-THREAD-13")
def test_what_becomes_of_a_chain_that_is_sent_at_once(owner, channel, check):
    root, replies = chain(owner, channel, AT_ONCE)
    owner.publish(root)
    answers = owner.submit(replies)
    taken = [
        one for one, answer in zip(replies, answers, strict=True) if answer and answer.accepted
    ]
    check.fact("replies sent at once", len(replies))
    check.fact("accepted", len(taken))
    there = owner.try_to_read(channel.messages().changed(limit=2 * AT_ONCE)).events
    lost = [one.id[:8] for one in taken if one not in there]
    check.fact("accepted and not served", lost)
    check.note(f"{len(taken)} of {len(replies)} replies sent without waiting were accepted")


# -- broadcast and top level ---------------------------------------------------------------


@clause("AP-THREAD-08")
@every_door
def test_the_broadcast_tag_survives(owner, channel, relay, check, via):
    if not relay.offers("top-level"):
        check.note("that only the value 1 counts shows on no read surface of this relay")
    root = owner.publish(channel.message("root"), via=via)
    for value in ("1", "0", "true", ""):
        reply = owner.publish(channel.reply("reply", ("broadcast", value), to=root), via=via)
        served = [one for one in owner.read(channel.messages(), via=via).events if one == reply]
        if not served:
            raise Inconclusive(f"the channel does not serve a reply with broadcast {value!r}")
        assert ("broadcast", value) in served[0].tags


@clause("AP-THREAD-08", needs=["top-level"])
def test_only_the_value_1_is_a_broadcast(owner, channel):
    root = owner.publish(channel.message("root"))
    loud = owner.publish(channel.reply("loud", BROADCAST, to=root))
    for value in ("0", "true", "2", "01", ""):
        owner.publish(channel.reply("quiet", ("broadcast", value), to=root))
    same_events(top_level(owner, channel), [root, loud])


@clause("AP-THREAD-09")
def test_top_level_is_depth_0_or_depth_1_with_broadcast(owner, channel, relay, check):
    root, (direct, nested) = chain(owner, channel, 2)
    for event in (root, direct, nested):
        owner.publish(event)
    loud = owner.publish(channel.reply("loud", BROADCAST, to=root))
    loud_below = owner.publish(channel.reply("loud below", BROADCAST, to=direct, root=root))
    if relay.offers("top-level"):
        check.note("judged by the window of top_level")
        same_events(top_level(owner, channel), [root, loud])
    else:
        check.note("judged by the two inputs that can be seen: depth and the broadcast tag")
    at_depth_1 = thread(owner, channel, root, 1)
    same_events(at_depth_1, [direct, loud])
    same_events(thread(owner, channel, root, 2), [direct, loud, nested, loud_below])
    assert [one.id for one in at_depth_1 if BROADCAST in one.tags] == [loud.id]


def top_level(owner, channel):
    """The messages of the top level. A community may be set to show every reply there."""
    shown = owner.read(channel.top_level(), via=HTTP).events
    for bounds in (one for one in shown if one.kind == WINDOW_BOUNDS):
        if "thread_replies_in_channel" in settings_in(bounds):
            raise NotApplicable("this community shows every reply in its channel")
    return [one for one in shown if one.kind == MESSAGE]


def settings_in(bounds):
    """The settings of a community that are on, from the bounds of its window."""
    try:
        content = json.loads(bounds.content)
        return [name for name, value in content.items() if value]
    except (ValueError, AttributeError):
        raise Broken("a JSON object in the bounds of a window", bounds.content[:200]) from None


# -- deleted replies -----------------------------------------------------------------------


@clause("AP-THREAD-10")
@each("by", ("kind 5", "kind 9005"))
def test_a_deleted_reply_leaves_its_children_where_they_were(owner, channel, clock, by):
    root, (doomed, child) = chain(owner, channel, 2)
    for event in (root, doomed, child):
        owner.publish(event)
    with vanishes(doomed, channel.thread(root, 2), for_=owner, via=HTTP):
        owner.publish(
            Draft(DELETION, clock.now(), (("e", doomed.id),))
            if by == "kind 5"
            else channel.deletion_of(doomed)
        )
    same_events(thread(owner, channel, root, 1), [])
    same_events(thread(owner, channel, root, 2), [child])
    refused(
        owner,
        channel.reply("late", to=doomed, root=root),
        twin=channel.reply("late", to=child, root=root),
    )


# -- who gets it -----------------------------------------------------------------------------


@clause("AP-THREAD-11")
def test_a_message_reaches_the_subscribers_of_its_channel_only(owner, channel, other_channel):
    here, there = owner.watch(channel.messages()), owner.watch(other_channel.messages())
    message = owner.publish(channel.message("here"))
    delivered(message, on=here)
    undelivered(message, on=there, fence=owner.publish(other_channel.message("here")))


@clause("AP-THREAD-12")
@every_door
def test_a_private_channel_is_read_by_its_members_only(owner, other_owner, stranger, channel, via):
    message = owner.publish(channel.message("in private"))
    owner.publish(channel.membership(other_owner.pubkey))
    for wanted in (channel.messages(), by_id(message)):
        withheld(message, wanted, from_=stranger, seen_by=other_owner, via=via)


@clause("AP-THREAD-12", needs=["threads"])
def test_a_thread_of_a_private_channel_is_read_by_its_members_only(owner, stranger, channel):
    root, (reply,) = chain(owner, channel, 1)
    owner.publish(root)
    owner.publish(reply)
    withheld(reply, channel.thread(root, LIMIT), from_=stranger, seen_by=owner, via=HTTP)


@clause("AP-THREAD-12")
def test_a_message_in_a_private_channel_is_delivered_to_members_only(
    owner, other_owner, stranger, channel
):
    owner.publish(channel.membership(other_owner.pubkey))
    own = other_owner.watch(channel.messages())
    theirs = stranger.try_to_watch(channel.messages())
    message = owner.publish(channel.message("in private"))
    own.wait_for(message)
    if theirs is not None:  # not closed at once: then it is as a member that they get the fence
        owner.publish(channel.membership(stranger.pubkey))
        undelivered(message, on=theirs, fence=owner.publish(channel.message("welcome")))
