"""What the checks of MIG say in addition to nip_ap.scenario: claims about heads, and material."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from nip_ap.clients.device import Device, Record, body_of, fields_of
from nip_ap.clients.launch import Outcome
from nip_ap.clients.stub import Stub, texts_of
from nip_ap.model.judgement import Broken
from nip_ap.nostr import PERSONA, derive
from nip_ap_client.mapping import is_slug

_DATES = dict.fromkeys(("created_at", "updated_at"), "2025-04-05T06:07:08+00:00")
_FLAGS = {"avatar_url": None, "is_builtin": False, "is_active": True}


# -- material --------------------------------------------------------------------------


def many(number: int, seed: str) -> list[Record]:
    """Plain personas with ids that are slugs."""
    return [
        {
            "id": f"p{derive(seed, 'many', str(one)).hex()[:24]}-{one}",
            "display_name": f"Persona {one:04}",
            "system_prompt": f"You are persona {one}. " + "Be brief. " * (one % 20),
            **_FLAGS,
            **_DATES,
        }
        for one in range(number)
    ]


def plain(name: str, size: int) -> Record:
    """A persona whose content has exactly so many bytes, whatever the order of its two keys."""
    empty = len(orjson.dumps({"display_name": name, "system_prompt": ""}))
    prompt = "x" * (size - empty)
    return {"id": name, "display_name": name, "system_prompt": prompt, **_FLAGS, **_DATES}


def spoiled(good: bytes, case: Mapping[str, Any]) -> bytes:
    """A good file with one of the faults of fixtures/personas/malformed.json."""
    text = good.decode()
    if "cut" in case:
        return good[: -case["cut"]]
    if "drop" in case:
        records = json.loads(text)
        del records[-1][case["drop"]]
        return json.dumps(records).encode()
    if "replace_end" in case:
        old, new = case["replace_end"]
        head, _, tail = text.rpartition(old)
        return f"{head}{new}{tail}".encode()
    return f"{case.get('before', '')}{text}{case.get('after', '')}".encode()


def canaries(seed: str) -> tuple[list[str], str]:
    """Three marks that have to stay secret, and one that has to be seen."""
    marks = [f"canary{derive(seed, 'canary', str(one)).hex()[:20]}" for one in range(4)]
    return marks[:3], marks[3]


def encodings(mark: str) -> list[str]:
    """The usual ways in which a mark may be written; base64 at each of its three offsets."""
    raw = mark.encode()
    shifted = [base64.b64encode(b"\0" * shift + raw).decode() for shift in range(3)]
    inner = [text[4 if shift else 0 :][:-4] for shift, text in enumerate(shifted)]
    return [
        mark,
        mark[::-1],
        raw.hex(),
        raw.hex().upper(),
        urllib.parse.quote(mark),
        "".join(f"%{byte:02X}" for byte in raw),
        "".join(f"\\u{byte:04x}" for byte in raw),
        *inner,
        *(text.translate({ord("+"): "-", ord("/"): "_"}) for text in inner),
    ]


def secrets_in(text: str, secret: Sequence[str]) -> list[str]:
    """Which marks a text holds, in any encoding; base64 in the text is opened as well."""
    opened = "\n".join(
        base64.b64decode(found + "=" * (-len(found) % 4), validate=False).decode("utf-8", "replace")
        for found in re.findall(r"[A-Za-z0-9+/]{40,}", text)
        if len(found) % 4 != 1
    )
    whole = f"{text}\n{opened}"
    return [mark for mark in secret if any(form in whole for form in encodings(mark))]


# -- claims ----------------------------------------------------------------------------


def heads_are_there(device: Device, records: Sequence[Record]) -> None:
    """Claim: each of these records is a head of the owner, with its mapped fields.

    What else the owner has is not judged here: that is AP-MIG-01's and AP-MIG-31's business.
    """
    found = {orjson.dumps(fields_of(body_of(head))) for head in device.heads().values()}
    missing = [one for one in records if orjson.dumps(fields_of(one)) not in found]
    if missing:
        raise Broken(
            f"a head for each of {len(records)} personas",
            f"{len(missing)} of them missing or with another text, among {len(found)} heads",
        )


def genuine_heads(device: Device, records: Sequence[Record], outcome: Outcome) -> None:
    """Claim: exactly these records, each a valid event of the owner under a slug."""
    by_name = {body_of(head).get("display_name"): head for head in device.heads().values()}
    if len(device.heads()) != len(records):
        found = f"{len(device.heads())}: {sorted(map(str, by_name))}; {outcome}"
        raise Broken(f"{len(records)} heads", found)
    for record in records:
        head = by_name.get(record["display_name"])
        if head is None:
            raise Broken(f"a head for {record['display_name']!r}", str(sorted(map(str, by_name))))
        if head.problems or head.pubkey != device.key.pubkey:
            raise Broken("a valid event of the owner", "; ".join(head.problems) or head.pubkey)
        if len(head.tag_values("d")) != 1 or not is_slug(head.slug):
            raise Broken("one `d` tag of the grammar", str(head.tags))
        if fields_of(body_of(head)) != fields_of(record):
            raise Broken(f"the fields {fields_of(record)}", head.content)


def in_grammar(stub: Stub) -> None:
    """Claim: no persona came over the wire whose `d` is not a slug."""
    for one in stub.heard():
        if one.kind == PERSONA and not (len(one.slugs) == 1 and is_slug(one.slugs[0])):
            raise Broken("only slugs of the grammar on the wire", repr(one.slugs))


def reported(outcome: Outcome, record: Record, what: str) -> None:
    """Claim: the run says that a record is not published, by its exit code or by name."""
    names = outcome.mentions(record["id"]) or outcome.mentions(record["display_name"])
    if outcome.says_synced and not names:
        raise Broken(f"{what} to be reported as not published", str(outcome))


__all__ = [
    "canaries",
    "encodings",
    "genuine_heads",
    "heads_are_there",
    "in_grammar",
    "many",
    "plain",
    "reported",
    "secrets_in",
    "spoiled",
    "texts_of",
]


def mentioned(outcome: Outcome, record: Record) -> bool:
    """Whether a run names a persona in its output, by id or by name."""
    return outcome.mentions(record["id"]) or outcome.mentions(record["display_name"])


def is_there(device: Device, record: Record) -> bool:
    """Whether a persona is among the heads, under whatever slug."""
    return record["display_name"] in {
        body_of(head).get("display_name") for head in device.heads().values()
    }
