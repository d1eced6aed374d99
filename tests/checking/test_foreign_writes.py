"""What somebody else wrote under a check's own keys is noticed, and nothing else is."""

from __future__ import annotations

import orjson

from nip_ap.checking.foreign_writes import foreign_write
from nip_ap.model.frame import Frame
from nip_ap.nostr import Draft, SecretKey

KEY, OTHER = SecretKey.derived("foreign", "own"), SecretKey.derived("foreign", "other")
OWN = Draft(30175, 5, (("d", "own"),), "{}").signed_by(KEY)
FOREIGN = Draft(30175, 6, (("d", "foreign"),), "{}").signed_by(KEY)


def sent(event):
    return Frame(0.0, "owner", "ws", "sent", orjson.dumps(["EVENT", event.to_json()]).decode(), 1)


def came(event):
    text = orjson.dumps(["EVENT", "s", event.to_json()]).decode()
    return Frame(0.0, "owner", "ws", "received", text, 1)


def over_http(*events):
    text = "HTTP 200 " + orjson.dumps([one.to_json() for one in events]).decode()
    return Frame(0.0, "owner", "http", "received", text, 1)


def test_what_the_check_sent_is_its_own():
    assert foreign_write([sent(OWN), came(OWN), over_http(OWN)], {KEY.pubkey}) is None


def test_what_came_and_was_never_sent_is_foreign_at_both_doors():
    assert foreign_write([sent(OWN), came(OWN), came(FOREIGN)], {KEY.pubkey}) == FOREIGN
    assert foreign_write([sent(OWN), over_http(OWN, FOREIGN)], {KEY.pubkey}) == FOREIGN


def test_what_the_relay_made_of_an_event_is_not_foreign():
    changed = OWN.altered(id="0" * 64)
    assert foreign_write([sent(OWN), came(changed)], {KEY.pubkey}) is None


def test_the_events_of_other_keys_are_nobodys_business():
    assert foreign_write([came(OWN.resigned(OTHER))], {KEY.pubkey}) is None
    assert foreign_write([Frame(0.0, "o", "ws", "received", "nonsense", 1)], {KEY.pubkey}) is None
