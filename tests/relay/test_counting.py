"""COUNT in SQL gives what counting the rows one by one gives, and only where rules are as usual."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from nip_ap.nostr import PERSONA, Draft, Filter, SecretKey
from nip_ap.nostr.gift_wrap import GIFT_WRAP
from nip_ap_relay import surfaces
from nip_ap_relay.channels import MESSAGE
from nip_ap_relay.counting import can_count_in_sql
from nip_ap_relay.limits import NOVEMBER
from nip_ap_relay.policy import Policy
from nip_ap_relay.query import Query
from nip_ap_relay.rogues import ROGUES
from nip_ap_relay.searching import words_of
from nip_ap_relay.store import LIVE, SUPERSEDED, Row, Store

OPEN = "3f2b8c1e-5a7d-4e9b-8c21-0d6f4a5b7c8d"
CLOSED = "7a0c5f2d-1b3e-4c6a-9d8f-2e4b6a8c0d1e"
KEYS = [SecretKey.derived("counting", str(number)) for number in range(3)]
PUBKEYS = [key.pubkey for key in KEYS]


class _RowByRow(Policy):
    """The same rules, in a method of its own, so that nothing is known of what it looks at."""

    def may_read(self, row: Row, reader: str | None, surface: str) -> bool:
        return super().may_read(row, reader, surface)


@pytest.fixture(scope="module")
def store() -> Store:
    """Personas, messages and wraps of three keys, for all sorts of readers; some are gone."""
    made, dice = Store(), random.Random(20)
    for identifier, visibility in ((OPEN, "open"), (CLOSED, "private")):
        made.put_channel(identifier, "channel", visibility, archived=False)
        made.put_member(identifier, PUBKEYS[0], "owner")
    for number in range(300):
        kind = dice.choice((PERSONA, MESSAGE, GIFT_WRAP))
        readers = None
        if kind != MESSAGE and dice.random() < 0.8:
            readers = frozenset(dice.sample(PUBKEYS, 1 if kind == PERSONA else dice.randint(1, 3)))
        draft = Draft(kind, 1_760_000_000 + number % 50, (("t", str(number % 3)),), str(number))
        row = made.add(
            draft.signed_by(dice.choice(KEYS)),
            address=None,
            slug=None,
            readers=readers,
            channel=dice.choice((OPEN, CLOSED, None)) if kind == MESSAGE else None,
        )
        if number % 7 == 0:
            made.remove(row, SUPERSEDED)
    return made


FILTERS: dict[str, list[Filter]] = {
    "everything": [Filter()],
    "personas": [Filter(kinds=(PERSONA,))],
    "two kinds": [Filter(kinds=(MESSAGE, GIFT_WRAP))],
    "an author": [Filter(authors=(PUBKEYS[1],))],
    "a tag": [Filter(tags={"t": ("1", "2")})],
    "an interval": [Filter(since=1_760_000_010, until=1_760_000_030)],
    "a limit, which does not count": [Filter(kinds=(PERSONA,), limit=1)],
    "two that overlap": [Filter(kinds=(PERSONA, MESSAGE)), Filter(authors=(PUBKEYS[0],))],
    "one that nothing meets, and one": [Filter(kinds=()), Filter(kinds=(GIFT_WRAP,))],
    "one that nothing meets": [Filter(authors=())],
}


@pytest.mark.parametrize("reader", [*PUBKEYS, None], ids=["first", "second", "third", "nobody"])
@pytest.mark.parametrize("filters", FILTERS.values(), ids=FILTERS)
def test_both_ways_of_counting_agree(
    store: Store, filters: Sequence[Filter], reader: str | None
) -> None:
    in_sql, by_row = Policy(), _RowByRow()
    assert can_count_in_sql(in_sql)
    assert not can_count_in_sql(by_row)
    numbers = [Query(one, store, reader).count(filters, surfaces.COUNT) for one in (in_sql, by_row)]
    assert numbers[0] == numbers[1]
    assert numbers[0] < len(list(store.select(f"gone = {LIVE}", ())))


def test_what_is_counted_differs_from_reader_to_reader(store: Store) -> None:
    everything = [Filter()]
    readers = (*PUBKEYS, None)
    found = {Query(Policy(), store, one).count(everything, surfaces.COUNT) for one in readers}
    assert len(found) == len(readers)


def test_a_rogue_of_the_gate_is_counted_row_by_row() -> None:
    names = ("gate-off-count-for-nobody", "count-counts-versions", "count-sums-filters")
    assert not any(can_count_in_sql(ROGUES[name].relay_policy(NOVEMBER)) for name in names)


def test_a_search_has_each_word_once_and_so_many_at_most() -> None:
    assert words_of("One two, one TWO three") == ["three", "two", "One"]
    policy = Policy()
    most = policy.words_searched
    allowed = " ".join(f"word{number} again" for number in range(most - 1))
    assert policy.searches_too_much([Filter(), Filter(search=allowed)]) is None
    refusal = policy.searches_too_much([Filter(search=f"{allowed} two more")])
    assert refusal == f"a search has at most {most} different words"
