"""Messages of a relay, read from text: what each is, and what is none."""

from __future__ import annotations

import ast
from pathlib import Path

import orjson
import pytest

from nip_ap.nostr import Draft, MalformedEvent, SecretKey
from nip_ap.nostr.message import (
    AuthMessage,
    ClosedMessage,
    CountMessage,
    EoseMessage,
    EventMessage,
    NoticeMessage,
    OkMessage,
    UnknownMessage,
    read_message,
    subscription_of,
)

ROOT = Path(__file__).parents[2]
EVENT = Draft(30175, 1, (("d", "x"),), "{}").signed_by(SecretKey.derived("message", "key"))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (["EVENT", "s", {"id": "x"}], EventMessage("s", {"id": "x"})),
        (["OK", "i", True, ""], OkMessage("i", True, "")),
        (["OK", "i", False, "invalid: no"], OkMessage("i", False, "invalid: no")),
        (["OK", "i", True], OkMessage("i", True, "")),
        (["EOSE", "s"], EoseMessage("s")),
        (["EOSE", "s", "more"], EoseMessage("s")),
        (["CLOSED", "s", "error: x"], ClosedMessage("s", "error: x")),
        (["CLOSED", "s"], ClosedMessage("s", "")),
        (["COUNT", "s", {"count": 3}], CountMessage("s", 3)),
        (["COUNT", "s", {"count": 3, "approximate": True}], CountMessage("s", 3, approximate=True)),
        (["NOTICE", "hello"], NoticeMessage("hello")),
        (["AUTH", "challenge"], AuthMessage("challenge")),
    ],
)
def test_a_message_of_a_relay_is_read(value, message):
    assert read_message(orjson.dumps(value)) == message


@pytest.mark.parametrize(
    ("value", "accepted", "event_id", "said"),
    [
        (["OK", "i", True, 7], True, "i", "the text of an OK is a string, and not 7"),
        (["OK", "i", "true", ""], False, "i", 'true or false, and not "true"'),
        (["OK", "i", 1, ""], False, "i", "true or false, and not 1"),
        (["OK", None, False, "x"], False, "", "names the id of an event, and not null"),
        (["OK", ["i"], False, "x"], False, "", 'names the id of an event, and not ["i"]'),
    ],
)
def test_an_ok_that_departs_from_its_form_is_read_and_says_so(value, accepted, event_id, said):
    message = read_message(orjson.dumps(value))
    assert isinstance(message, OkMessage)
    assert (message.accepted, message.event_id) == (accepted, event_id)
    assert said in message.fault


def test_a_closed_and_a_notice_with_an_object_are_read_and_say_so():
    closed = read_message(b'["CLOSED","s",{"reason":"full"}]')
    assert closed == ClosedMessage("s", '{"reason":"full"}', closed.fault)
    assert "a string" in closed.fault
    notice = read_message(b'["NOTICE",{"a":1}]')
    assert notice == NoticeMessage('{"a":1}', notice.fault)
    assert "a string" in notice.fault


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON"),
        ("nonsense", "not JSON"),
        ('["EOSE",NaN]', "not JSON"),
        ('["NOTICE","\\ud800"]', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("{}", "not a JSON array"),
        ("[]", "not a JSON array"),
        ("[1]", "not a JSON array"),
        ('["HELLO","x"]', "'HELLO' is not a verb"),
        ('["EVENT","s"]', "something is missing"),
        ('["EVENT",["s"],{}]', "a subscription id is a string"),
        ('["EOSE",7]', "a subscription id is a string, and not 7"),
        ('["COUNT","s",{}]', "something is missing"),
        ('["COUNT","s",[]]', "COUNT: "),
        ('["COUNT","s",{"count":true}]', "a count is a whole number"),
        ('["COUNT","s",{"count":-1}]', "a count is a whole number"),
        ('["AUTH",1]', "a challenge is a string"),
        ('["OK"]', "something is missing"),
    ],
)
def test_what_is_no_message_comes_back_with_the_reason(text, why):
    message = read_message(text)
    assert isinstance(message, UnknownMessage)
    assert why in message.why


def test_bytes_that_are_not_utf8_are_no_message():
    message = read_message(b'["NOTICE","\xff"]')
    assert isinstance(message, UnknownMessage)
    assert "not JSON" in message.why


def test_whether_it_is_an_event_is_asked_of_the_message():
    assert EventMessage("s", EVENT.to_json()).event() == EVENT
    assert EventMessage("s", EVENT.to_json()).event_id == EVENT.id
    with pytest.raises(MalformedEvent, match="tags"):
        EventMessage("s", EVENT.to_json() | {"tags": "none"}).event()
    assert EventMessage("s", [EVENT.id]).event_id == ""


def test_messages_about_a_subscription_name_it():
    about = [["EVENT", "s", {}], ["EOSE", "s"], ["CLOSED", "s", ""], ["COUNT", "s", {"count": 0}]]
    assert {subscription_of(read_message(orjson.dumps(one))) for one in about} == {"s"}
    others = [["OK", "s", True, ""], ["NOTICE", "s"], ["AUTH", "s"], ["HELLO", "s"]]
    assert {subscription_of(read_message(orjson.dumps(one))) for one in others} == {None}


def test_nothing_else_reads_the_verbs_of_a_relay():
    """EOSE, CLOSED and NOTICE are words that no other module compares anything with."""
    places = ["conformance", "reference_client", "benchmarks", "peers"]
    modules = [path for place in places for path in (ROOT / place).rglob("*.py")]
    assert [str(path) for path in modules if {"EOSE", "CLOSED", "NOTICE"} & _compared(path)] == []


def test_a_module_that_compares_a_verb_would_be_found(tmp_path):
    module = tmp_path / "reader.py"
    module.write_text('def f(x):\n    return x[0] in ("OK", "EOSE")\n')
    assert "EOSE" in _compared(module)


def _compared(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    compared = [one for one in ast.walk(tree) if isinstance(one, (ast.Compare, ast.match_case))]
    return {
        node.value
        for one in compared
        for node in ast.walk(one.pattern if isinstance(one, ast.match_case) else one)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
