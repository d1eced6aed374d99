"""Sixty ways for a relay to do harm, each in one place. VICES holds them by name."""

from __future__ import annotations

import asyncio
import gzip
import json
import struct

from tests.hostile.relay import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Relay, framed

VICES = {}
LONG = 20 * 2**20
ZEROS = gzip.compress(bytes(200 * 2**20), 9)
FOREIGN = "f" * 64


def vice(step):
    """Register a relay that does something else at one step."""

    def register(function):
        name = function.__name__.replace("_", "-").strip("-")
        VICES[name] = type(
            function.__name__, (Relay,), {step: function, "__doc__": function.__doc__}
        )
        return function

    return register


def at_connect(function):
    return vice("connect")(function)


# -- before there is a conversation ---------------------------------------------------


@at_connect
async def accepts_and_says_nothing(self, peer):
    await peer.nothing_more()


@at_connect
async def never_reads(self, peer):
    await asyncio.Event().wait()


@at_connect
async def hangs_up_at_once(self, peer):
    pass


@at_connect
async def resets_at_once(self, peer):
    peer.reset()


@at_connect
async def speaks_another_protocol(self, peer):
    await peer.raw(b"220 mail.example ESMTP\r\n")
    await peer.nothing_more()


@at_connect
async def half_a_handshake(self, peer):
    await peer.read_head()
    await peer.raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: webso")
    await peer.nothing_more()


@at_connect
async def head_without_an_end(self, peer):
    await peer.read_head()
    await peer.raw(b"HTTP/1.1 101 Switching Protocols\r\n")
    await peer.pour(b"X-Header: " + b"x" * 100 + b"\r\n")


@at_connect
async def header_of_100_kilobytes(self, peer):
    await peer.read_head()
    await peer.http(200, b"{}", "X-Header: " + "x" * 100_000)


@at_connect
async def head_byte_by_byte(self, peer):
    await peer.read_head()
    for byte in b"HTTP/1.1 101 Switching Protocols\r\n" + b"X: y\r\n" * 100:
        await peer.raw(bytes([byte]))
        await asyncio.sleep(1)


@at_connect
async def answers_200_without_a_body(self, peer):
    await peer.read_head()
    await peer.http(200)


@at_connect
async def answers_everything_with_500(self, peer):
    await peer.read_head()
    await peer.http(500, b"oops")


@at_connect
async def redirects_to_itself(self, peer):
    await peer.read_head()
    await peer.http(302, b"", f"Location: http://{peer.headers.get('host')}/")


@at_connect
async def status_of_seven_digits(self, peer):
    await peer.read_head()
    await peer.raw(b"HTTP/1.1 1010101 Odd\r\n\r\n")


@at_connect
async def informs_without_an_end(self, peer):
    await peer.read_head()
    await peer.pour(b"HTTP/1.1 100 Continue\r\n\r\n")


@at_connect
async def answers_before_it_is_asked(self, peer):
    await peer.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" * 3)
    await peer.nothing_more()


@vice("websocket")
async def wrong_accept(self, peer):
    await peer.upgrade("bm90IHRoZSBrZXkgdGhhdCB3YXMgYXNrZWQ=")
    await peer.nothing_more()


@vice("websocket")
async def compression_that_nobody_offered(self, peer):
    await peer.upgrade(None, "Sec-WebSocket-Extensions: permessage-deflate")
    await peer.nothing_more()


@vice("websocket")
async def upgrades_and_resets(self, peer):
    await peer.upgrade()
    peer.reset()


# -- HTTP --------------------------------------------------------------------------------


@vice("information")
async def information_byte_by_byte(self, peer):
    await peer.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        await peer.raw(b" ")
        await asyncio.sleep(1)


@vice("information")
async def information_without_an_end(self, peer):
    await peer.raw(b"HTTP/1.1 200 OK\r\n\r\n")
    await peer.pour(b" " * 65_536)


@vice("information")
async def information_chunked_without_an_end(self, peer):
    await peer.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    await peer.pour(b"1000\r\n" + b" " * 4096 + b"\r\n")


@vice("information")
async def information_of_ten_megabytes(self, peer):
    document = {"name": "x" * 10_000_000, "supported_nips": [1]}
    await peer.http(200, json.dumps(document).encode())


@vice("information")
async def information_is_a_bomb(self, peer):
    await peer.http(200, ZEROS, "Content-Encoding: gzip")


@vice("information")
async def information_in_rot13(self, peer):
    body = b'{"name":"ubfgvyr"}'
    await peer.http(200, body, "Content-Type: application/nostr+json; charset=rot13")


