"""Connections that stand ready: open, fresh, never too many, and gone at the end."""

from __future__ import annotations

import threading

import pytest

from nip_ap.wire import dialling
from nip_ap.wire.answers import Unreachable
from nip_ap.wire.dialling import Stock

LIMIT = 5


class Dialled:
    """A connection of nothing."""

    def __init__(self):
        self.is_open = True
        self.closed = threading.Event()

    def close(self):
        self.is_open = False
        self.closed.set()


class Dialler:
    """Makes connections, and tells when so many are made."""

    def __init__(self, fails=False):
        self.made = []
        self.fails = fails
        self._changed = threading.Condition()
        self.tried = 0

    def __call__(self, url):
        with self._changed:
            self.tried += 1
            self._changed.notify_all()
            if self.fails:
                raise Unreachable("nobody there")
            self.made.append(Dialled())
            return self.made[-1]

    def wait_for(self, number):
        with self._changed:
            assert self._changed.wait_for(lambda: self.tried >= number, LIMIT)


def ready(stock):
    """One out of the stock, once it is there."""
    for _ in range(1000):
        found = stock.take("ws://relay")
        if found is not None:
            return found
        threading.Event().wait(0.005)
    raise AssertionError("nothing stands ready")


def test_what_was_taken_is_dialled_again_and_no_more_than_that():
    dialler = Dialler()
    stock = Stock(dialler, 2)
    assert stock.take("ws://relay") is None
    dialler.wait_for(2)
    taken = ready(stock)
    dialler.wait_for(3)
    assert taken in dialler.made
    stock.close()
    assert len(dialler.made) == 3
    assert not taken.closed.is_set()
    assert all(one.closed.wait(LIMIT) for one in dialler.made if one is not taken)


def test_one_that_the_relay_has_closed_is_not_handed_out():
    dialler = Dialler()
    stock = Stock(dialler, 1)
    stock.take("ws://relay")
    dialler.wait_for(1)
    threading.Event().wait(0.05)
    dialler.made[0].is_open = False
    assert ready(stock) is not dialler.made[0]
    stock.close()


def test_one_that_is_not_fresh_is_not_handed_out(monkeypatch):
    monkeypatch.setattr(dialling, "_FRESH", -1.0)
    dialler = Dialler()
    stock = Stock(dialler, 1)
    assert stock.take("ws://relay") is None
    dialler.wait_for(1)
    threading.Event().wait(0.05)
    assert stock.take("ws://relay") is None
    assert dialler.made[0].closed.wait(LIMIT)
    stock.close()


def test_where_nobody_answers_whoever_needs_a_connection_finds_out():
    dialler = Dialler(fails=True)
    stock = Stock(dialler, 2)
    assert stock.take("ws://relay") is None
    dialler.wait_for(2)
    assert stock.take("ws://relay") is None
    stock.close()


@pytest.mark.parametrize("number", [1, 5])
def test_a_farewell_keeps_nobody_waiting_and_is_waited_for_at_the_end(number):
    said = dialling.Farewells()
    lines = [Dialled() for _ in range(number)]
    for one in lines:
        said.say(one)
    said.wait()
    assert all(one.closed.is_set() for one in lines)
