"""Ways to tamper with a certified run, made rather than listed: each field, each kind of damage.

Whoever tampers is the issuer: all is signed again with the right key and the tags that the content
gives, and report.json is changed alike where it says the same.
"""

from __future__ import annotations

import copy as copying
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

PREFLIGHT = "transcripts/preflight.jsonl"
ONE = "AP-SLUG-03/a_persona_without_d_is_refused[ws]"
OTHER = "AP-SLUG-02/an_empty_slug_is_refused[ws]"

FIELDS = (
    *(("format",), ("suite",), ("run",), ("target",), ("capabilities",), ("verdict",)),
    *(("level",), ("checks",), ("not_judged_again",), ("preflight_sha256",)),
    ("transcripts_sha256",),
    *(("suite", name) for name in ("name", "version", "code_sha256", "register_sha256")),
    *(("run", name) for name in ("seed", "started", "seconds", "python", "hypothesis", "spec")),
    *(("run", name) for name in ("settings", "abilities", "given_keys")),
    *(("target", name) for name in ("url", "kind", "bundled", "name", "software", "version")),
    ("target", "information_sha256"),
    *(("run", "settings", name) for name in ("seed", "spec", "examples", "strict", "claims")),
)
"""Every field that has to be there, by its place."""

BOUNDLESS = ("examples", "publishers", "subscribers", "load_events", "load_seconds", "kills")


@dataclass(frozen=True)
class Tampering:
    """One way; `reason` is part of the sentence with which it is refused."""

    name: str
    apply: Callable[[Any], None]
    reason: str


def tamperings() -> Iterator[Tampering]:
    """All of them."""
    for place in FIELDS:
        name = ".".join(place)
        yield Tampering(f"{name} removed", _edited(place, _removed), "")
        yield Tampering(f"{name} retyped", _edited(place, _retyped), "")
    for name in BOUNDLESS:
        setting = ("run", "settings", name)
        yield Tampering(f"{name} boundless", _edited(setting, _set(10**9)), "is the most that can")
        yield Tampering(f"{name} negative", _edited(setting, _set(-5)), "is the most that can")
    for name, value in (("migrator", "sh -c id"), ("keys", "/dev/zero"), ("repeat", 100_000)):
        yield Tampering(
            f"{name} among the settings",
            _edited(("run", "settings", name), _set(value)),
            f"the setting {name}: a certificate of this suite never has it",
        )
    for name in ("name", "software", "version"):
        yield Tampering(
            f"another {name}, in the report too",
            _of_another_relay(name, "a better one"),
            f"the {name} 'a better one' was signed, and the recorded NIP-11 document gives",
        )
        yield Tampering(f"no {name}, in the report too", _of_another_relay(name, None), "none was")
    yield Tampering(
        "another NIP-11 document, in the report too",
        _of_another_relay("information_sha256", "0" * 64),
        "the digest of the NIP-11 document '000",
    )
    yield Tampering(
        "another URL, in the report too",
        _of_another_relay("url", "wss://relay.example.com"),
        "judged again, the preflight does not agree",
    )
    yield Tampering(
        "a URL in another spelling",
        _of_another_relay("url", "WS://LOCALHOST:80/"),
        "is written by the suite as",
    )
    yield Tampering("another kind of target", _of_another_relay("kind", "url"), "with `bundled`")
    for text in ("0001-01-01", "9999-12-31T23:59:59-23:59", "2026-13-40T00:00:00+00:00", "now"):
        yield Tampering(
            f"started {text}", _edited(("run", "started"), _set(text)), "no time that can be read"
        )
    yield Tampering(
        "started long ago", _edited(("run", "started"), _set("0001-01-01T00:00:00+00:00")), "before"
    )
    yield Tampering("a field of its own", _edited(("praise",), _set("x")), "`praise`: this suite")
    yield Tampering("checks shuffled", _edited(("checks",), _reversed), "in the order of their ids")
    yield Tampering("300,000 checks", _many_checks, "larger than")
    yield Tampering("6,000 checks", _checks(6000), "no suite has more than")
    yield Tampering("2,000 checks", _checks(2000), "more than one verdict")
    yield Tampering("a setting twice", _setting_twice, "'x' is there more than once")
    yield Tampering("a key twice", _key_twice, "more than once in one object")
    yield Tampering("nested deeply", _nested, "it is not JSON")
    yield Tampering("spelled with spaces", _spaced, "in another spelling")
    yield Tampering("a tag more", _tag_more, "its tags are not those")
    yield from _of_files()
    yield from _of_the_report()


