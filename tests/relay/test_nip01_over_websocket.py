"""NIP-01 on the bundled relay: stored events, live ones, COUNT, and its announced limits."""

from __future__ import annotations

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect as connect_plainly

from nip_ap.nostr import (
    APPLICATION_DATA,
    DELETION,
    NOTE,
    PERSONA,
    Draft,
    Filter,
    address_of,
    relay_auth_event,
)
from nip_ap.wire import ConnectionLost


def published(door, key, *drafts):
    """Sign, send, insist on OK true; the events in order."""
    events = [draft.signed_by(key) for draft in drafts]
    answers = door.publish_all(events)
    assert [answer.message for answer in answers if not answer.accepted] == []
    return events


def ids(reading):
    return list(reading.ids)


@pytest.fixture
def limits(bridge):
    answer = bridge.client.get(bridge.base, headers={"Accept": "application/nostr+json"})
    assert answer.headers["content-type"].startswith("application/nostr+json")
    return answer.json()["limitation"]


def notices_after(door, *frames):
    """The notices that some frames cause; a count that is answered proves that they all came."""
    before = len(door.notices)
    for frame in frames:
        door.send_text(frame)
    door.count([Filter.of(kinds=[PERSONA], ids=["0" * 64])])
    return door.notices[before:]


# -- stored events ---------------------------------------------------------------------


def test_stored_events_come_newest_first_and_in_one_second_lowest_id_first(
    door, fresh_key, persona, now
):
    drafts = [persona(f"s{number}", at=now - number % 3) for number in range(9)]
    events = published(door, fresh_key, *drafts)
    found = door.query([Filter.of(kinds=[PERSONA], authors=[fresh_key.pubkey])])
    assert ids(found) == [one.id for one in sorted(events, key=lambda event: event.order)]


@pytest.mark.parametrize("limit", [0, 1, 2, 5])
def test_a_limit_gives_the_newest(door, fresh_key, persona, now, limit):
    events = published(door, fresh_key, *(persona(f"s{n}", at=now - n) for n in range(3)))
    found = door.query([Filter.of(kinds=[PERSONA], authors=[fresh_key.pubkey], limit=limit)])
    assert ids(found) == [one.id for one in events[:limit]]


def test_filters_are_alternatives_and_conditions_are_not(door, fresh_key, persona, now):
    one, two, three = published(
        door, fresh_key, persona("a"), persona("b", at=now - 1), persona("c", at=now - 2)
    )
    own = Filter.of(kinds=[PERSONA], authors=[fresh_key.pubkey])
    either = [own.changed(tags={"d": ("a",)}), own.changed(until=now - 2)]
    assert ids(door.query(either)) == [one.id, three.id]
    both = own.changed(tags={"d": ("a", "b")}, until=now - 1)
    assert ids(door.query([both])) == [two.id]


def test_an_event_that_two_filters_match_comes_once(door, fresh_key, persona):
    (event,) = published(door, fresh_key, persona())
    own = Filter.of(kinds=[PERSONA], authors=[fresh_key.pubkey])
    assert ids(door.query([own, own.changed(ids=(event.id,))])) == [event.id]


@pytest.mark.parametrize("field", ["ids", "authors", "kinds"])
def test_an_empty_list_matches_nothing(door, fresh_key, persona, field):
    published(door, fresh_key, persona())
    own = Filter.of(kinds=[PERSONA], authors=[fresh_key.pubkey])
    assert len(door.query([own])) == 1
    assert ids(door.query([own.changed(**{field: ()})])) == []


def test_tags_of_one_letter_are_searchable_and_longer_ones_are_not(door, fresh_key, persona):
    (event,) = published(door, fresh_key, persona(tags=(("t", "x"), ("alt", "y"))))
    own = Filter.of(kinds=[PERSONA], authors=[fresh_key.pubkey])
    assert ids(door.query([own.changed(tags={"t": ("x",)})])) == [event.id]
    assert ids(door.query([own.changed(tags={"t": ("X",)})])) == []
    assert ids(door.query([own.changed(tags={"alt": ("nothing has it",)})])) == [event.id]


def test_the_bytes_come_back_as_they_were_sent(door, fresh_key, persona):
    (event,) = published(door, fresh_key, persona(content='{"b":1,\t"a":"é e\u0301 \\u0041 \0"}'))
    (found,) = door.query([Filter.of(kinds=[PERSONA], ids=[event.id])]).events
    assert found.same_bytes_as(event)


