"""F05 in full: kill -9 at random moments, and nothing is lost or signed twice in the end."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from nip_ap.clients.claims import heads_are_there, many
from nip_ap.clients.device import Device
from nip_ap.clients.stub import shared_stub
from nip_ap.nostr import SecretKey
from nip_ap.wire import Transcript
from tests.client.test_stub import COMMAND

SEEDS, KILLS, PERSONAS = 10, 20, 200


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEEDS))
def test_twenty_kills_lose_nothing(tmp_path: Path, seed: int) -> None:
    stub = shared_stub()
    stub.reset()
    moments = random.Random(seed)
    base, key_file = tmp_path / "agents", tmp_path / "key"
    base.mkdir()
    key = SecretKey.derived("kill", str(seed))
    key_file.write_text(key.secret_hex())
    device = Device("laptop", base, key, key_file, COMMAND, "", stub, Transcript())
    records = many(PERSONAS, str(seed))
    device.has(records)
    killed = 0
    for _ in range(KILLS):
        killed += device.starts().killed(after=moments.uniform(0.1, 0.6)).code is None
    assert killed >= KILLS // 4, "too few runs were cut short to say anything"
    assert device.runs().code == 0
    assert len(device.heads()) == PERSONAS
    heads_are_there(device, records)
    assert all(len(stub.ids(one["id"])) == 1 for one in records), "an id was signed twice"
    before = stub.ids()
    assert device.runs().code == 0
    assert stub.ids() == before
