"""Twenty thousand mutated frames and bodies: nothing lost, no 5xx, and no growth without end."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from nip_ap.checking import fuzz
from nip_ap.nostr import PERSONA, Filter
from nip_ap.wire import ConnectionLost
from tests.relay.talking import Bridge, door_to

FRAMES, BODIES = 17_000, 3_000
SEED = 20_261_101
MOST_MEGABYTES = 300
AT_ONCE = 500


def peak_megabytes(target):
    """The most memory that a relay's process ever held."""
    status = Path(f"/proc/{target.group}/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) // 1024


@pytest.fixture
def witnesses(own_relay, persona, fresh_key):
    """Personas that have to be there at the end, byte for byte."""
    door = door_to(own_relay.url, fresh_key)
    events = [persona(f"witness-{number}").signed_by(fresh_key) for number in range(50)]
    assert all(answer.accepted for answer in door.publish_all(events))
    door.close()
    return events


@pytest.mark.slow
def test_twenty_thousand_mutations_do_no_harm(own_relay, witnesses, persona, fresh, fresh_key):
    random = Random(SEED)
    mallory = fresh()
    material = persona("material").signed_by(mallory)
    door = door_to(own_relay.url, mallory)
    frames = fuzz.frames(random, material)
    for _ in range(FRAMES // AT_ONCE):
        for frame in islice(frames, AT_ONCE):
            try:
                door.send_text(frame)
            except ConnectionLost:
                door = door_to(own_relay.url, mallory)
        if door.is_open:
            door.query([Filter.of(kinds=[PERSONA], ids=["0" * 64])])
    door.close()
    bridge = Bridge("http" + own_relay.url.removeprefix("ws"))
    for path, body in islice(fuzz.bodies(random, material), BODIES):
        answer = bridge.post(path, body, mallory)
        assert answer.status_code < 500, f"POST {path} {body!r}: {answer.text}"
    bridge.client.close()
    reader = door_to(own_relay.url, fresh_key)
    served = {event.id: event for event in reader.query([_all_of(fresh_key)]).events}
    reader.close()
    assert all(served[one.id].same_bytes_as(one) for one in witnesses)
    assert len(served) == len(witnesses)
    assert peak_megabytes(own_relay) < MOST_MEGABYTES


def _all_of(key):
    return Filter.of(kinds=[PERSONA], authors=[key.pubkey])


def test_the_corpus_does_no_harm(own_relay, witnesses, fresh, fresh_key):
    for _, payload, as_text in fuzz.corpus():
        door = door_to(own_relay.url, fresh())
        try:
            door.send_text(payload, as_text=as_text)
            door.query([Filter.of(kinds=[PERSONA], ids=["0" * 64])])
        except ConnectionLost:
            pass
        door.close()
    reader = door_to(own_relay.url, fresh_key)
    assert len(reader.query([_all_of(fresh_key)])) == len(witnesses)
    reader.close()


def test_the_same_seed_makes_the_same_input(persona, key):
    event = persona("material").signed_by(key)
    twice = [list(islice(fuzz.frames(Random(1), event), 50)) for _ in range(2)]
    assert twice[0] == twice[1]
    assert len(set(twice[0])) > 40
