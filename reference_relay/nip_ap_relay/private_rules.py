"""The rules of what is addressed to somebody: who may write it, ask for it and read it (NIP-59).

Such kinds are for those whom their `p` tags name (audience.py, ADDRESSED). An event is asked about
at every surface by `may_read_addressed`, a question by `private_read_refusal`.
"""

from __future__ import annotations

from collections.abc import Iterable

from nip_ap.nostr import Filter
from nip_ap.nostr.direct_message import HIDDEN_DIRECT_MESSAGES
from nip_ap.nostr.gift_wrap import EPHEMERAL_GIFT_WRAP, GIFT_WRAP
from nip_ap_relay.audience import ADDRESSED, is_reader
from nip_ap_relay.store import Row
from nip_ap_relay.submission import Caller


class PrivateRules:
    """The rules of addressed events, each a method that a rogue can override."""

    def has_a_one_time_author(self, kind: int) -> bool:
        """Gift wraps are signed by a key that nobody authenticates with."""
        return kind in (GIFT_WRAP, EPHEMERAL_GIFT_WRAP)

    def may_read_addressed(self, row: Row, reader: str | None, surface: str) -> bool:
        """Those alone whom a `p` tag names: not the author, whose key may be for one event."""
        return is_reader(row.readers, reader)

    def private_read_refusal(self, filters: Iterable[Filter], caller: Caller) -> str | None:
        """Who names such a kind has to ask for what is addressed to them alone.

        Other filters may find such events too; these are withheld one by one.
        """
        if all(self.asks_for_its_own(one, caller.pubkey) for one in filters):
            return None
        if caller.pubkey is None:
            return "auth-required: not authenticated"
        return "restricted: p-gated events require #p matching your pubkey"

    def asks_for_its_own(self, one: Filter, reader: str | None) -> bool:
        """Whether a filter names its reader alone, or no kind that asks for that.

        Events named by their ids may be asked for: those that are not for the reader do not come.
        """
        named = set(ADDRESSED) & set(one.kinds or ())
        by_id = one.ids is not None and not named & self.never_asked_for_by_id()
        return not named or by_id or one.tags.get("p") == (reader,)

    def never_asked_for_by_id(self) -> frozenset[int]:
        """Kinds that are refused without `#p` even where ids are named."""
        return frozenset((HIDDEN_DIRECT_MESSAGES,))
