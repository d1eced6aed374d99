"""The URL of a relay: one value for each spelling, and a sentence for what cannot be spoken to."""

from __future__ import annotations

import pytest

from nip_ap.model.relay_url import RelayUrl, relay_url


@pytest.mark.parametrize(
    ("given", "spelling", "http"),
    [
        ("ws://localhost:7175", "ws://localhost:7175", "http://localhost:7175"),
        (" ws://localhost:7175\n", "ws://localhost:7175", "http://localhost:7175"),
        ("WSS://Relay.Example.COM", "wss://relay.example.com", "https://relay.example.com"),
        ("wss://relay.example:443/", "wss://relay.example", "https://relay.example"),
        ("ws://relay.example:80", "ws://relay.example", "http://relay.example"),
        ("ws://relay.example:443", "ws://relay.example:443", "http://relay.example:443"),
        ("ws://relay.example:", "ws://relay.example", "http://relay.example"),
        ("ws://127.1:7175", "ws://127.0.0.1:7175", "http://127.0.0.1:7175"),
        ("ws://0x7f.1:1", "ws://127.0.0.1:1", "http://127.0.0.1:1"),
        ("ws://[::1]:7175", "ws://[::1]:7175", "http://[::1]:7175"),
        ("ws://[0:0:0:0:0:0:0:1]/", "ws://[::1]", "http://[::1]"),
        ("wss://x/Nostr/Relay", "wss://x/Nostr/Relay", "https://x/Nostr/Relay"),
        ("ws://x/a b".replace(" ", "%20"), "ws://x/a%20b", "http://x/a%20b"),
        ("ws://x/ä", "ws://x/%C3%A4", "http://x/%C3%A4"),
        ("ws://bücher.example", "ws://xn--bcher-kva.example", "http://xn--bcher-kva.example"),
        ("ws://relay_1.svc.local.", "ws://relay_1.svc.local.", "http://relay_1.svc.local."),
        ("ws://x?", "ws://x", "http://x"),
    ],
)
def test_a_url_has_one_spelling_and_an_http_address(given, spelling, http):
    found = RelayUrl.parse(given)
    assert (str(found), found.http) == (spelling, http)
    assert RelayUrl.parse(str(found)) == found


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("", "begin with ws:// or wss://"),
        ("localhost:7175", "begin with ws:// or wss://"),
        ("http://127.0.0.1", "begin with ws:// or wss://"),
        ("ws://", "names no host"),
        ("ws://:7175", "names no host"),
        ("ws://127.0.0.1:78020", "the port"),
        ("ws://127.0.0.1:0", "port 0"),
        ("ws://127.0.0.1:abc", "the port"),
        ("ws://127.0.0.1:-1", "the port"),
        ("ws://::1:7175", "in brackets"),
        ("ws://[::1", "in brackets"),
        ("ws://[fe80::1%eth0]:1", "zone"),
        ("ws://256.0.0.1", "not an IPv4 address"),
        ("ws://1.2.3.4.5", "not an IPv4 address"),
        ("ws://relay.1", "not an IPv4 address"),
        ("ws://a..b", "host name"),
        ("ws://-a", "not a host name"),
        (f"ws://{'a' * 64}.example", "host name"),
        ("ws://two words", "a space"),
        ("ws://x/\x00", "no text"),
        ("ws://x/\udcff", "no text"),
        ("ws://x?token=1", "a query"),
        ("ws://x/y#here", "a fragment"),
        ("ws://user:hunter22@x", "user name"),
        ("ws://user@x", "user name"),
    ],
)
def test_what_cannot_be_spoken_to_is_said(given, why):
    with pytest.raises(ValueError, match=why) as caught:
        relay_url(given)
    assert str(caught.value).isascii()
    assert "hunter22" not in str(caught.value)


def test_a_password_is_not_repeated_whatever_else_is_wrong():
    with pytest.raises(ValueError, match="begin with") as caught:
        relay_url("http://user:hunter22@x")
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("ws://localhost", True),
        ("ws://127.9.9.9", True),
        ("ws://127.1", True),
        ("ws://[::1]", True),
        ("ws://10.0.0.1", False),
        ("ws://localhost.example", False),
    ],
)
def test_loopback(given, expected):
    assert RelayUrl.parse(given).is_loopback is expected