def test_a_replaceable_event_has_one_version_and_a_regular_one_stays(door, fresh_key, now):
    drafts = [Draft(0, now - 1, (), "old"), Draft(0, now, (), "new")]
    notes = [Draft(NOTE, now - 1, (), "one"), Draft(NOTE, now, (), "two")]
    _, profile, *kept = published(door, fresh_key, *drafts, *notes)
    found = door.query([Filter.of(kinds=[0, NOTE], authors=[fresh_key.pubkey])])
    assert set(ids(found)) == {profile.id, *(note.id for note in kept)}


def test_the_same_slug_of_another_kind_or_author_is_another_address(
    connect, fresh, door, fresh_key, persona, now
):
    other = fresh()
    (mine,) = published(door, fresh_key, persona())
    (data,) = published(door, fresh_key, Draft(APPLICATION_DATA, now, (("d", "agent"),)))
    published(connect(other), other, persona(at=now + 5))
    found = door.query([Filter.of(kinds=[PERSONA, APPLICATION_DATA], authors=[fresh_key.pubkey])])
    assert set(ids(found)) == {mine.id, data.id}


def test_a_deletion_takes_a_persona_away_and_is_stored_itself(door, fresh_key, persona, now):
    (event,) = published(door, fresh_key, persona())
    wanted = Filter.of(kinds=[PERSONA], authors=[fresh_key.pubkey])
    assert len(door.query([wanted])) == 1
    (request,) = published(door, fresh_key, Draft(DELETION, now, (("a", address_of(event)),)))
    assert ids(door.query([wanted])) == []
    assert ids(door.query([wanted.changed(kinds=(DELETION,))])) == [request.id]


@pytest.mark.parametrize("again", ["the same", "older"])
def test_a_write_that_changes_nothing_is_called_a_duplicate(door, fresh_key, persona, now, again):
    (event,) = published(door, fresh_key, persona())
    other = event if again == "the same" else persona(at=now - 1).signed_by(fresh_key)
    answer = door.publish(other)
    assert (answer.accepted, answer.message) == (True, "duplicate:")


# -- live events -----------------------------------------------------------------------


def test_a_live_event_comes_after_eose_and_before_its_own_ok(door, fresh_key, persona):
    subscription = door.open([Filter.of(kinds=[PERSONA], authors=[fresh_key.pubkey])])
    (event,) = published(door, fresh_key, persona())
    assert (subscription.stored, subscription.live) == ([], [event])


def test_a_live_event_comes_once_to_each_subscription_that_matches(door, fresh_key, persona):
    own = Filter.of(kinds=[PERSONA], authors=[fresh_key.pubkey])
    both = door.open([own, own.changed(kinds=(PERSONA, 1))])
    kindless = door.open([Filter.of(authors=[fresh_key.pubkey])])
    other = door.open([own.changed(tags={"d": ("other",)})])
    (event,) = published(door, fresh_key, persona())
    assert (both.live, kindless.live, other.live) == ([event], [event], [])


def test_after_close_nothing_more_comes(door, fresh_key, persona, now):
    own = [Filter.of(kinds=[PERSONA], authors=[fresh_key.pubkey])]
    closed, open_one = door.open(own), door.open(own)
    closed.close()
    door.wait(lambda: closed.closed is not None, "CLOSED")
    (event,) = published(door, fresh_key, persona())
    assert (closed.closed, closed.live, open_one.live) == ("", [], [event])


def test_a_sub_id_that_is_used_again_replaces_the_subscription(door, fresh_key, persona, now):
    own = Filter.of(kinds=[PERSONA], authors=[fresh_key.pubkey])
    door.open([own.changed(tags={"d": ("a",)})], "one")
    second = door.open([own.changed(tags={"d": ("b",)})], "one")
    _, event = published(door, fresh_key, persona("a"), persona("b"))
    assert second.live == [event]


def test_an_ephemeral_event_is_no_event_of_this_relay(door, fresh_key, now):
    wanted = [Filter.of(kinds=[20005], authors=[fresh_key.pubkey])]
    watching = door.open(wanted)
    answer = door.publish(Draft(20005, now, (), "hi").signed_by(fresh_key))
    assert answer.message == "restricted: unknown event kind"
    assert watching.live == []
    assert ids(door.query(wanted)) == []


@pytest.mark.parametrize("identifier", ['with"quote', "back\\slash", "é🦫", " ", "x" * 256])
def test_odd_subscription_ids_come_back_as_they_were(door, fresh_key, persona, identifier):
    subscription = door.open([Filter.of(kinds=[PERSONA], authors=[fresh_key.pubkey])], identifier)
    (event,) = published(door, fresh_key, persona())
    assert subscription.live == [event]


# -- COUNT -----------------------------------------------------------------------------


def test_count_counts_heads_whatever_the_limit(door, fresh_key, persona, now):
    published(door, fresh_key, persona("a", at=now - 1), persona("a"), persona("b"))
    own = Filter.of(kinds=[PERSONA], authors=[fresh_key.pubkey])
    assert door.count([own]).count == 2
    assert door.count([own.changed(limit=1)]).count == 2
    assert door.count([own, own.changed(tags={"d": ("a",)})]).count == 2


