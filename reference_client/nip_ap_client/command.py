"""`nip-ap migrate`: the suite's own migrator as a command, by the contract of
docs/migrator-contract.md. Exit 0: synced. 3: something waits, run again later. 1: an error, or
personas that cannot be published until somebody changes them."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from nip_ap.nostr import SecretKey
    from nip_ap_client.report import Report
    from nip_ap_client.scopes import Scope

SYNCED, ERROR, WAITING = 0, 1, 3

BUDGET = "NIP_AP_BUDGET"
"""The environment variable with the seconds that a run may take."""


def _relay_named(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """The URL as given, once it is clear that it can be one."""
    from nip_ap.model.relay_url import relay_url

    try:
        relay_url(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return value


@click.command()
@click.option(
    "--base",
    required=True,
    type=click.Path(path_type=Path),
    help="The client's `agents` directory, with personas.json in it.",
)
@click.option(
    "--relay", required=True, metavar="URL", callback=_relay_named, help="ws:// or wss://"
)
@click.option(
    "--key-file",
    required=True,
    type=click.Path(path_type=Path),
    help="A file with the owner's secret key, nsec1... or 64 hex digits; mode 600.",
)
@click.option(
    "--store",
    type=click.Path(path_type=Path),
    help="The retention store; by default one per relay and owner, below the base directory.",
)
@click.option(
    "--allow-empty",
    is_flag=True,
    help="Let a file without personas delete all that was published from it.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
@click.option("--rogue", hidden=True, help="Deviate in one way; for `nip-ap prove --migrator`.")
def migrate(
    base: Path,
    relay: str,
    key_file: Path,
    store: Path | None,
    allow_empty: bool,
    dry_run: bool,
    as_json: bool,
    rogue: str | None,
) -> None:
    """Publish a client's personas, and its teams and managed agents where their files lie beside
    personas.json: once each, and again when they change."""
    from nip_ap_client.records import PersonaFileError
    from nip_ap_client.report import summary
    from nip_ap_client.retention import StoreError

    try:
        report = run(
            base,
            relay,
            key_file,
            store,
            dry_run=dry_run,
            allow_empty=allow_empty,
            rogue=rogue,
            quiet=as_json,
        )
    except (PersonaFileError, StoreError, ValueError, OSError) as error:
        if as_json:
            click.echo(json.dumps({"status": "failed", "error": str(error)}))
        click.echo(f"nip-ap migrate: {error}", err=True)
        sys.exit(ERROR)
    click.echo(json.dumps(report.to_json()) if as_json else summary(report))
    sys.exit(_exit_code(report))


def _exit_code(report: Report) -> int:
    """A plan that was made without the relay is as good as one that waits for it."""
    if report.state == "planned":
        return WAITING if report.trouble else SYNCED
    return {"waiting": WAITING, "failed": ERROR}.get(str(report.state), SYNCED)


def run(
    base: Path,
    relay: str,
    key_file: Path,
    store: Path | None = None,
    *,
    dry_run: bool = False,
    allow_empty: bool = False,
    rogue: str | None = None,
    quiet: bool = True,
) -> Report:
    """One run, from paths to report. Raises ValueError, PersonaFileError or StoreError."""
    from nip_ap_client.migrator import Migrator
    from nip_ap_client.retention import RetentionStore
    from nip_ap_client.transport import WireTransport
    from nip_ap_client.versions import FAMILY

    kind: type[Migrator] = Migrator
    members = FAMILY
    if rogue is not None:
        from nip_ap_client.rogues import rogue_named

        kind, members = rogue_named(rogue).migrator, rogue_named(rogue).family
    key = kind.key_from(key_file)
    kind.records_of(base)
    present = [one for one in members if one.is_there(base)]
    for one in present:
        one.objects(base)
    path = store or kind.store_path(base, key.pubkey, relay)
    budget = float(os.environ.get(BUDGET, "60"))
    kept = RetentionStore(
        None if dry_run and not path.exists() else path,
        relay=relay,
        owner=key.pubkey,
        lock_limit=budget / 2,
        say=_told,
    )
    limit = min(8.0, max(1.0, budget / 4))
    transport = WireTransport(relay, key, now=clock, answer_limit=limit)
    say = _silence if quiet or not sys.stderr.isatty() else _progress
    migrator, *others = [
        one(
            base=base,
            key=key,
            store=kept,
            transport=transport,
            now=clock,
            say=say,
            may_empty=allow_empty,
        )
        for one in (kind, *present)
    ]
    try:
        report = migrator.plan() if dry_run else migrator.run()
        for other in others:
            other.asked = not migrator.online
            report.family.append(other.plan() if dry_run else other.run())
        scopes = [] if dry_run else migrator.scopes()
    finally:
        transport.close()
        kept.close()
    report.elsewhere = [_drained(scope, key, limit) for scope in scopes]
    return report


def _drained(scope: Scope, key: SecretKey, limit: float) -> str:
    """Send what waits for another relay; says what was done, or why nothing could be."""
    from nip_ap_client.migrator import AHEAD, STALE_AFTER
    from nip_ap_client.retention import RetentionStore, StoreError
    from nip_ap_client.scopes import Drain
    from nip_ap_client.transport import WireError, WireTransport

    try:
        kept = RetentionStore(scope.store, relay=scope.relay, owner=key.pubkey, lock_limit=limit)
    except StoreError as error:
        return f"what waits for {scope.relay} still waits: {error}"
    transport = WireTransport(scope.relay, key, now=clock, answer_limit=limit)
    drain = Drain(kept, transport, key, now=clock, stale_after=STALE_AFTER, ahead=AHEAD)
    try:
        return drain.run()
    except (StoreError, WireError) as error:
        return f"what waits for {scope.relay} still waits: {error}"
    finally:
        transport.close()
        kept.close()


def clock() -> int:
    """Unix seconds."""
    return int(time.time())


def _told(text: str) -> None:
    click.echo(f"nip-ap migrate: {text}", err=True)


def _silence(text: str) -> None:
    """Nobody watches."""


def _progress(text: str) -> None:
    click.echo(f"\r{text}", err=True, nl=False)