@vice("information")
async def information_is_not_gzip_but_says_so(self, peer):
    await peer.http(200, b"{}", "Content-Encoding: gzip")


@vice("information")
async def information_is_a_list(self, peer):
    await peer.http(200, b'[{"name":"x"}]')


@vice("information")
async def information_is_deep(self, peer):
    await peer.http(200, b'{"limitation":' + b"[" * 100_000)


@vice("information")
async def information_of_wrong_types(self, peer):
    document = {
        "name": ["x"], "software": 7, "version": {}, "supported_nips": "all",
        "limitation": [1, 2], "self": 5, "contact": None, "retention": True,
    }  # fmt: skip
    await peer.http(200, json.dumps(document).encode())


@vice("information")
async def information_announces_nonsense(self, peer):
    limits = {
        "max_message_length": -1, "max_limit": "many", "max_subscriptions": 0, "max_filters": 0,
        "max_subid_length": 0, "created_at_upper_limit": "soon", "auth_required": "perhaps",
        "max_event_tags": 10**30, "default_limit": -5, "max_content_length": 0,
    }  # fmt: skip
    document = {"name": "x", "supported_nips": [None, "1", 1e9], "limitation": limits}
    await peer.http(200, json.dumps(document).encode())


@vice("information")
async def information_shorter_than_it_says(self, peer):
    await peer.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}")


@vice("information")
async def information_longer_than_it_says(self, peer):
    await peer.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" + b"x" * 1000)


@vice("information")
async def information_of_negative_length(self, peer):
    await peer.raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}")


@vice("http")
async def http_that_redirects_to_itself(self, peer):
    await peer.http(307, b"", f"Location: http://{peer.headers.get('host')}/query")


# -- frames --------------------------------------------------------------------------------


@vice("greet")
async def resets_after_the_first_frame(self, peer):
    await peer.say("NOTICE", "welcome")
    peer.reset()


@vice("greet")
async def announces_a_terabyte(self, peer):
    await peer.raw(framed(b'["NOTICE","', announced=2**40))
    await peer.pour(b"x" * 65_536)


@vice("greet")
async def announces_more_than_there_is(self, peer):
    await peer.raw(framed(b"", announced=2**63 - 1))
    await peer.nothing_more()


@vice("greet")
async def fragments_without_an_end(self, peer):
    await peer.raw(framed(b'["NOTICE","', TEXT, fin=False))
    await peer.pour(framed(b"x" * 1000, CONTINUATION, fin=False))


@vice("greet")
async def empty_fragments_without_an_end(self, peer):
    await peer.raw(framed(b'["NOTICE","', TEXT, fin=False))
    await peer.pour(framed(b"", CONTINUATION, fin=False) * 1000)


@vice("greet")
async def frames_byte_by_byte(self, peer):
    for byte in framed(json.dumps(["NOTICE", "x" * 100]).encode()):
        await peer.raw(bytes([byte]))
        await asyncio.sleep(1)


@vice("greet")
async def pings_without_an_end(self, peer):
    await peer.pour(framed(b"ping", PING) * 1000)


@vice("greet")
async def pings_and_never_reads(self, peer):
    peer.reader._transport.pause_reading()
    while True:
        await peer.raw(framed(b"p" * 125, PING))


@vice("greet")
async def pongs_without_an_end(self, peer):
    await peer.pour(framed(b"pong", PONG) * 1000)


@vice("greet")
async def reserved_bits(self, peer):
    await peer.raw(b"\xf1\x02[]")
    await peer.nothing_more()


@vice("greet")
async def unknown_opcode(self, peer):
    await peer.raw(framed(b"[]", 5))
    await peer.nothing_more()


@vice("greet")
async def masked_frames(self, peer):
    await peer.raw(b"\x81\x82\x00\x00\x00\x00[]")
    await peer.nothing_more()


@vice("greet")
async def text_that_is_not_utf8(self, peer):
    await peer.frame(b'["NOTICE","\xff\xfe"]')
    await peer.nothing_more()


@vice("greet")
async def closes_with_an_odd_code(self, peer):
    await peer.frame(struct.pack("!H", 999) + b"odd", CLOSE)
    await peer.nothing_more()


@vice("greet")
async def closes_with_an_unfinished_reason(self, peer):
    await peer.frame(struct.pack("!H", 1000) + b"\xc3", CLOSE)
    await peer.nothing_more()


# -- messages --------------------------------------------------------------------------------


@vice("greet")
async def notices_without_an_end(self, peer):
    await peer.pour(framed(b'["NOTICE","hello"]') * 1000)