def _of_files() -> Iterator[Tampering]:
    def signed(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Any], None]:
        def apply(copy: Any) -> None:
            lines = copy.transcript(ONE).read_bytes().splitlines(keepends=True)
            copy.rewrites(copy.transcript(ONE), b"".join(change(lines)))

        return apply

    not_signed = f"{ONE}: the transcript is not the one that was signed"
    yield Tampering("a transcript cut", signed(lambda lines: lines[:-1]), not_signed)
    yield Tampering("a transcript reordered", signed(lambda lines: lines[::-1]), not_signed)
    yield Tampering("a frame twice", signed(lambda lines: [*lines, lines[-1]]), not_signed)
    yield Tampering("a transcript emptied", signed(lambda lines: []), not_signed)
    yield Tampering("one transcript for two checks", _one_for_two, f"it is that of {OTHER}")
    yield Tampering("a transcript that is a link", _linked, "is a symbolic link")
    yield Tampering("a folder that is a link", _folder_linked, "is a symbolic link")
    yield Tampering("a clock that reads no time", _clock("x"), "which is not a time")
    yield Tampering("a clock that reads too much", _clock("9" * 5000), "which is not a time")
    yield Tampering("a clock of another year", _clock("1"), "outside the run's time")
    yield Tampering("a frame of another shape", _framed(b'{"at":[]}\n'), "is not a transcript")
    yield Tampering("a frame that is no object", _framed(b"7\n"), "is not a transcript")
    yield Tampering("a preflight without an answer", _mute, "the preflight does not agree")
    yield Tampering("a preflight that tells of another relay", _other_answer, "does not agree")


def _of_the_report() -> Iterator[Tampering]:
    for name, change, reason in (
        ("counts", lambda one: one["counts"].update({"pass": 9999}), "report.json counts"),
        ("verdict", lambda one: one.update(verdict="not conformant"), "report.json calls the run"),
        ("a seed", lambda one: one["run"].update(seed="x"), "report.json has the seed"),
        ("the time", lambda one: one["run"].update(seconds=1.5), "report.json has the seconds"),
        ("the suite", lambda one: one["suite"].update(version="9.0.0"), "report.json is of"),
        ("a filter", lambda one: one["run"].update(only=["SLUG"]), "of a part of a run"),
        ("a relay", lambda one: one["target"].update(name="x"), "names another relay"),
        ("a capability", lambda one: one["capabilities"].pop(), "other capabilities"),
        ("a check", lambda one: one["checks"].pop(), "report.json has no verdict for"),
        ("checks", lambda one: one["checks"].extend(one["checks"]), "checks, and the suite has"),
        ("a type", lambda one: one.update(checks={}), "is not a report of the format"),
    ):
        yield Tampering(f"{name} in the report", _reported(change), reason)
    yield Tampering("a key twice in the report", _report_key_twice, "more than once in one object")


# -- the content -----------------------------------------------------------------------------


def _edited(place: tuple[str, ...], change: Callable[[Any, str], None]) -> Callable[[Any], None]:
    def apply(copy: Any) -> None:
        content = copy.content
        part = content
        for name in place[:-1]:
            part = part[name]
        change(part, place[-1])
        copy.signs(content)

    return apply


def _removed(part: Any, name: str) -> None:
    del part[name]


def _retyped(part: Any, name: str) -> None:
    part[name] = {"x": 1} if isinstance(part[name], list) else [part[name]]


def _reversed(part: Any, name: str) -> None:
    part[name] = part[name][::-1]


def _set(value: object) -> Callable[[Any, str], None]:
    return lambda part, name: part.__setitem__(name, value)


def _of_another_relay(name: str, value: object) -> Callable[[Any], None]:
    def apply(copy: Any) -> None:
        content = copy.content
        content["target"][name] = value
        copy.resigns(content)
        copy.edits_report(lambda document: document["target"].update({name: value}))

    return apply


def _checks(number: int) -> Callable[[Any], None]:
    def apply(copy: Any) -> None:
        content = copy.content
        content["checks"] = [content["checks"][0]] * number
        copy.signs(content)

    return apply


def _many_checks(copy: Any) -> None:
    _checks(300_000)(copy)


