"""Gift wraps (NIP-59) as values: signed by a key made for one event, addressed by a `p` tag."""

from __future__ import annotations

from nip_ap.nostr.event import Draft, Event
from nip_ap.nostr.filter import Filter
from nip_ap.nostr.keys import SecretKey

GIFT_WRAP, EPHEMERAL_GIFT_WRAP = 1059, 21059


def gift_wrap(
    one_time_key: SecretKey, recipient: str, *, at: int, text: str = "", kind: int = GIFT_WRAP
) -> Event:
    """A wrap for one recipient, dated `at`. The text stands for what would be encrypted."""
    return Draft(kind, at, (("p", recipient),), text).signed_by(one_time_key)


def addressed_to(*pubkeys: str, kind: int = GIFT_WRAP) -> Filter:
    """The filter for what is addressed to these keys; a relay owes it to one key, about itself."""
    return Filter.of(kinds=[kind], tags={"p": pubkeys})