@vice("greet")
async def foreign_oks_without_an_end(self, peer):
    await peer.pour(framed(json.dumps(["OK", FOREIGN, True, ""]).encode()) * 100)


@vice("send_stored")
async def stored_events_without_an_end(self, peer, name, event):
    await peer.pour(framed(json.dumps(["EVENT", name, event]).encode()) * 100)


@vice("eose")
async def events_after_eose_without_an_end(self, peer, name):
    await peer.say("EOSE", name)
    for event in self.found([{}])[:1]:
        await peer.pour(framed(json.dumps(["EVENT", name, event]).encode()) * 100)


@vice("deliver")
async def live_events_without_an_end(self, event):
    peer, asked = next(iter(self.subscriptions.items()), (None, {}))
    for name in asked:
        await peer.pour(framed(json.dumps(["EVENT", name, event]).encode()) * 100)


@vice("ok")
async def ok_text_of_20_megabytes(self, peer, event, accepted, message):
    await peer.say("OK", event["id"], accepted, "x" * LONG)


@vice("ok")
async def ok_with_a_number_for_its_text(self, peer, event, accepted, message):
    await peer.say("OK", event["id"], accepted, 7)


@vice("ok")
async def ok_with_a_text_for_its_verdict(self, peer, event, accepted, message):
    await peer.say("OK", event["id"], "true", message)


@vice("ok")
async def ok_without_an_id(self, peer, event, accepted, message):
    await peer.say("OK", None, accepted, message)


@vice("ok")
async def ok_twice_and_both_ways(self, peer, event, accepted, message):
    await peer.say("OK", event["id"], accepted, message)
    await peer.say("OK", event["id"], not accepted, message)


@vice("ok")
async def ok_in_a_binary_frame(self, peer, event, accepted, message):
    await peer.frame(json.dumps(["OK", event["id"], accepted, message]).encode(), BINARY)


@vice("eose")
async def eose_for_another(self, peer, name):
    await peer.say("EOSE", "somebody-else")


@vice("eose")
async def closed_with_an_object(self, peer, name):
    await peer.say("CLOSED", name, {"reason": ["full"]})


@vice("send_stored")
async def serves_what_is_no_event(self, peer, name, event):
    for value in (None, [], "event", 5, {**event, "tags": "none"}, {**event, "kind": 2**70}):
        await peer.say("EVENT", name, value)


@vice("send_stored")
async def nested_a_hundred_thousand_deep(self, peer, name, event):
    await peer.frame(b'["EVENT","' + name.encode() + b'",' + b"[" * 100_000 + b"]" * 100_000 + b"]")


@vice("send_stored")
async def not_a_number(self, peer, name, event):
    await peer.frame(json.dumps(["EVENT", name, {**event, "created_at": float("nan")}]).encode())


@vice("send_stored")
async def duplicate_keys(self, peer, name, event):
    text = json.dumps(event)[:-1] + ',"id":"x","id":7}'
    await peer.frame(f'["EVENT","{name}",{text}]'.encode())


@vice("send_stored")
async def lone_surrogates(self, peer, name, event):
    text = json.dumps({**event, "content": "SURROGATE"}).replace("SURROGATE", "\\ud800")
    await peer.frame(f'["EVENT","{name}",{text}]'.encode())


@vice("send_stored")
async def control_characters_for_the_terminal(self, peer, name, event):
    await peer.say("NOTICE", "\x1b[2J\x1b]0;owned\x07\u202eevil\x00")
    await peer.say("EVENT", name, event)


@vice("greet")
async def challenge_of_a_megabyte(self, peer):
    await peer.say("AUTH", "x" * 1_000_000)


@vice("greet")
async def a_thousand_challenges(self, peer):
    for number in range(1000):
        await peer.say("AUTH", f"challenge-{number}")


@vice("greet")
async def challenges_that_are_none(self, peer):
    for value in (None, 7, [], {}, ""):
        await peer.say("AUTH", value)
    await peer.frame(b'["AUTH"]')


@vice("heard")
async def hangs_up_on_every_message(self, peer, text):
    peer.reset()


@vice("heard")
async def says_nothing_to_any_message(self, peer, text):
    pass


@vice("heard")
async def echoes_every_message(self, peer, text):
    await peer.frame(text.encode())


@vice("heard")
async def answers_in_nonsense(self, peer, text):
    for value in (b"", b"{}", b"[]", b"[[]]", b"null", b'["OK"]', b'["EOSE"]', b'["EVENT","x"]'):
        await peer.frame(value)
