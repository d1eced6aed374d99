"""Each seam says itself whether a rehearsal can show a change of it."""

import inspect

import pytest

from nip_ap_relay.policy import Policy
from nip_ap_relay.recording import Line, Recording
from nip_ap_relay.rehearsable import says_whether_it_is_rehearsed, where_only_a_run_shows
from nip_ap_relay.rehearsal import shown_in
from nip_ap_relay.request_seams import RequestSeams
from nip_ap_relay.rogues import RelayRogue
from nip_ap_relay.seams import Seams


def declared(policy):
    return RelayRogue("made-here", "-", policy=policy)


def recording(check, *lines):
    said = (Line(0.0, "owner", door, sent, text) for door, sent, text in lines)
    return Recording(check, "ws://relay.example", 0, {}, tuple(said))


READS = recording("reads", ("ws", True, '["REQ","a",{}]'), ("ws", False, '["EOSE","a"]'))
POSTS = recording("posts", ("http", True, "POST /events {}"), ("http", False, "HTTP 401 {}"))


@pytest.mark.parametrize(
    "name",
    [
        name
        for one in (Seams, RequestSeams)
        for name, f in vars(one).items()
        if inspect.isfunction(f)
    ],
)
def test_every_seam_says_whether_it_is_rehearsed(name):
    if not name.startswith("_"):
        assert says_whether_it_is_rehearsed(getattr(Seams, name))


def test_what_the_answers_show_needs_no_run():
    class Deviating(Policy):
        def keeps(self, event):
            return False

    assert where_only_a_run_shows(Policy.keeps) is None
    assert shown_in(declared(Deviating), [READS, POSTS]) == []


def test_what_is_beyond_a_rehearsal_runs_where_it_was_met():
    class Deviating(Policy):
        def http_answers_nobody(self):
            return 403

    assert shown_in(declared(Deviating), [READS, POSTS]) == ["posts"]


def test_how_answers_travel_can_show_anywhere():
    class Deviating(Policy):
        def courier(self):
            return super().courier()

    assert shown_in(declared(Deviating), [READS, POSTS]) == ["reads", "posts"]


def test_a_limit_that_acts_before_a_request_is_read_can_show_anywhere():
    class Deviating(Policy):
        body_limit = 10

    assert shown_in(declared(Deviating), [READS, POSTS]) == ["reads", "posts"]
