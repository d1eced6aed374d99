"""The reader over answers in memory: pages, order of believing, and what people are shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from nip_ap.nostr import DELETION, PERSONA, Draft, Event, Filter, SecretKey
from nip_ap_client.personas_command import listed, personas
from nip_ap_client.reader import Reader
from nip_ap_client.source import Answered

OWNER = SecretKey.derived("tests", "owner")
OTHER = SecretKey.derived("tests", "other")
NOW = 1_800_000_000


def head(
    slug: str,
    name: str,
    at: int = 0,
    *,
    key: SecretKey = OWNER,
    shared: bool = False,
    **more: object,
) -> Event:
    body = {"display_name": name, "system_prompt": "You help.", **more}
    tags = (("d", slug), ("shared", "true")) if shared else (("d", slug),)
    return Draft(PERSONA, NOW + at, tags, json.dumps(body)).signed_by(OWNER)


class Answers:
    """A relay that answers a filter with the newest that match, at most `page` of them."""

    def __init__(self, events: Sequence[Event], page: int = 500) -> None:
        self.events = sorted(events, key=lambda one: one.order)
        self.page = page
        self.asked: list[Filter] = []

    def ask(self, wanted: Filter) -> Answered:
        self.asked.append(wanted)
        return Answered(tuple(one for one in self.events if wanted.matches(one))[: self.page])


def shown(*events: Event, page: int = 500, **more: str) -> dict[str, str]:
    found = Reader(Answers(events, page), owner=OWNER.pubkey, **more).run()
    return {one.slug: one.display_name for one in found.personas}


@pytest.mark.parametrize("page", [1, 2, 7, 50])
def test_pages_are_read_to_the_end_also_where_seconds_are_shared(page: int) -> None:
    heads = [head(f"p-{number}", f"P {number}", -(number // page)) for number in range(40)]
    assert len(shown(*heads, page=page + 1)) == 40


def test_a_second_that_fills_a_page_is_stepped_over_and_told() -> None:
    heads = [head(f"p-{number}", "P") for number in range(10)]
    older = head("older", "Older", -50)
    found = Reader(Answers([*heads, older], 4), owner=OWNER.pubkey).run()
    assert found.personas[0].slug == "older"
    assert len(found.personas) == 5
    assert "share one second" in found.trouble
    assert Reader(Answers([*heads, older], 50), owner=OWNER.pubkey).run().trouble == ""


def test_every_filter_names_author_and_kind() -> None:
    source = Answers([head("a", "A")])
    Reader(source, owner=OWNER.pubkey).run()
    assert {(one.authors, one.kinds) for one in source.asked} == {
        ((OWNER.pubkey,), (PERSONA,)),
        ((OWNER.pubkey,), (DELETION,)),
    }


def test_another_s_personas_are_those_that_are_shared() -> None:
    events = (head("open", "Open", shared=True), head("closed", "Closed"))
    assert set(shown(*events)) == {"open", "closed"}
    assert set(shown(*events, viewer=OWNER.pubkey)) == {"open", "closed"}
    assert set(shown(*events, viewer=OTHER.pubkey)) == {"open"}


@pytest.mark.parametrize(
    ("command", "is_portable"),
    [
        ("buzz-acp", True),
        ("buzz-goose-acp", True),
        (f"buzz-{'x' * 246}-acp", True),
        (f"buzz-{'x' * 247}-acp", False),
        ("buzz--acp", False),
        ("buzz-a b-acp", False),
        ("buzz-\u00e4-acp", False),
        ("buzz-acp\n", False),
        ("/bin/buzz-acp", False),
        ("", False),
        (7, False),
    ],
)
def test_which_commands_are_portable(command: object, is_portable: bool) -> None:
    event = head("a", "A", shared=True, acp_command=command)
    assert bool(shown(event, viewer=OTHER.pubkey)) is is_portable
    assert shown(event, viewer=OWNER.pubkey) == {"a": "A"}


def test_what_people_are_shown_drives_no_terminal() -> None:
    odd = head("odd", "\x1b[2J\u202e::error::Red", shared=True)
    text = listed(Reader(Answers([odd]), owner=OWNER.pubkey).run(), whole=True)
    assert text.isascii()
    assert "\x1b" not in text
    assert "You help." in text


def test_a_mistake_of_a_user_is_explained() -> None:
    def said(*words: str) -> str:
        done = CliRunner().invoke(personas, ["--relay", "ws://127.0.0.1:1", *words])
        assert done.exit_code != 0
        assert "Traceback" not in done.output
        return done.output

    assert "npub1... or 64 hex digits" in said("--owner", "me")
    assert "secret key" in said("--owner", "nsec1abc")
    assert "choose one" in said("--owner", OWNER.pubkey, "--diff", OTHER.pubkey, "--since", "1")
    assert "is no time" in said("--owner", OWNER.pubkey, "--since", "soon")
    assert "cannot be reached" in said("--owner", OWNER.pubkey)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(OWNER.secret_hex())
    path.chmod(0o644)
    given = ["--relay", "ws://127.0.0.1:1", "--owner", OWNER.pubkey, "--key-file", str(path)]
    assert "chmod 600" in CliRunner().invoke(personas, given).output
