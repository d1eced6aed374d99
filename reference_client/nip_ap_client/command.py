"""`nip-ap migrate`: the suite's own migrator as a command, by the contract of
docs/migrator-contract.md. Exit 0: synced. 3: something waits, run again later. 1: an error."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from nip_ap_client.report import Report

SYNCED, ERROR, PENDING = 0, 1, 3

BUDGET = "NIP_AP_BUDGET"
"""The environment variable with the seconds that a run may take."""


@click.command()
@click.option(
    "--base",
    required=True,
    type=click.Path(path_type=Path),
    help="The client's `agents` directory, with personas.json in it.",
)
@click.option("--relay", required=True, metavar="URL", help="ws:// or wss://")
@click.option(
    "--key-file",
    required=True,
    type=click.Path(path_type=Path),
    help="A file with the owner's secret key, 64 hex digits.",
)
@click.option(
    "--store",
    type=click.Path(path_type=Path),
    help="The retention store; by default one per relay and owner, below the base directory.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
@click.option("--rogue", hidden=True, help="Deviate in one way; for `nip-ap prove --migrator`.")
def migrate(
    base: Path,
    relay: str,
    key_file: Path,
    store: Path | None,
    dry_run: bool,
    as_json: bool,
    rogue: str | None,
) -> None:
    """Publish the personas of a client's personas.json, once each, and again when they change."""
    from nip_ap_client.records import PersonaFileError
    from nip_ap_client.retention import StoreError

    try:
        report = run(base, relay, key_file, store, dry_run=dry_run, rogue=rogue, quiet=as_json)
    except (PersonaFileError, StoreError, ValueError, OSError) as error:
        if as_json:
            click.echo(json.dumps({"status": "error", "error": str(error)}))
        click.echo(f"nip-ap migrate: {error}", err=True)
        sys.exit(ERROR)
    click.echo(json.dumps(report.to_json()) if as_json else summary(report))
    sys.exit(SYNCED if report.is_synced else PENDING)


def run(
    base: Path,
    relay: str,
    key_file: Path,
    store: Path | None = None,
    *,
    dry_run: bool = False,
    rogue: str | None = None,
    quiet: bool = True,
) -> Report:
    """One run, from paths to report. Raises ValueError, PersonaFileError or StoreError."""
    from nip_ap_client.migrator import Migrator
    from nip_ap_client.retention import RetentionStore
    from nip_ap_client.transport import WireTransport

    kind: type[Migrator] = Migrator
    if rogue is not None:
        from nip_ap_client.rogues import rogue_named

        kind = rogue_named(rogue).migrator
    key = kind.key_from(key_file)
    kind.records_of(base)
    path = store or kind.store_path(base, key.pubkey, relay)
    kept = RetentionStore(
        None if dry_run and not path.exists() else path, relay=relay, owner=key.pubkey
    )
    limit = min(8.0, max(1.0, float(os.environ.get(BUDGET, "60")) / 4))
    transport = WireTransport(relay, key, now=clock, answer_limit=limit)
    say = _silence if quiet or not sys.stderr.isatty() else _progress
    migrator = kind(base=base, key=key, store=kept, transport=transport, now=clock, say=say)
    try:
        return migrator.plan() if dry_run else migrator.run()
    finally:
        transport.close()
        kept.close()


def clock() -> int:
    """Unix seconds."""
    return int(time.time())


def summary(report: Report) -> str:
    """The report for a person."""
    if report.planned is not None:
        return _lines(report, [f"{slug}: {action}" for slug, action in report.planned.items()])
    counts = {
        "published": len(report.published),
        "deleted": len(report.deleted),
        "taken over from the relay": len(report.adopted),
        "unchanged": len(report.unchanged),
        "waiting": len(report.pending),
        "in conflict": len(report.conflicts),
        "skipped": len(report.skipped),
    }
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    state = "synced" if report.is_synced else "not synced yet"
    return _lines(report, [f"{state}: {said or 'nothing to do'}"])


def _lines(report: Report, first: list[str]) -> str:
    lines = list(first)
    if report.trouble:
        lines.append(f"  relay: {report.trouble}")
    lines += [f"  waiting {one.slug}: {one.reason}" for one in report.pending[:20]]
    if len(report.pending) > 20:
        lines.append(f"  ... and {len(report.pending) - 20} more")
    lines += [f"  conflict {one.slug}: {one.reason}" for one in report.conflicts]
    lines += [f"  skipped {one.id!r}: {one.reason}" for one in report.skipped]
    lines += [f"  warning: {one}" for one in report.warnings]
    lines += [f"  note {one.slug}: {one.reason}" for one in report.notes]
    return "\n".join(lines)


def _silence(text: str) -> None:
    """Nobody watches."""


def _progress(text: str) -> None:
    click.echo(f"\r{text}", err=True, nl=False)
