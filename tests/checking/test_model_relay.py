"""The model of a relay: what it says of writes, deletions, the gate, limits and counts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nip_ap.checking.model_relay import Fault, Habits, ModelRelay, Standing
from nip_ap.nostr import APPLICATION_DATA, DELETION, NOTE, PERSONA, Draft, Filter, SecretKey

NOW = 1_800_000_000
OWNER, OTHER = (SecretKey.derived("model", name) for name in ("owner", "other"))
ALL = Filter.of(authors=[OWNER.pubkey, OTHER.pubkey])
SHARED = ("shared", "true")


def persona(slug, age=0, *tags, key=OWNER, kind=PERSONA, word=""):
    return Draft(kind, NOW - age, (("d", slug), *tags), word).signed_by(key)


def deletion(age, *tags, key=OWNER):
    return Draft(DELETION, NOW - age, tags).signed_by(key)


def at(event):
    return ("a", f"{event.kind}:{event.pubkey}:{event.slug}")


def model(*events, accepted=True, **habits):
    made = ModelRelay(Habits(**habits))
    for event in events:
        made.write(event, accepted)
    return made


def faults(made, filters, reader, answer):
    return [(one.fault, one.event) for one in made.judge(filters, reader, answer)]


def test_what_is_not_known_of_a_relay_is_what_the_texts_ask_for():
    assert Habits() == Habits(
        gated=True,
        keeps_versions=False,
        deletes_by_address=True,
        deletes_by_id=True,
        dates_bind=True,
        echoes=False,
        most=None,
    )


# -- versions ----------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_newest_version_is_due_and_the_other_is_superseded(order):
    old, new = versions = persona("x", 20), persona("x", 10)
    made = model(*(versions[number] for number in order))
    assert (made.standings[old.id], made.standings[new.id]) == (Standing.SUPERSEDED, Standing.DUE)


def test_in_one_second_the_lowest_id_is_due():
    first, second = sorted(
        (persona("x", 5, word="a"), persona("x", 5, word="b")), key=lambda event: event.id
    )
    made = model(second, first)
    assert made.standings[first.id] is Standing.DUE
    assert made.standings[second.id] is Standing.SUPERSEDED


def test_regular_events_and_other_addresses_stand_beside_each_other():
    events = (
        persona("x"),
        persona("x-"),
        persona("x", key=OTHER),
        persona("x", kind=APPLICATION_DATA),
        Draft(NOTE, NOW, (("d", "x"),)).signed_by(OWNER),
    )
    assert set(model(*events).standings.values()) == {Standing.DUE}


def test_a_refused_write_replaces_nothing_and_a_silent_one_leaves_it_open():
    old, new = persona("x", 20), persona("x", 10)
    made = model(old)
    made.write(new, False)
    assert made.standings[old.id] is Standing.DUE
    unsure = model(old)
    unsure.write(new, None)
    assert unsure.standings[old.id] is Standing.OPEN


def test_a_superseded_version_is_a_fault_unless_it_is_asked_for_by_id():
    old, new = persona("x", 20, ("t", "a")), persona("x", 10)
    made, by_tag = model(old, new), Filter.of(tags={"t": ["a"]})
    assert faults(made, [by_tag], OWNER.pubkey, [old]) == [(Fault.SUPERSEDED, old)]
    assert faults(made, [by_tag.changed(ids=(old.id,))], OWNER.pubkey, [old]) == []
    assert faults(model(old, new, keeps_versions=True), [by_tag], OWNER.pubkey, [old]) == []


# -- deletions ---------------------------------------------------------------------------


def test_a_deletion_by_address_reaches_versions_up_to_its_date():
    gone, spared, other = persona("x", 20), persona("y", 5), persona("z", 20)
    made = model(gone, spared, other, deletion(10, at(gone), at(spared)))
    assert [made.standings[one.id] for one in (gone, spared, other)] == [
        Standing.DELETED,
        Standing.DUE,
        Standing.DUE,
    ]
    assert faults(made, [ALL], OWNER.pubkey, [gone, spared, other]) == [(Fault.DELETED, gone)]


def test_somebody_elses_deletion_and_a_refused_one_do_nothing():
    event = persona("x", 20)
    made = model(event, deletion(0, at(event), ("e", event.id), key=OTHER))
    made.write(deletion(0, at(event)), False)
    assert made.standings[event.id] is Standing.DUE


def test_a_deletion_without_an_answer_leaves_its_targets_open():
    event = persona("x", 20)
    made = model(event)
    made.write(deletion(0, at(event)), None)
    assert made.standings[event.id] is Standing.OPEN


def test_a_head_deleted_by_its_id_may_leave_an_older_version_or_nothing():
    old, new = persona("x", 20), persona("x", 10)
    made = model(old, new, deletion(0, ("e", new.id)))
    assert (made.standings[old.id], made.standings[new.id]) == (Standing.OPEN, Standing.DELETED)
    again = persona("x", 15)
    made.write(again, True)
    assert made.standings[again.id] is Standing.OPEN


def test_a_superseded_version_deleted_by_its_id_leaves_the_head():
    old, new = persona("x", 20), persona("x", 10)
    made = model(old, new, deletion(0, ("e", old.id)))
    assert made.standings[new.id] is Standing.DUE


def test_a_later_write_comes_back_and_an_earlier_one_is_left_open():
    gone = persona("x", 20)
    later, earlier = persona("x", 5), persona("x", 15)
    made = model(gone, deletion(10, at(gone)), later)
    assert made.standings[later.id] is Standing.DUE
    made = model(gone, deletion(10, at(gone)), earlier)
    assert made.standings[earlier.id] is Standing.OPEN


def test_a_deleted_event_that_is_sent_again_is_left_open():
    event = persona("x", 20)
    made = model(event, deletion(0, at(event)), event)
    assert made.standings[event.id] is Standing.OPEN


def test_a_relay_that_does_not_delete_by_id_is_not_held_to_it():
    event = persona("x", 20)
    made = model(event, deletion(0, ("e", event.id)), deletes_by_id=False)
    assert made.standings[event.id] is Standing.OPEN


def test_a_date_binds_up_to_its_own_second():
    event = persona("x", 10)
    assert model(event, deletion(10, at(event))).standings[event.id] is Standing.DELETED
    assert model(deletion(10, at(event)), event).standings[event.id] is Standing.OPEN
    head, rival = persona("x", 10), persona("x", 10, word="of the same second")
    made = model(head, deletion(0, ("e", head.id)), rival)
    assert made.standings[rival.id] is Standing.OPEN
    later = persona("x", 9)
    made.write(later, True)
    assert made.standings[later.id] is Standing.DUE


@pytest.mark.parametrize("kind", [PERSONA, APPLICATION_DATA])
@pytest.mark.parametrize("by_address", [True, False])
@pytest.mark.parametrize("does", [True, False])
def test_a_deletion_is_sure_for_kinds_that_can_be_shared_where_the_relay_deletes(
    kind, by_address, does
):
    event = persona("x", 20, kind=kind)
    named = at(event) if by_address else ("e", event.id)
    habits = {"deletes_by_address" if by_address else "deletes_by_id": does}
    standing = Standing.DELETED if does and kind == PERSONA else Standing.OPEN
    assert model(event, deletion(0, named), **habits).standings[event.id] is standing


def test_where_dates_do_not_bind_a_later_head_is_open_and_what_it_superseded_is_not():
    old, new = persona("x", 3), persona("x", 2)
    made = model(old, new, deletion(10, at(new)), dates_bind=False)
    assert (made.standings[old.id], made.standings[new.id]) == (Standing.SUPERSEDED, Standing.OPEN)


def test_a_head_that_goes_by_its_id_opens_its_own_address_alone():
    others = persona("y", 20), persona("y", 10)
    oldest, middle, head = (persona("x", age) for age in (30, 20, 10))
    made = model(*others, oldest, middle, head, deletion(0, ("e", middle.id)))
    assert made.standings[oldest.id] is Standing.SUPERSEDED
    made.write(deletion(0, ("e", head.id)), True)
    assert made.standings[oldest.id] is Standing.OPEN
    assert made.standings[others[0].id] is Standing.SUPERSEDED


def test_a_regular_event_that_goes_by_its_id_leaves_the_others():
    gone, kept = (Draft(NOTE, NOW - age).signed_by(OWNER) for age in (20, 30))
    made = model(gone, kept, deletion(0, ("e", gone.id)))
    assert (made.standings[gone.id], made.standings[kept.id]) == (Standing.OPEN, Standing.DUE)


# -- the gate ----------------------------------------------------------------------------


def test_an_unshared_persona_is_for_its_author_alone():
    hidden, shown, note = persona("x"), persona("y", 0, SHARED), Draft(NOTE, NOW).signed_by(OWNER)
    made = model(hidden, shown, note)
    for reader in (OTHER.pubkey, None):
        assert made.due([ALL], reader) == [shown, note]
        assert faults(made, [ALL], reader, [hidden, shown, note]) == [(Fault.WITHHELD, hidden)]
    assert faults(made, [ALL], OWNER.pubkey, [hidden, shown, note]) == []
    assert faults(model(hidden, gated=False), [ALL], None, [hidden]) == []


def test_unsharing_takes_the_earlier_version_along_even_by_id():
    shared, unshared = persona("x", 20, SHARED), persona("x", 10)
    by_id = Filter.of(ids=[shared.id])
    made = model(shared, unshared)
    assert faults(made, [by_id], OTHER.pubkey, [shared]) == [(Fault.WITHHELD, shared)]
    again = persona("x", 5, SHARED)
    made.write(again, True)
    assert faults(made, [by_id], OTHER.pubkey, [shared]) == []


def test_events_of_other_people_are_let_pass():
    foreign = [persona(f"foreign{age}", age) for age in range(3)]
    assert faults(model(), [ALL.changed(limit=1)], None, foreign) == []
    by_slug = Filter.of(d=["nothing"])
    assert faults(model(), [by_slug], None, foreign[:1]) == [(Fault.MISMATCH, foreign[0])]


def test_what_comes_twice_is_repeated():
    event = persona("y", 0, SHARED)
    assert faults(model(event), [ALL], None, [event, event]) == [(Fault.REPEATED, event)]


def test_what_is_excused_or_searched_for_is_not_due():
    event = persona("y", 0, SHARED)
    made = model(event)
    assert faults(made, [Filter.of(search="y")], None, []) == []
    made.excused.add((OTHER.pubkey, event.id))
    assert faults(made, [ALL], OTHER.pubkey, []) == []
    assert faults(made, [ALL], None, []) == [(Fault.MISSING, event)]
    assert made.judge_live(event, [ALL], OTHER.pubkey, 0) is None


def test_an_unshared_head_hides_its_shared_versions_and_no_others():
    shared, hidden = persona("x", 20, SHARED), persona("x", 10)
    other_old, other_new = persona("y", 20, SHARED), persona("y", 10, SHARED)
    made = model(shared, hidden, other_old, other_new)
    assert made.is_withheld(shared, None)
    assert not made.is_withheld(other_old, None)
    assert not made.is_withheld(other_new, None)
    assert not made.is_withheld(shared, OWNER.pubkey)


# -- limits ------------------------------------------------------------------------------


def series(number):
    return [persona(f"s{place}", place, SHARED) for place in range(number)]


def test_each_filter_brings_its_newest_up_to_its_own_limit():
    events = series(6)
    made = model(*events)
    newest = ALL.changed(limit=2)
    assert faults(made, [newest], None, events[:2]) == []
    assert faults(made, [newest], None, events[:3]) == [(Fault.OVER_LIMIT, events[2])]
    assert faults(made, [newest], None, [events[0], events[2]]) == [
        (Fault.OVER_LIMIT, events[2]),
        (Fault.MISSING, events[1]),
    ]
    other = Filter.of(ids=[events[5].id], limit=1)
    assert faults(made, [newest, other], None, [*events[:2], events[5]]) == []
    assert faults(made, [newest, other], None, events[:2]) == [(Fault.MISSING, events[5])]


def test_which_of_one_second_a_limit_cuts_is_left_open():
    tied = [persona(f"s{place}", 5, SHARED) for place in range(3)]
    made = model(*tied)
    for one in tied:
        assert faults(made, [ALL.changed(limit=1)], None, [one]) == []


def test_an_announced_limit_is_kept():
    events = series(4)
    assert faults(model(*events, most=3), [ALL], None, events[:3]) == []
    assert faults(model(*events), [ALL], None, events[:3]) == [(Fault.MISSING, events[3])]


def test_a_limit_of_zero_brings_nothing():
    (event,) = series(1)
    assert faults(model(event), [ALL.changed(limit=0)], None, []) == []
    found = faults(model(event), [ALL.changed(limit=0)], None, [event])
    assert found == [(Fault.OVER_LIMIT, event)]


# -- counts ------------------------------------------------------------------------------


def test_a_count_is_of_distinct_events_and_may_mind_limits():
    events = series(4)
    made = model(*events)
    assert made.judge_count([ALL, ALL], None, 4) is None
    assert made.judge_count([ALL, ALL], None, 8).fault is Fault.COUNT
    assert made.judge_count([ALL], None, 3).fault is Fault.COUNT
    assert made.judge_count([ALL.changed(limit=2)], None, 2) is None
    assert made.judge_count([ALL.changed(limit=2)], None, 4) is None


def test_a_count_may_stop_where_an_answer_does():
    made = model(*(persona(f"s{number}", number, SHARED) for number in range(4)), most=3)
    assert made.judge_count([ALL], None, 3) is None
    assert made.judge_count([ALL], None, 4) is None
    assert made.judge_count([ALL], None, 2).fault is Fault.COUNT


def test_a_count_that_is_too_high_says_what_it_may_have_counted():
    hidden, old, new = persona("h"), persona("x", 20), persona("x", 10)
    made = model(hidden, new, old)
    assert made.judge_count([ALL], OTHER.pubkey, 1).fault is Fault.WITHHELD
    assert made.judge_count([ALL], OWNER.pubkey, 3).fault is Fault.SUPERSEDED


def test_a_wrong_count_says_what_was_expected():
    events = series(4)
    made = model(*events)
    assert made.judge_count([ALL], None, 3).detail == "4 expected, 3 counted"
    limited = made.judge_count([ALL.changed(limit=2)], None, 5)
    assert (limited.fault, limited.detail) == (Fault.COUNT, "4 expected, 5 counted")
    unsure = persona("unsure", 1, SHARED)
    made.write(unsure, None)
    assert made.judge_count([ALL], None, 5) is None
    assert made.judge_count([ALL], None, 6).detail == "4 to 5 expected, 6 counted"
    assert made.judge_count([ALL.changed(limit=0)], None, 0) is None


def test_a_count_of_what_was_deleted_says_so():
    gone, kept = persona("x", 20), persona("y", 20)
    made = model(gone, kept, deletion(10, at(gone)))
    personas = ALL.changed(kinds=(PERSONA,))
    assert made.judge_count([personas], OWNER.pubkey, 2).fault is Fault.DELETED
    assert made.judge_count([personas], OWNER.pubkey, 1) is None


# -- live --------------------------------------------------------------------------------


def test_live_delivery_is_due_once_for_what_matches_and_is_new():
    event, stale = persona("x", 10, SHARED), persona("x", 20, SHARED)
    made = model(event, stale)
    other = Filter.of(authors=[OTHER.pubkey])
    assert made.judge_live(event, [other, ALL], None, 0).fault is Fault.MISSING
    assert made.judge_live(event, [other, ALL], None, 1) is None
    assert made.judge_live(event, [ALL], None, 2).fault is Fault.REPEATED
    assert made.judge_live(event, [other], None, 1).fault is Fault.MISMATCH
    assert made.judge_live(stale, [ALL], None, 0) is None
    assert made.judge_live(stale, [ALL], None, 1) is None


def test_what_was_sent_twice_may_come_twice_or_not_at_all():
    event = persona("x", 10, SHARED)
    made = model(event, event)
    for copies in (0, 1, 2):
        assert made.judge_live(event, [ALL], None, copies) is None
    assert made.judge_live(event, [ALL], None, 3).fault is Fault.REPEATED
    foreign = persona("foreign", 10, SHARED)
    assert made.judge_live(foreign, [ALL], None, 0) is None
    assert made.judge_live(foreign, [ALL], None, 1) is None
    assert made.judge_live(foreign, [ALL], None, 2).fault is Fault.REPEATED


def test_only_kinds_that_can_be_shared_are_gated_live():
    note, ungated = Draft(NOTE, NOW).signed_by(OWNER), persona("x")
    assert model(note).judge_live(note, [ALL], None, 0).fault is Fault.MISSING
    assert model(note).judge_live(note, [ALL], None, 1) is None
    assert model(ungated, gated=False).judge_live(ungated, [ALL], None, 1) is None


def test_live_delivery_is_gated():
    hidden = persona("x")
    made = model(hidden)
    assert made.judge_live(hidden, [ALL], OTHER.pubkey, 1).fault is Fault.WITHHELD
    assert made.judge_live(hidden, [ALL], OTHER.pubkey, 0) is None
    assert made.judge_live(hidden, [ALL], OWNER.pubkey, 0).fault is Fault.MISSING


# -- against a plain implementation ---------------------------------------------------------

WRITES = st.lists(
    st.tuples(
        st.sampled_from((OWNER, OTHER)),
        st.sampled_from("xyz"),
        st.integers(0, 4),
        st.booleans(),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(WRITES, st.integers(0, 4), st.integers(0, 4), st.one_of(st.none(), st.integers(0, 4)))
def test_a_relay_that_answers_by_the_book_has_no_fault(writes, since, until, limit):
    """The book: of each address the first by NIP-01's order, the gate, the filter, the limit."""
    events = [
        persona(slug, age, *([SHARED] if shared else []), key=key)
        for key, slug, age, shared in writes
    ]
    made = model(*events)
    heads = {}
    for event in events:
        place = (event.pubkey, event.slug)
        heads[place] = min(heads.get(place, event), event, key=lambda one: one.order)
    wanted = ALL.changed(since=NOW - since, until=NOW - until, limit=limit)
    for reader in (OWNER.pubkey, OTHER.pubkey, None):
        visible = [e for e in heads.values() if e.pubkey == reader or SHARED in e.tags]
        answer = sorted((e for e in visible if wanted.matches(e)), key=lambda one: one.order)
        assert faults(made, [wanted], reader, answer[:limit]) == []
        assert made.judge_count([wanted.changed(limit=None)], reader, len(answer)) is None
        if answer and limit is None:
            assert faults(made, [wanted], reader, answer[1:]) == [(Fault.MISSING, answer[0])]
