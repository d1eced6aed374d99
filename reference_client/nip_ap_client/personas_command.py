"""`nip-ap personas`: list, show and compare an owner's personas, by docs/reader-contract.md.

Exit 0: all was read. 3: what is shown may not be all, or the relay was not there. 1: a difference.
"""

from __future__ import annotations

import difflib
import json
import os
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from nip_ap_client.reader import Listing, Reader, Shown

READ, DIFFERENT, INCOMPLETE = 0, 1, 3

BUDGET = "NIP_AP_BUDGET"
_USUAL_BUDGET = 32.0


class _Owner(click.ParamType):  # type: ignore[type-arg]
    """A public key as npub or hex; the value is hex."""

    name = "NPUB|HEX"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The hex digits."""
        from nip_ap.nostr.bech32 import public_key

        try:
            return public_key(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Relay(click.ParamType):  # type: ignore[type-arg]
    """The URL of a relay."""

    name = "URL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The one spelling of the URL."""
        from nip_ap.model.relay_url import relay_url

        try:
            return relay_url(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Moment(click.ParamType):  # type: ignore[type-arg]
    """A moment as Unix seconds or ISO 8601; the value is Unix seconds."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The seconds."""
        if str(value).isdigit():
            return int(value)
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail(
                f"{value!r} is no time: 2026-11-25T10:00:00+00:00, or Unix seconds", param, ctx
            )
        return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


@click.command()
@click.option("--relay", required=True, type=_Relay(), help="ws:// or wss://")
@click.option("--owner", required=True, type=_Owner(), help="Whose personas.")
@click.option("--slug", default="", metavar="SLUG", help="This one alone, with its whole prompt.")
@click.option("--shared", is_flag=True, help="Only what the owner shares.")
@click.option(
    "--key-file",
    type=click.Path(path_type=Path),
    help="Your own secret key, for a relay that asks who reads: nsec1... or hex; mode 600.",
)
@click.option("--at", type=_Moment(), help="As they stood then, as far as the relay still has it.")
@click.option("--diff", "other", type=_Owner(), help="Compare with the personas of this owner.")
@click.option("--since", type=_Moment(), help="Compare with how they stood then.")
@click.option("--json", "as_json", is_flag=True, help="As JSON (docs/reader-contract.md).")
@click.option("--rogue", hidden=True, help="Deviate in one way; for `nip-ap prove --reader`.")
def personas(
    relay: str,
    owner: str,
    slug: str,
    shared: bool,
    key_file: Path | None,
    at: int | None,
    other: str | None,
    since: int | None,
    as_json: bool,
    rogue: str | None,
) -> None:
    """Show the personas of an owner as a relay has them: verified, and the newest version of each.

    Exit codes: 0 all was read, 1 --diff or --since found a difference, 3 the list may not be whole.
    """
    from nip_ap.wire.answers import WireError

    if other is not None and since is not None:
        raise click.UsageError("--diff and --since: choose one")
    order = Order(relay, owner, slug, shared, key_file, at)
    try:
        found = read(order, rogue)
        before = None
        if other is not None:
            before = read(order.changed(owner=other), rogue)
        elif since is not None:
            before = read(order.changed(at=since), rogue)
    except (WireError, ValueError) as error:
        if as_json:
            click.echo(json.dumps({"personas": [], "dropped": [], "trouble": str(error)}))
        click.echo(f"nip-ap personas: {error}", err=True)
        sys.exit(INCOMPLETE)
    if before is not None:
        sys.exit(_tell_difference(before, found, as_json=as_json))
    if as_json:
        click.echo(printed(found, rogue))
    else:
        click.echo(listed(found, whole=bool(slug)))
    sys.exit(INCOMPLETE if found.trouble else READ)


@dataclass(frozen=True)
class Order:
    """What is to be read."""

    relay: str
    owner: str
    slug: str = ""
    shared: bool = False
    key_file: Path | None = None
    at: int | None = None

    def changed(self, **fields: Any) -> Order:
        """The same with other values."""
        return Order(**{**self.__dict__, **fields})


def read(order: Order, rogue: str | None = None) -> Listing:
    """One reading. Raises WireError, and ValueError for a key that cannot be used."""
    from nip_ap.nostr import SecretKey

    kind = _kind(rogue)
    key = None if order.key_file is None else SecretKey.from_file(order.key_file)
    budget = float(os.environ.get(BUDGET, _USUAL_BUDGET))
    source = kind.source_of(
        order.relay, key, now=lambda: int(time.time()), answer_limit=min(8.0, budget / 4)
    )
    try:
        return kind(
            source,
            owner=order.owner,
            viewer="" if key is None else key.pubkey,
            slug=order.slug,
            only_shared=order.shared,
            until=order.at,
        ).run()
    finally:
        source.close()


def _kind(rogue: str | None) -> type[Reader]:
    from nip_ap_client.reader import Reader

    if rogue is None:
        return Reader
    from nip_ap_client.rogues import rogue_named

    return rogue_named(rogue).reader


def printed(listing: Listing, rogue: str | None = None) -> str:
    """The JSON of a listing: ASCII alone, so that no name drives a terminal."""
    return _kind(rogue).written(listing.to_json())


# -- for people ------------------------------------------------------------------------


def listed(listing: Listing, *, whole: bool) -> str:
    """A line for each persona or, where one is asked for, all of it; and what was dropped."""
    from nip_ap.reporting.legible import counted, harmless, harmless_line

    lines = [_line(one) for one in listing.personas]
    if whole:
        lines = [
            f"{_line(one)}\n\n{harmless(one.system_prompt or '(no prompt)')}"
            for one in listing.personas
        ]
    lines = lines or ["no persona"]
    reasons: dict[str, int] = {}
    for one in listing.dropped:
        reasons[one.reason] = reasons.get(one.reason, 0) + 1
    lines += [
        f"  dropped {counted(number, 'event')}: {harmless_line(reason)}"
        for reason, number in reasons.items()
    ]
    if listing.trouble:
        lines.append(f"  this may not be all: {harmless_line(listing.trouble)}")
    return "\n".join(lines)


def _line(one: Shown) -> str:
    from nip_ap.reporting.legible import harmless_line

    day = datetime.fromtimestamp(one.created_at, UTC).strftime("%Y-%m-%d %H:%M")
    mark = "shared" if one.is_shared else ""
    model = harmless_line(one.rest.get("model", ""))
    return f"{one.slug:<32} {day}  {mark:<6} {harmless_line(one.display_name)}  {model}".rstrip()


def _tell_difference(before: Listing, after: Listing, *, as_json: bool) -> int:
    from nip_ap.reporting.legible import harmless

    old, new = ({one.slug: _text(one) for one in each.personas} for each in (before, after))
    changed = [slug for slug in sorted({*old, *new}) if old.get(slug) != new.get(slug)]
    if as_json:
        told = {slug: {"before": old.get(slug), "after": new.get(slug)} for slug in changed}
        click.echo(json.dumps({"changed": told, "trouble": before.trouble or after.trouble}))
    for slug in [] if as_json else changed:
        lines = difflib.unified_diff(
            old.get(slug, "").splitlines(), new.get(slug, "").splitlines(), slug, slug, lineterm=""
        )
        click.echo(harmless("\n".join(lines)))
    if before.trouble or after.trouble:
        click.echo(f"this may not be all: {before.trouble or after.trouble}", err=True)
        return INCOMPLETE
    return DIFFERENT if changed else READ


def _text(one: Shown) -> str:
    """What of a persona is compared, as lines."""
    fields = {"display_name": one.display_name, **one.rest, "shared": one.is_shared}
    lines = [f"{name}: {json.dumps(value)}" for name, value in fields.items()]
    return "\n".join([*lines, "", one.system_prompt or "(no prompt)"])


if __name__ == "__main__":
    personas(prog_name="nip-ap personas")
