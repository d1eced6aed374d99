"""Where events are, by id and by address: in memory, and read anew when a database is opened.

Ids are random, so an index of them in the database puts each event on a page of its own: a page to
find, and to write at every commit. In memory that costs the same for the first event and the
millionth. It takes about 400 bytes an event.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class Index:
    """Row numbers of all events by id, and of live ones by address too."""

    def __init__(self, rows: Iterable[tuple[int, str, str | None]] = ()) -> None:
        """`rows` are (number, id, address); the address is None where the event is gone."""
        self._by_id: dict[str, int] = {}
        self._by_address: dict[str, tuple[int, ...]] = {}
        self._before: list[tuple[dict[str, Any], str, Any]] = []
        for number, identifier, address in rows:
            self.add(number, identifier, address)
        self.settle()

    def settle(self) -> None:
        """What was changed so far is durable."""
        self._before.clear()

    def undo(self) -> None:
        """Take back all that was changed since it was settled."""
        while self._before:
            table, key, value = self._before.pop()
            if value is None:
                table.pop(key, None)
            else:
                table[key] = value

    def _note(self, table: dict[str, Any], key: str) -> None:
        self._before.append((table, key, table.get(key)))

    def add(self, number: int, identifier: str, address: str | None) -> None:
        """Note an event; one that is not at an address, or not any more, has None for it."""
        self._note(self._by_id, identifier)
        self._by_id[identifier] = number
        if address is not None:
            self._note(self._by_address, address)
            self._by_address[address] = (*self._by_address.get(address, ()), number)

    def retire(self, number: int, address: str | None) -> None:
        """The event has left its address; its id stays known."""
        self._note(self._by_address, address or "")
        left = tuple(one for one in self.at(address) if one != number)
        if left:
            self._by_address[address or ""] = left
        else:
            self._by_address.pop(address or "", None)

    def forget(self, identifier: str) -> None:
        """The event was never here."""
        self._note(self._by_id, identifier)
        self._by_id.pop(identifier, None)

    def number(self, identifier: str) -> int | None:
        """The number of an event, live or gone; None where it was never stored."""
        return self._by_id.get(identifier)

    def numbers(self, identifiers: Iterable[str]) -> tuple[int, ...]:
        """The numbers of those events that are known, each once."""
        known = (self._by_id.get(one) for one in identifiers)
        return tuple(dict.fromkeys(one for one in known if one is not None))

    def at(self, address: str | None) -> tuple[int, ...]:
        """The numbers of the live events at an address."""
        return () if address is None else self._by_address.get(address, ())