def test_an_unshared_persona_is_not_counted_for_a_stranger(
    connect, fresh, door, fresh_key, persona
):
    published(door, fresh_key, persona("a"), persona("b", tags=(("shared", "true"),)))
    own = Filter.of(kinds=[PERSONA], authors=[fresh_key.pubkey])
    assert (door.count([own]).count, connect(fresh()).count([own]).count) == (2, 1)


# -- what is malformed -------------------------------------------------------------------

PREFIX = "invalid message: Invalid message format: "
NOTICES = [
    ("nonsense", "JSON parse error: "),
    ("", "JSON parse error: "),
    ('{"a":1}', "expected JSON array"),
    ("[]", "empty array"),
    ("[1]", "first element must be a string"),
    ('["EVENT"]', "EVENT requires event object"),
    ('["EVENT",{}]', "invalid event: "),
    ('["EVENT",7]', "invalid event: "),
    ('["REQ"]', "REQ requires sub_id"),
    ('["REQ",7]', "REQ sub_id must be a string"),
    ('["REQ",""]', "REQ sub_id must not be empty"),
    ('["REQ","' + "x" * 257 + '"]', "REQ sub_id exceeds maximum length of 256 bytes"),
    ('["REQ","' + "é" * 129 + '"]', "REQ sub_id exceeds maximum length of 256 bytes"),
    ('["REQ","s"' + ",{}" * 11 + "]", "REQ contains 11 filters, maximum is 10"),
    ('["REQ","s",7]', "invalid filter: "),
    ('["REQ","s",{"kinds":"1"}]', "invalid filter: "),
    ('["REQ","s",{"kinds":[65536]}]', "invalid filter: "),
    ('["REQ","s",{"ids":["abcd"]}]', "invalid filter: "),
    ('["REQ","s",{"authors":["' + "z" * 64 + '"]}]', "invalid filter: "),
    ('["REQ","s",{"limit":-1}]', "invalid filter: "),
    ('["REQ","s",{"since":1.5}]', "invalid filter: "),
    ('["REQ","s",{"#d":"x"}]', "invalid filter: "),
    ('["COUNT"]', "COUNT requires sub_id"),
    ('["COUNT","s"' + ",{}" * 11 + "]", "COUNT contains 11 filters, maximum is 10"),
    ('["CLOSE"]', "CLOSE requires sub_id"),
    ('["CLOSE",7]', "CLOSE sub_id must be a string"),
    ('["AUTH"]', "AUTH requires event object"),
    ('["AUTH",{}]', "invalid auth event: "),
    ('["NONSENSE"]', "unknown message type: NONSENSE"),
]


@pytest.mark.parametrize(("frame", "text"), NOTICES, ids=[frame[:30] for frame, _ in NOTICES])
def test_a_frame_that_cannot_be_read_gets_this_notice(door, frame, text):
    (notice,) = notices_after(door, frame)
    assert notice.startswith(PREFIX + text)


def test_a_binary_frame_that_holds_text_is_read_as_text(door):
    (notice,) = notices_after(door, b'["NONSENSE"]')
    assert notice == f"{PREFIX}unknown message type: NONSENSE"


def test_ten_filters_are_within_the_limit(door):
    assert door.query([Filter.of(kinds=[PERSONA], ids=["0" * 64])] * 10).refusal is None


# -- the limits of NIP-11 are the ones enforced ---------------------------------------------


def test_the_announced_limits_are_these(limits):
    assert limits == limits | {
        "max_message_length": 524_288,
        "max_subscriptions": 1024,
        "max_filters": 10,
        "max_subid_length": 256,
        "max_content_length": 262_144,
        "created_at_lower_limit": 900,
        "created_at_upper_limit": 900,
        "auth_required": True,
    }


@pytest.mark.parametrize("accept", ["application/nostr+json", "*/*"])
def test_nip_11_is_given_whatever_the_client_accepts(bridge, accept):
    answer = bridge.client.get(bridge.base, headers={"Accept": accept})
    assert answer.status_code == 200
    assert {42, 45, 98} <= set(answer.json()["supported_nips"])


def test_a_frame_of_the_announced_size_is_read_and_a_larger_one_ends_the_connection(door, limits):
    start, end = '["REQ","x",{"search":"', '"}]'
    room = limits["max_message_length"] - len(start) - len(end)
    door.send_text(start + "x" * room + end)
    door.count([Filter.of(kinds=[PERSONA], ids=["0" * 64])])
    assert door.notices == []
    door.send_text(start + "x" * (room + 1) + end)
    with pytest.raises(ConnectionLost):
        door.count([Filter.of(kinds=[PERSONA], ids=["0" * 64])])


