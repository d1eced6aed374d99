"""COUNT in SQL with the gate included: no row is fetched to be counted.

It holds for a relay whose rules of reading depend on what the store has in columns. A rogue that
overrides one of them may look at anything of a row, so that its rows are counted one by one
(query.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nip_ap_relay.policy import Policy
from nip_ap_relay.store import Condition, Store

_LOOKS_AT_ROWS = (
    "may_read",
    "may_read_addressed",
    "passes_the_sharing_gate",
    "lets_in",
    "tag_comparison",
    "total",
    "count",
)
"""Rules that are asked about single rows, or about all of them."""

_FOR_EVERYBODY = Condition("readers IS NULL", ())

_WITH_SEVERAL_READERS = "SELECT number FROM events WHERE gone = 0 AND instr(readers, ' ')"
"""They are few, and in an index of their own."""


def can_count_in_sql(policy: Policy) -> bool:
    """Whether a relay reads by the rules as they are."""
    return all(getattr(type(policy), name) is getattr(Policy, name) for name in _LOOKS_AT_ROWS)


def counted(
    store: Store,
    filters: Sequence[Condition],
    reader: str | None,
    may_find_in: Callable[[str], bool],
) -> int:
    """How many distinct events meet one of the filters and may be read by the reader.

    `may_find_in` says of a channel whether the reader finds its messages.
    """
    if not filters:
        return 0
    wanted = _any_of(filters)
    found = 0
    for gate in _gates(reader):
        met = _all_of(wanted, gate)
        found += store.count_versions(f"{met.sql} AND channel IS NULL", met.values)
        found += sum(
            number for channel, number in store.count_by_channel(met) if may_find_in(channel)
        )
    return found


def _gates(reader: str | None) -> list[Condition]:
    """Who may read an event, as conditions of which an event meets one at most (audience.py).

    Each of them is found in an index; their disjunction would be looked up row by row.
    """
    if reader is None:
        return [_FOR_EVERYBODY]
    return [
        _FOR_EVERYBODY,
        Condition("readers = ?", (reader,)),
        Condition(f"number IN ({_WITH_SEVERAL_READERS}) AND instr(readers, ?)", (reader,)),
    ]


def _any_of(conditions: Sequence[Condition]) -> Condition:
    if len(conditions) == 1:
        return conditions[0]
    sql = " OR ".join(f"({one.sql})" for one in conditions)
    return Condition(f"({sql})", tuple(value for one in conditions for value in one.values))


def _all_of(*conditions: Condition) -> Condition:
    sql = " AND ".join(one.sql for one in conditions)
    return Condition(sql, tuple(value for one in conditions for value in one.values))
