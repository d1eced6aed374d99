"""HTTP: two doors, one room (the HTTP bridge; NIP-98)."""

import orjson

from nip_ap.nostr import SecretKey, http_auth_event, http_auth_header
from nip_ap.scenario import (
    APPLICATION_DATA,
    DELETION,
    HTTP,
    NOTE,
    PERSONA,
    WS,
    Broken,
    Draft,
    Filter,
    accepted,
    address,
    all_of,
    clause,
    destructive,
    each,
    same_events,
)

MINUTE = 60
DAY = 86_400
BETWEEN = 12
"""Requests between an authorization and its replay."""
OVER_LONG = 1_048_577
PATHS = ("/events", "/query", "/count")
BAD_JSON = (b"", b"{", b"[", b"nonsense", b'"text"', b"null", b"1", b"\xff\xfe", b"[1]", b"[[]]")


# -- one verdict -------------------------------------------------------------------------


def table(owner, stranger, persona, slug, clock):
    """Twenty-two events of every sort under one slug, by name."""
    now = clock.now()
    good = owner.signs(persona(slug("good")))
    drafts = {
        "a persona": persona(slug("plain")),
        "a shared persona": persona(slug("shared"), shared=True),
        "further tags": persona(slug("tags"), tags=[("alt", "x"), ("t", "y"), ("p", "z")]),
        "no content": persona(slug("empty"), content=""),
        "content that is not JSON": persona(slug("text"), content="not JSON"),
        "an upper-case slug": persona(slug("upper").upper()),
        "an empty slug": persona(""),
        "no slug": persona(None),
        "two slugs": persona(slug("one"), tags=[("d", slug("two"))]),
        "a slug of 65 bytes": persona("x" * 65),
        "a leading dash": persona("-" + slug("dash")),
        "a slug beyond ASCII": persona(slug("accent") + "é"),
        "shared twice": persona(slug("twice"), tags=[("shared", "true")], shared=True),
        "a day ahead": persona(slug("ahead"), at=now + DAY),
        "a day old": persona(slug("old"), at=now - DAY),
        "a kind that is not listed": Draft(30179, now, (("d", slug("kind")),), "{}"),
        "application data": Draft(APPLICATION_DATA, now, (("d", slug("data")),), "{}"),
        "a note": Draft(NOTE, now, (), slug("note")),
        "a deletion of nothing": Draft(DELETION, now, (("k", str(PERSONA)),), slug("nothing")),
    }
    return {name: owner.signs(draft) for name, draft in drafts.items()} | {
        "a foreign author": stranger.signs(persona(slug("foreign"))),
        "a wrong id": good.altered(id=good.id[::-1]),
        "a wrong signature": good.altered(sig="0" * 128),
    }


def reason_of(text):
    """What a refusal says to a program: its prefix; the words after it are for people."""
    return text.partition(":")[0]


