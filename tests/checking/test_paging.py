"""Lists of a relay with short pages are asked for in parts, and only these."""

from __future__ import annotations

import pytest

from nip_ap.checking.paging import Parts, page_found, page_size, read_in_pages
from nip_ap.nostr import PERSONA, Draft, Filter, SecretKey
from nip_ap.wire import Reading

KEY = SecretKey.derived("paging")
NOW = 1_800_000_000


def persona(number, *, apart=1):
    return Draft(PERSONA, NOW - number * apart, (("d", f"slug-{number}"),), "{}").signed_by(KEY)


class Relay:
    """Serves events newest first, a page at most; takes down what it is asked."""

    def __init__(self, events, page, *, repeats=False):
        self.events = sorted(events, key=lambda event: event.order)
        self.page = page
        self.repeats = repeats
        self.asked = []

    def query(self, filters):
        self.asked.append(filters)
        (one,) = filters
        found = [event for event in self.events if one.matches(event)]
        most = min(self.page, self.page if one.limit is None else one.limit)
        page = found[:most]
        return Reading("owner", "ws", tuple(filters), tuple(page * 2 if self.repeats else page))


ALL = Filter.of(kinds=[PERSONA], authors=[KEY.pubkey])


def test_a_list_goes_on_from_its_oldest_event():
    events = [persona(number) for number in range(50)]
    relay = Relay(events, 20)
    reading = read_in_pages(relay.query, [ALL], Parts(20))
    assert sorted(reading.ids) == sorted(event.id for event in events)
    assert len(relay.asked) == 3
    assert relay.asked[1][0].until == NOW - 19


@pytest.mark.parametrize(
    "by",
    [
        lambda events: Filter.of(kinds=[PERSONA], ids=[event.id for event in events]),
        lambda events: ALL.changed(tags={"d": tuple(event.slug for event in events)}),
    ],
    ids=["ids", "slugs"],
)
def test_what_is_named_is_asked_for_in_parts_although_it_has_one_date(by):
    events = [persona(number, apart=0) for number in range(45)]
    relay = Relay(events, 20)
    assert sorted(read_in_pages(relay.query, [by(events)], Parts(20)).ids) == sorted(
        event.id for event in events
    )
    assert len(relay.asked) == 3


@pytest.mark.parametrize("announced", [0, 500], ids=["not at all", "as another"])
@pytest.mark.parametrize(
    "by",
    [
        lambda events: ALL,
        lambda events: ALL.changed(limit=100),
        lambda events: Filter.of(kinds=[PERSONA], ids=[event.id for event in events]),
        lambda events: ALL.changed(tags={"d": tuple(event.slug for event in events)}),
    ],
    ids=["list", "limit", "ids", "slugs"],
)
def test_a_page_that_is_not_announced_shows_when_it_is_asked_on(by, announced):
    events = [persona(number) for number in range(50)]
    reading = read_in_pages(Relay(events, 20).query, [by(events)], Parts(announced))
    assert sorted(reading.ids) == sorted(event.id for event in events)


def test_the_number_at_which_answers_are_cut_is_found():
    relay = Relay([persona(number) for number in range(50)], 20)
    assert page_found(relay.query, ALL) == 20
    assert page_found(relay.query, ALL.changed(limit=20)) == 0
    assert page_found(Relay(relay.events, 500).query, ALL) == 0


def test_one_second_that_is_longer_than_a_page_ends_the_list():
    relay = Relay([persona(number, apart=0) for number in range(45)], 20)
    assert len(read_in_pages(relay.query, [ALL], Parts(20))) == 20
    assert len(relay.asked) == 2


@pytest.mark.parametrize(
    ("filters", "page"),
    [([ALL.changed(limit=20)], 0), ([ALL.changed(limit=20)], 20), ([ALL.changed(limit=1)], 20)],
    ids=["a limit that is met", "a limit of a page", "a shorter limit"],
)
def test_what_fits_is_asked_once(filters, page):
    relay = Relay([persona(number) for number in range(50)], 20)
    read_in_pages(relay.query, filters, Parts(page))
    assert relay.asked == [filters]


def test_a_limit_over_a_page_is_reached():
    relay = Relay([persona(number) for number in range(50)], 20)
    assert len(read_in_pages(relay.query, [ALL.changed(limit=40)], Parts(20))) >= 40


def test_an_event_that_a_page_repeats_stays_repeated():
    relay = Relay([persona(number) for number in range(3)], 20, repeats=True)
    assert len(read_in_pages(relay.query, [ALL], Parts(20))) == 6


@pytest.mark.parametrize(
    ("announced", "page"), [(None, 0), (0, 0), (-1, 0), (20, 20), (999, 999), (5000, 0)]
)
def test_only_an_announced_short_page_counts(announced, page):
    assert page_size(announced) == page


def test_a_filter_that_fits_into_no_frame_is_asked_in_parts():
    events = [persona(number, apart=0) for number in range(50)]
    relay = Relay(events, 1000)
    wanted = Filter.of(kinds=[PERSONA], ids=[event.id for event in events], limit=250)
    reading = read_in_pages(relay.query, [wanted], Parts(0, 1400))
    assert len(reading) == 50
    assert [len(one[0].ids) for one in relay.asked] == [20, 20, 10]
