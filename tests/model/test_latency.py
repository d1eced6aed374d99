"""Latency of a report: which frames make a pair, and which pairs count."""

from __future__ import annotations

import orjson
import pytest

from nip_ap.model.frame import Frame
from nip_ap.model.latency import latency, summary

ONE, TWO = "a" * 64, "b" * 64


def frames(*lines):
    """Frames of (milliseconds, who, direction, frame), over WebSocket unless it is HTTP."""
    return [
        Frame(
            at / 1000,
            who,
            "http" if isinstance(frame, str) else "ws",
            "sent" if arrow == "->" else "received",
            frame if isinstance(frame, str) else orjson.dumps(frame).decode(),
        )
        for at, who, arrow, frame in lines
    ]


def medians(*transcripts):
    return {one.operation: one.p50_ms for one in latency(transcripts)}


def test_each_operation_ends_with_its_own_answer():
    found = medians(
        frames(
            (0, "owner", "->", ["EVENT", {"id": ONE}]),
            (2, "owner", "<-", ["OK", ONE, True, ""]),
            (10, "owner", "->", ["REQ", "s", {}]),
            (11, "owner", "<-", ["EVENT", "s", {"id": ONE}]),
            (13, "owner", "<-", ["EOSE", "s"]),
            (20, "owner", "->", ["COUNT", "c", {}]),
            (24, "owner", "<-", ["COUNT", "c", {"count": 1}]),
            (30, "owner", "->", "POST /query [Authorization] []"),
            (35, "owner", "<-", "HTTP 200 []"),
        )
    )
    expected = {"EVENT to OK": 2, "REQ to EOSE": 3, "COUNT to COUNT": 4, "POST /query": 5}
    assert found == expected


def test_a_refused_read_is_answered_too():
    asked = (0, "owner", "->", ["REQ", "s", {}])
    assert medians(frames(asked, (7, "owner", "<-", ["CLOSED", "s", "no"]))) == {"REQ to EOSE": 7}


def test_a_burst_does_not_count_and_what_follows_it_does():
    found = latency(
        [
            frames(
                (0, "owner", "->", ["EVENT", {"id": ONE}]),
                (1, "owner", "->", ["EVENT", {"id": TWO}]),
                (50, "owner", "<-", ["OK", ONE, True, ""]),
                (99, "owner", "<-", ["OK", TWO, True, ""]),
                (100, "owner", "->", ["EVENT", {"id": ONE}]),
                (104, "owner", "<-", ["OK", ONE, True, ""]),
            )
        ]
    )
    assert [(one.count, one.max_ms) for one in found] == [(1, 4)]


def test_actors_do_not_disturb_each_other():
    found = latency(
        [
            frames(
                (0, "owner", "->", ["EVENT", {"id": ONE}]),
                (1, "stranger", "->", ["EVENT", {"id": ONE}]),
                (5, "stranger", "<-", ["OK", ONE, True, ""]),
                (9, "owner", "<-", ["OK", ONE, True, ""]),
            )
        ]
    )
    assert [(one.count, one.p50_ms, one.max_ms) for one in found] == [(2, 4, 9)]


@pytest.mark.parametrize(
    "line", [["OK", TWO, True, ""], ["NOTICE", "x"], ["OK"], ["EVENT", "s", {"id": ONE}]]
)
def test_what_answers_nothing_measures_nothing(line):
    asked = (0, "owner", "->", ["EVENT", {"id": ONE}])
    assert latency([frames(asked, (1, "owner", "<-", line))]) == []


def test_percentiles_are_values_that_were_measured():
    found = summary([one / 1000 for one in range(1, 101)])
    shown = [found.count, found.p50_ms, found.p95_ms, found.p99_ms, found.max_ms]
    assert shown == [100, 50, 95, 99, 100]


def test_the_histogram_holds_each_sample_once_under_its_bound():
    samples = [0.0, 0.000_5, 0.001, 0.001_1, 0.01, 3.0]
    found = summary(samples).histogram
    assert sum(count for _, count in found) == len(samples)
    assert list(found) == sorted(found)
    assert (10.0, 1) in found
    for bound, _ in found[1:]:
        assert any(bound / 1.27 < one * 1000 <= bound * 1.001 for one in samples)


def test_of_nothing_there_is_no_summary():
    with pytest.raises(ValueError, match="no sample"):
        summary([])