@clause("AP-HTTP-01")
def test_both_doors_give_the_same_verdict(owner, stranger, persona, check, clock):
    def verdicts(via):
        events = table(owner, stranger, persona, lambda name: check.slug(f"{name}-{via}"), clock)
        return dict(zip(events, owner.send_all(list(events.values()), via=via), strict=True))

    over_ws, over_http = verdicts(WS), verdicts(HTTP)
    assert {name: one.accepted for name, one in over_http.items()} == {
        name: one.accepted for name, one in over_ws.items()
    }
    refusals = {name: one for name, one in over_http.items() if not one.accepted}
    assert {name: one.status for name, one in refusals.items() if one.status // 100 != 4} == {}
    assert {name: reason_of(one.message) for name, one in refusals.items()} == {
        name: reason_of(over_ws[name].message) for name in refusals
    }


@clause("AP-HTTP-01")
def test_an_accepted_event_is_answered_with_its_id(owner, persona, slug):
    event = owner.signs(persona(slug))
    response = owner.http.post("/events", orjson.dumps(event.to_json()))
    assert response.status_code == 200
    answer = object_in(response)
    assert (answer.get("event_id"), answer.get("accepted")) == (event.id, True)
    assert isinstance(answer.get("message"), str)
    assert owner.head(slug) == event


def object_in(response):
    """The JSON object in a body."""
    try:
        value = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise Broken("a JSON object in the body", response.text[:200])
    return value


# -- one answer --------------------------------------------------------------------------


def filters(owner, events):
    """Filters of many sorts over an owner's personas."""
    first, second, third = events[:3]
    return [
        all_of(owner),
        all_of(owner).changed(limit=2),
        all_of(owner).changed(since=second.created_at),
        all_of(owner).changed(until=second.created_at),
        address(owner, first.slug),
        address(owner, second.slug, third.slug, "no-such-slug"),
        all_of(owner, kinds=[PERSONA, NOTE]),
        Filter.of(kinds=[PERSONA], ids=[first.id, third.id]),
        Filter.of(kinds=[NOTE], authors=[owner.pubkey]),
        Filter.of(kinds=[PERSONA], authors=[owner.pubkey], tags={"t": ["even"]}),
    ]


def some_events(owner, persona, check, clock):
    """Personas of several seconds and one note."""
    personas = [
        persona(
            check.slug(str(number)),
            at=clock.now() - 10 * number,
            tags=[("t", "even" if number % 2 == 0 else "odd")],
        )
        for number in range(4)
    ]
    return owner.publish_all([*personas, Draft(NOTE, clock.now(), (), "a note")])


@clause("AP-HTTP-02")
def test_a_query_gives_what_req_gives(owner, persona, check, clock):
    events = some_events(owner, persona, check, clock)
    for one in filters(owner, events):
        over_http, over_ws = owner.read(one, via=HTTP), owner.read(one)
        same_events(over_http.events, over_ws.events)
        # Events of one second may come in any order; how they have to is AP-READ-15.
        assert times_of(over_http) == times_of(over_ws)


def times_of(reading):
    """When what was read was made, in the order in which it came."""
    return [event.created_at for event in reading.events]


@clause("AP-HTTP-02")
def test_several_filters_are_alternatives_over_http_too(owner, persona, check, clock):
    events = some_events(owner, persona, check, clock)
    asked = filters(owner, events)[4:9]
    over_http = set(owner.read(*asked, via=HTTP).events)
    same_events(over_http, set(owner.read(*asked).events))


@clause("AP-HTTP-02", needs=["count"])
def test_a_count_over_http_is_that_of_count(owner, persona, check, clock):
    events = some_events(owner, persona, check, clock)
    for one in filters(owner, events):
        if one.limit is None:
            assert owner.count(one, via=HTTP) == owner.count(one)


# -- bad requests ------------------------------------------------------------------------


@clause("AP-HTTP-03")
def test_a_request_without_authentication_gets_401(owner, anonymous, persona, slug):
    event = owner.signs(persona(slug))
    (answer,) = anonymous.send_all([event], via=HTTP)
    assert answer.status == 401
    assert anonymous.try_to_read(address(owner, slug), via=HTTP).status == 401
    assert anonymous.counted(address(owner, slug), via=HTTP).status == 401
    accepted(owner, event, via=HTTP)
    assert owner.head(slug, via=HTTP) == event
    assert owner.count(address(owner, slug), via=HTTP) == 1


@destructive
@clause("AP-HTTP-03")
@each("path", PATHS)
def test_a_body_that_cannot_be_read_gets_4xx(owner, persona, slug, path):
    of_wrong_form = [b"[]"] if path == "/events" else [b"{}", orjson.dumps({"kinds": [PERSONA]})]
    statuses = {
        body: owner.http.post(path, body).status_code for body in (*BAD_JSON, *of_wrong_form)
    }
    assert {body: status for body, status in statuses.items() if status // 100 != 4} == {}
    accepted(owner, persona(slug), via=HTTP)


@destructive
@clause("AP-HTTP-03", needs=["load", "body-limit"])
@each("path", PATHS)
def test_a_body_over_the_limit_gets_4xx(owner, persona, slug, path):
    status = owner.http.post(path, b"[]".rjust(OVER_LONG)).status_code
    assert 400 <= status < 500
    accepted(owner, persona(slug), via=HTTP)


# -- NIP-98 ------------------------------------------------------------------------------


def authorization(owner, body, *, path="/query", **wrong):
    """A NIP-98 event for a POST, right but for what is given."""
    fields = {
        "url": owner.http.base + path,
        "method": "POST",
        "body": body,
        "at": owner.now(),
        "nonce": owner.http.fresh_nonce(),
    }
    return http_auth_event(owner.key, **{**fields, **wrong})


def status(owner, body, event, path="/query"):
    """What a request with that authorization is answered."""
    headers = {"Authorization": http_auth_header(event)}
    return owner.http.post(path, body, headers).status_code


def wrong_authorizations(owner, body):
    """Authorizations that are wrong in one respect each."""
    good = authorization(owner, body)
    another = SecretKey.derived("AP-HTTP-04", "somebody else")
    return {
        "another path": authorization(owner, body, url=owner.http.base + "/events"),
        "another host": authorization(owner, body, url="https://relay.example/query"),
        "another method": authorization(owner, body, method="GET"),
        "10 minutes old": authorization(owner, body, at=owner.now() - 10 * MINUTE),
        "10 minutes ahead": authorization(owner, body, at=owner.now() + 10 * MINUTE),
        "another kind": good.resigned(owner.key, kind=NOTE),
        "a broken signature": good.altered(sig=f"{int(good.sig, 16) ^ 1:0128x}"),
        "another's signature": good.altered(sig=another.sign(bytes.fromhex(good.id))),
        "a wrong id": good.altered(id=good.id[::-1]),
    }


@clause("AP-HTTP-04")
def test_a_wrong_authorization_gets_401(owner, persona, slug):
    owner.publish(persona(slug))
    body = orjson.dumps([address(owner, slug).to_json()])
    assert status(owner, body, authorization(owner, body)) == 200
    statuses = {
        wrong: status(owner, body, event)
        for wrong, event in wrong_authorizations(owner, body).items()
    }
    assert statuses == dict.fromkeys(statuses, 401)


@clause("AP-HTTP-04")
def test_the_authorization_of_another_body_gets_401(owner, persona, slug):
    owner.publish(persona(slug))
    body = orjson.dumps([address(owner, slug).to_json()])
    assert status(owner, body, authorization(owner, body)) == 200
    assert status(owner, body, authorization(owner, b"[]")) == 401


@clause("AP-HTTP-05")
def test_a_replayed_authorization_gets_401(owner, persona, slug):
    owner.publish(persona(slug))
    body = orjson.dumps([address(owner, slug).to_json()])
    event = authorization(owner, body)
    assert status(owner, body, event) == 200
    assert status(owner, body, event) == 401
    assert status(owner, body, authorization(owner, body)) == 200


def nearly(base):
    """URLs that begin like the right one, or that it begins like."""
    return {
        "a longer path": f"{base}/query/more",
        "a longer word": f"{base}/querying",
        "a shorter word": f"{base}/quer",
        "a query": f"{base}/query?limit=1",
        "no path": base,
        "a longer host": f"{base}.relay.example/query",
        "a user of another host": f"{base}@relay.example/query",
    }


@clause("AP-HTTP-09")
def test_an_authorization_for_nearly_the_same_url_is_refused(owner, persona, slug):
    owner.publish(persona(slug))
    body = orjson.dumps([address(owner, slug).to_json()])
    assert status(owner, body, authorization(owner, body)) == 200
    statuses = {
        name: status(owner, body, authorization(owner, body, url=url))
        for name, url in nearly(owner.http.base).items()
    }
    assert {name: one for name, one in statuses.items() if not 400 <= one < 500} == {}


@clause("AP-HTTP-07")
def test_an_authorization_is_refused_a_second_time_after_many_others(owner, persona, slug):
    owner.publish(persona(slug))
    body = orjson.dumps([address(owner, slug).to_json()])
    first = authorization(owner, body)
    assert status(owner, body, first) == 200
    others = [status(owner, body, authorization(owner, body)) for _ in range(BETWEEN)]
    assert others == [200] * BETWEEN
    assert status(owner, body, first) == 401


# -- several events in one body ----------------------------------------------------------


@clause("AP-HTTP-08")
@each("body", ("two events", "one event in an array", "twenty events"))
def test_an_array_of_events_is_stored_whole_or_refused(owner, persona, check, body):
    number = {"two events": 2, "one event in an array": 1}.get(body, 20)
    control = accepted(owner, persona(check.slug("control")), via=HTTP)
    events = [owner.signs(persona(check.slug(f"of-an-array-{one}"))) for one in range(number)]
    got = owner.http.post("/events", orjson.dumps([one.to_json() for one in events])).status_code
    assert got < 500
    there = [one for one in owner.personas(via=HTTP).events if one != control]
    same_events(there, events if got < 300 else [])