def _resigned_text(copy: Any, text: str) -> None:
    from nip_ap.nostr import Draft

    old = copy.event
    draft = Draft(old["kind"], old["created_at"], tuple(map(tuple, old["tags"])), text)
    copy.writes(draft.signed_by(copy.issuer).to_json())


def _key_twice(copy: Any) -> None:
    _resigned_text(copy, '{"level":"core",' + copy.event["content"][1:])


def _setting_twice(copy: Any) -> None:
    many = ",".join(f'"{number}":0' for number in range(60_000))
    _resigned_text(copy, f'{{{many},"x":1,"x":2}}')


def _nested(copy: Any) -> None:
    _resigned_text(copy, "[" * 200_000 + "]" * 200_000)


def _spaced(copy: Any) -> None:
    _resigned_text(copy, copy.event["content"] + " ")


def _tag_more(copy: Any) -> None:
    copy.signs(copy.content, tags=[*copy.event["tags"], ["t", "best-relay"]])


# -- files -----------------------------------------------------------------------------------


def _one_for_two(copy: Any) -> None:
    copy.rewrites(copy.transcript(ONE), copy.transcript(OTHER).read_bytes())


def _linked(copy: Any) -> None:
    elsewhere = copy.folder.parent / "elsewhere.jsonl"
    elsewhere.write_bytes(copy.transcript(ONE).read_bytes())
    copy.transcript(ONE).unlink()
    copy.transcript(ONE).symlink_to(elsewhere)


def _folder_linked(copy: Any) -> None:
    folder = copy.folder / "transcripts"
    folder.rename(copy.folder.parent / "elsewhere")
    folder.symlink_to(copy.folder.parent / "elsewhere")


def _framed(line: bytes) -> Callable[[Any], None]:
    def apply(copy: Any) -> None:
        copy.rewrites(copy.transcript(ONE), line + copy.transcript(ONE).read_bytes())
        copy.signs(copy.with_digests(copy.content))

    return apply


def _clock(reading: str) -> Callable[[Any], None]:
    def change(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for one in frames:
            if one["text"].startswith("clock reads "):
                one["text"] = f"clock reads {reading}"
        return frames

    def apply(copy: Any) -> None:
        copy.edits_frames(ONE, change)
        copy.signs(copy.with_digests(copy.content))

    return apply


def _preflight(copy: Any, change: Callable[[bytes], bytes]) -> None:
    file = copy.folder / PREFLIGHT
    copy.rewrites(file, change(file.read_bytes()))
    copy.signs(copy.with_digests(copy.content))


def _mute(copy: Any) -> None:
    _preflight(copy, lambda data: b"".join(data.splitlines(keepends=True)[:3]))


def _other_answer(copy: Any) -> None:
    _preflight(copy, lambda data: data.replace(b'\\"software\\":\\"', b'\\"software\\":\\"not-'))


# -- the report ------------------------------------------------------------------------------


def _reported(change: Callable[[dict[str, Any]], object]) -> Callable[[Any], None]:
    def apply(copy: Any) -> None:
        def changed(document: dict[str, Any]) -> None:
            change(document)

        copy.edits_report(changed)

    return apply


def _report_key_twice(copy: Any) -> None:
    file = copy.folder / "report.json"
    copy.rewrites(file, b'{"why":"x",' + file.read_bytes().lstrip()[1:])


def damaged(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A report with one derived field changed at a time, and the field's name."""
    changes: dict[str, Callable[[dict[str, Any]], object]] = {
        "by_rule": lambda one: one["by_rule"].clear(),
        "complete": lambda one: one.update(complete=False),
        "missing": lambda one: one["missing"].append("x"),
        "findings": lambda one: one["findings"].append("x"),
        "counts": lambda one: one["counts"].update({"warn": 3}),
        "claimed": lambda one: one["capabilities"][0].update(
            claimed=not one["capabilities"][0]["claimed"]
        ),
        "verdict": lambda one: one["clauses"][0].update(verdict="warn"),
        "text": lambda one: one["clauses"][0].update(text="x"),
        "sentence": lambda one: one["checks"][0].update(sentence="x"),
        "level": lambda one: one["checks"][0].update(level="MAY"),
        "transcript": lambda one: one["checks"][0].update(transcript="../x"),
    }
    for name, change in changes.items():
        changed = copying.deepcopy(document)
        change(changed)
        yield name, changed
