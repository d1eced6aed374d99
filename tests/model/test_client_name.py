"""What a client is called in reports and certificates."""

from __future__ import annotations

import pytest

from nip_ap.model.client_name import client_name


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("nip-ap personas --relay {relay} --owner {owner}", "nip-ap personas"),
        ("node --experimental-websocket /a/b/read.mjs {relay} {owner}", "node read.mjs"),
        ("/opt/mine/reader {relay} verbose", "reader"),
        ("a b c d {relay}", "a b"),
        ("'not closed {relay}", "'not closed"),
        ("", ""),
    ],
)
def test_a_client_is_called_by_what_stands_before_the_first_placeholder(
    command: str, name: str
) -> None:
    assert client_name(command) == name