def test_one_subscription_over_the_announced_number_is_closed(door, limits):
    most = limits["max_subscriptions"]
    wanted = [Filter.of(kinds=[PERSONA], ids=["0" * 64])]
    kept = [door.subscribe(wanted) for _ in range(most)]
    over = door.subscribe(wanted)
    door.wait(lambda: over.closed is not None, "CLOSED")
    assert over.closed == "error: too many subscriptions"
    assert all(one.closed is None for one in kept)
    kept[0].close()
    door.wait(lambda: kept[0].closed is not None, "CLOSED")
    assert door.open(wanted).closed is None


# -- NIP-42 ------------------------------------------------------------------------------


def test_every_connection_gets_a_challenge_of_its_own(connect, relay):
    challenges = set()
    for _ in range(3):
        with connect_plainly(relay.url, proxy=None) as socket:
            challenges.add(socket.recv(timeout=5))
    assert len(challenges) == 3
    assert all(one.startswith('["AUTH","') and len(one) == 64 + 11 for one in challenges)


def test_without_authentication_nothing_is_answered(connect, persona, fresh_key):
    door = connect(None)
    event = persona().signed_by(fresh_key)
    door.send(["EVENT", event.to_json()])
    door.wait(lambda: door.has_ok(event), "OK")
    wanted = [Filter.of(kinds=[PERSONA])]
    texts = [door.query(wanted).refusal, door.count(wanted).refusal, door.publish(event).message]
    assert texts == ["auth-required: not authenticated"] * 3


@pytest.fixture
def answer_of(connect, relay, fresh_key, now):
    """An AUTH event that is right but for what is changed, and the connection it is for."""

    def make(*, challenge=None, url=None, at=now, key=fresh_key):
        door = connect(key, challenge=False)
        door.wait(lambda: door.challenge is not None, "a challenge")
        sent = door.challenge if challenge is None else challenge
        return door, relay_auth_event(key, challenge=sent, relay=url or relay.url, at=at)

    return make


def test_a_right_answer_to_the_challenge_is_accepted_once(answer_of):
    door, event = answer_of()
    first, second = door.authenticate_with(event), door.authenticate_with(event)
    assert (first.accepted, first.message) == (True, "")
    assert (second.accepted, second.message) == (False, "auth-required: already authenticated")


@pytest.mark.parametrize(
    "wrong",
    [
        {"challenge": "0" * 64},
        {"challenge": ""},
        {"url": "ws://elsewhere.example/"},
        {"url": "http://127.0.0.1/"},
        {"url": "ws://[nonsense"},
        {"url": "ws://127.0.0.1:99999"},
    ],
    ids=str,
)
def test_a_wrong_answer_fails_and_the_connection_cannot_try_again(answer_of, wrong):
    door, event = answer_of(**wrong)
    answer = door.authenticate_with(event)
    assert (answer.accepted, answer.message) == (False, "auth-required: verification failed")
    again = door.authenticate()
    assert again.message == "auth-required: authentication already failed"


@pytest.mark.parametrize(
    ("offset", "accepted"), [(-50, True), (50, True), (-70, False), (70, False)]
)
def test_the_answer_has_to_be_dated_within_a_minute(answer_of, now, offset, accepted):
    door, event = answer_of(at=now + offset)
    assert door.authenticate_with(event).accepted is accepted


@pytest.mark.parametrize("change", [{"kind": 1}, {"sig": "0" * 128}, {"content": "x"}], ids=str)
def test_an_answer_that_is_no_valid_auth_event_fails(answer_of, change):
    door, event = answer_of()
    assert not door.authenticate_with(event.altered(**change)).accepted


@pytest.mark.parametrize("form", ["{}/", "localhost"])
def test_a_slash_or_a_loopback_name_makes_no_other_relay(answer_of, relay, form):
    url = relay.url + "/" if form == "{}/" else relay.url.replace("127.0.0.1", "localhost")
    door, event = answer_of(url=url)
    assert door.authenticate_with(event).accepted


def test_an_event_of_somebody_else_is_refused_on_an_authenticated_connection(door, fresh, persona):
    answer = door.publish(persona().signed_by(fresh()))
    assert answer.message == "invalid: event pubkey does not match authenticated identity"


def test_a_relay_whose_path_is_wrong_refuses_the_handshake(relay):
    with pytest.raises(InvalidStatus), connect_plainly(relay.url + "/nowhere", proxy=None):
        pass


def test_a_plain_get_of_health_is_ok(bridge):
    assert bridge.client.get(bridge.base + "/health").text == "ok"
