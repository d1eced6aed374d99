"""The rules of channels and threads that no scenario can see from outside."""

from __future__ import annotations

import pytest

from nip_ap.nostr import DELETION, Draft, SecretKey
from nip_ap.nostr.channel import ADD_MEMBER, CREATE_CHANNEL, Channel, channel_id
from nip_ap_relay.policy import Caller, Policy
from nip_ap_relay.relay import Relay
from nip_ap_relay.store import Store

CLOCK = 1_800_000_000
ROOM, OTHER_ROOM = (Channel(channel_id(bytes([n]) * 16), CLOCK) for n in (1, 2))


class Desk:
    """A relay without a process: submits drafts and gives the refusal, or None."""

    def __init__(self, key: SecretKey) -> None:
        self.policy = Policy()
        self.policy.now = lambda: CLOCK
        self.relay = Relay(self.policy, Store())
        self.relay._flush_is_due = True  # there is no event loop; `submit` flushes by itself
        self.key = key

    def submit(self, draft, key=None):
        answers = []
        event = draft.signed_by(key or self.key)
        self.relay.submit(event, Caller(event.pubkey), lambda *answer: answers.append(answer))
        self.relay.flush()
        self.relay._flush_is_due = True
        ((accepted, message),) = answers
        return event, (None if accepted else message)

    def accept(self, draft, key=None):
        event, refusal = self.submit(draft, key)
        assert refusal is None
        return event

    def place(self, event):
        return self.relay.store.place_of(event.id)


@pytest.fixture
def desk(key):
    made = Desk(key)
    for room in (ROOM, OTHER_ROOM):
        made.accept(room.creation("private"))
    return made


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ([("name", "x")], "channel-scoped events must include an h tag"),
        ([("h", "not-a-uuid"), ("name", "x")], "channel-scoped events must include an h tag"),
        ([("h", channel_id(b"3" * 16))], "channel name is required"),
        ([("h", channel_id(b"3" * 16)), ("name", "  ")], "channel name is required"),
        (
            [("h", channel_id(b"3" * 16)), ("name", "x"), ("visibility", "secret")],
            "invalid visibility: secret",
        ),
        (
            [("h", channel_id(b"3" * 16)), ("name", "x"), ("channel_type", "blog")],
            "invalid channel_type: blog",
        ),
    ],
)
def test_a_channel_of_the_wrong_form_is_refused(desk, tags, text):
    _, refusal = desk.submit(Draft(CREATE_CHANNEL, CLOCK, tuple(tags)))
    assert refusal == f"invalid: {text}"


def test_a_channel_is_made_once(desk, other_key):
    _, refusal = desk.submit(ROOM.creation("open"), other_key)
    assert refusal == "duplicate: channel already exists"


def test_only_members_write_to_a_private_channel(desk, other_key):
    assert desk.submit(ROOM.message("x"), other_key)[1] == "restricted: not a channel member"
    desk.accept(ROOM.membership(other_key.pubkey))
    desk.accept(ROOM.message("x"), other_key)


def test_only_those_who_govern_let_others_in(desk, other_key):
    desk.accept(ROOM.membership(other_key.pubkey))
    invitation = Draft(ADD_MEMBER, CLOCK, (("h", ROOM.id), ("p", "0" * 63 + "1")))
    assert desk.submit(invitation, other_key)[1] == "restricted: not a channel admin"


@pytest.mark.parametrize(
    "markers",
    [
        [],
        [("e", "{root}")],
        [("e", "{root}", "", "root")],
        [("e", "{root}", "", "mention")],
        [("e", "{root}", "reply")],
    ],
)
def test_only_a_reply_marker_makes_a_reply(desk, markers):
    root = desk.accept(ROOM.message("root"))
    tags = tuple(tuple(part.format(root=root.id) for part in tag) for tag in markers)
    assert desk.place(desk.accept(ROOM.message("x", *tags))) is None


def test_a_direct_reply_may_name_the_root_too(desk):
    root = desk.accept(ROOM.message("root"))
    for draft in (ROOM.reply("a", to=root), ROOM.reply("b", to=root, root=root)):
        place = desk.place(desk.accept(draft))
        assert (place.root, place.parent, place.depth) == (root.id, root.id, 1)


def test_a_nested_reply_has_to_name_the_root(desk):
    root = desk.accept(ROOM.message("root"))
    reply = desk.accept(ROOM.reply("a", to=root))
    _, refusal = desk.submit(ROOM.reply("b", to=reply))
    assert refusal == "invalid: root tag does not match thread ancestry"
    nested = desk.accept(ROOM.reply("b", to=reply, root=root))
    assert desk.place(nested).depth == 2


def test_the_last_marker_of_a_sort_counts(desk):
    first, second = (desk.accept(ROOM.message(text)) for text in ("first", "second"))
    draft = ROOM.message("x", ("e", first.id, "", "reply"), ("e", second.id, "", "reply"))
    assert desk.place(desk.accept(draft)).parent == second.id


def test_a_parent_that_is_global_has_no_thread(desk):
    note = desk.accept(Draft(1, CLOCK, (), "global"))
    _, refusal = desk.submit(ROOM.reply("x", to=note))
    assert refusal == "invalid: parent event has no channel association"


@pytest.mark.parametrize(("value", "broadcast"), [("1", True), ("0", False), ("true", False)])
def test_broadcast_is_recorded_for_the_value_1_alone(desk, value, broadcast):
    root = desk.accept(ROOM.message("root"))
    reply = desk.accept(ROOM.reply("x", ("broadcast", value), to=root))
    assert desk.place(reply).broadcast is broadcast


@pytest.mark.parametrize(
    ("depth", "broadcast", "shown"),
    [(None, False, True), (0, False, True), (1, True, True), (1, False, False), (2, True, False)],
)
def test_the_rule_of_the_top_level(depth, broadcast, shown):
    assert Policy().is_top_level(depth, broadcast) is shown


def test_a_deleted_parent_takes_no_more_replies_and_its_children_stay(desk):
    root = desk.accept(ROOM.message("root"))
    reply = desk.accept(ROOM.reply("a", to=root))
    child = desk.accept(ROOM.reply("b", to=reply, root=root))
    desk.accept(Draft(DELETION, CLOCK, (("e", reply.id),)))
    assert desk.submit(ROOM.reply("c", to=reply, root=root))[1] == "invalid: reply parent not found"
    assert desk.place(child).depth == 2
    desk.accept(ROOM.reply("d", to=child, root=root))


def test_a_channel_deletes_what_is_its_own(desk):
    """A 9005 of one channel does not reach the messages of another."""
    message = desk.accept(OTHER_ROOM.message("x"))
    desk.accept(ROOM.deletion_of(message))
    assert desk.relay.store.event_by_id(message.id) is not None
    desk.accept(OTHER_ROOM.deletion_of(message))
    assert desk.relay.store.event_by_id(message.id) is None
