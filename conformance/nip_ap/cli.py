"""The `nip-ap` command. Each subcommand is a few lines here; what it does lives elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from nip_ap.exits import Carried, debuggable, exit_code_of
from nip_ap.play_command import play
from nip_ap.run_command import option_value, run_command
from nip_ap.version import __version__
from nip_ap_client.command import migrate
from nip_ap_client.personas_command import personas

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_WORKERS = click.option(
    "-n", "--workers", type=option_value("workers"), default="auto", help="Processes, or auto."
)


class _Group(click.Group):
    """The commands, each with --debug.

    The relay's command is imported when it is asked for: a server takes its time to import, and
    `nip-ap migrate` is run many times in a row.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands."""
        return sorted([*super().list_commands(ctx), "relay"])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by name."""
        if cmd_name == "relay":
            from nip_ap_relay.__main__ import main as relay

            return debuggable(relay)
        found = super().get_command(ctx, cmd_name)
        return None if found is None else debuggable(found)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except (OSError, EOFError) as error:
            raise Carried(error) from error

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run, and end with the exit code that design.md section 4 gives."""
        words = kwargs.get("args") or (args[0] if args else None) or sys.argv[1:]
        command = partial(super().main, *args, **{**kwargs, "standalone_mode": False})
        sys.exit(exit_code_of(command, debug="--debug" in words))


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="nip-ap")
def main() -> None:
    """Test Nostr relays for conformance with NIP-AP, agent personas (kind 30175).

    `nip-ap run` alone tests the bundled relay, `nip-ap run ws://localhost:3000` yours.

    \b
    Completion in bash; zsh_source and fish_source are there too:
      eval "$(_NIP_AP_COMPLETE=bash_source nip-ap)"
    """


main.add_command(run_command)


@main.command()
@click.argument("certificate")
@click.option(
    "--report",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the run: check its transcripts, and judge them again.",
)
@click.option("--issuer", metavar="PUBKEY", help="Trust this key alone: 64 hex digits.")
@click.option(
    "--subject",
    metavar="TEXT",
    default="",
    help="On a relay: certificates of relays with this name.",
)
@click.option("-n", "--workers", default="auto", help="Processes; auto: one per core, up to 4.")
@click.option(
    "--limit",
    type=click.FloatRange(1, 86_400),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long all of it may take; what was not done by then is said.",
)
@click.option(
    "--partial",
    "is_part_enough",
    is_flag=True,
    help="Exit with 0 also without --report or --issuer: what can be checked then is enough.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def verify(
    certificate: str,
    report: Path | None,
    issuer: str | None,
    subject: str,
    workers: str,
    limit: float,
    is_part_enough: bool,
    as_json: bool,
) -> int:
    """Verify a CERTIFICATE: a file, the folder of a certified run, or with --issuer a relay's URL.

    Offline: signature, digests, completeness and level; with the folder or --report every verdict
    is judged again from the recorded frames. Exit codes: 0 verified, 1 refused, 2 undecided, since
    another version of the suite made it, 3 the relay does not have it, 4 usage, 5 partly verified:
    nothing is wrong, and --report or --issuer was not given.
    """
    from nip_ap.certificate.command import run_verification
    from nip_ap.engine.runner import worker_count

    return run_verification(
        certificate,
        report=report,
        issuer=issuer,
        subject=subject,
        workers=worker_count(workers),
        limit=limit,
        as_json=as_json,
        stream=sys.stdout,
        is_part_enough=is_part_enough,
    )


@main.command()
@click.argument("old", type=click.Path(exists=True, path_type=Path))
@click.argument("new", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown.")
def diff(old: Path, new: Path, as_json: bool, as_markdown: bool) -> int:
    """Compare two reports: report.json files, or folders that --out made.

    Exit codes: 0 no regression, 1 the relay holds or offers less than it did, 4 usage.
    """
    from nip_ap.reporting import read_report
    from nip_ap.reporting.compare.difference import difference
    from nip_ap.reporting.compare.text import markdown_of, print_difference
    from nip_ap.reporting.printing import say, say_json

    if as_json and as_markdown:
        raise click.UsageError("--json and --markdown: choose one")
    found = difference(read_report(old), read_report(new))
    if as_json:
        say_json(found.to_json())
    elif as_markdown:
        say(markdown_of(found), end="")
    else:
        print_difference(found, sys.stdout)
    return 1 if found.has_regressed else 0


@main.command()
@click.argument("report", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--reason", default="not fixed yet", show_default=True, help="The reason in each entry."
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file, not to standard output.",
)
def baseline(report: Path, reason: str, out: Path | None) -> int:
    """Write the failures in REPORT as a baseline, for `nip-ap run --baseline`."""
    from nip_ap.reporting import read_report
    from nip_ap.reporting.baseline_file import baseline_of
    from nip_ap.reporting.printing import say

    if not reason.strip():
        raise click.UsageError("--reason must not be empty: each entry says why it is accepted")
    text = baseline_of(read_report(report), reason)
    if out is None:
        say(text, end="")
    else:
        out.write_text(text, encoding="utf-8")
    return 0


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def clauses(as_json: bool) -> None:
    """List every clause with its checks and rogues, or the reason why it has none."""
    from nip_ap.proof.catalogue import print_catalogue

    print_catalogue(sys.stdout, as_json=as_json)


def _role_options(command: Callable[..., int]) -> Callable[..., int]:
    """A flag for each role but the usual one; none of them is imported for that."""
    from nip_ap.proof.role import USUAL, role_names

    for name in reversed(role_names()):
        if name != USUAL:
            text = f"Rogue {name}s and what they break, instead of rogue {USUAL}s."
            command = click.option(f"--{name}", "role", flag_value=name, help=text)(command)
    return command


@main.command()
@click.argument("subject", metavar="CLAUSE|CHECK|ROGUE")
@click.option(
    "--reports", type=_FOLDER, metavar="DIR", help="Tell also what all reports below DIR say of it."
)
def explain(subject: str, reports: Path | None) -> None:
    """Explain what a clause asks, how it is checked, which rogues break it, and the remedies."""
    from nip_ap.proof.explaining import UnknownSubject
    from nip_ap.proof.explaining import explain as explained

    try:
        explained(subject, sys.stdout, reports)
    except UnknownSubject as error:
        raise click.UsageError(str(error)) from None


@main.command()
@click.option("--rogue", "names", multiple=True, metavar="NAME", help="Only this one. Repeatable.")
@_WORKERS
@click.option(
    "--seed",
    metavar="TEXT",
    default="proof",
    show_default=True,
    help="Seed of keys, slugs and contents. What is kept in the cache is of one seed.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the matrix as JSON.")
@click.option("--full", is_flag=True, help="Run every check on every rogue, rehearsing nothing.")
@click.option("--suggest", is_flag=True, help="Print the declaration that would be exact.")
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), help="Write it as a page.")
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the recorded run of the reference relay; else the user's cache folder.",
)
@click.option(
    "--scenarios",
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    help="Own checks and own rogues (DIR/rogues.toml), in place of the suite's.",
)
@_role_options
def prove(
    names: tuple[str, ...],
    workers: str,
    seed: str,
    as_json: bool,
    full: bool,
    suggest: bool,
    page: Path | None,
    cache: Path | None,
    scenarios: str | None,
    role: str | None,
) -> int:
    """Run the suite against rogues, and show which checks catch each of them.

    Exit codes: 0 each rogue is caught by exactly the clauses it declares, 1 otherwise.
    """
    from nip_ap.proof.command import Order
    from nip_ap.proof.command import prove as run_proof
    from nip_ap.proof.own import prove_own
    from nip_ap.proof.role import USUAL

    if scenarios is not None:
        if role or as_json or full or suggest or page or cache:
            raise click.UsageError("--scenarios is only valid with --rogue, -n and --seed")
        return prove_own(scenarios, names, workers, seed, sys.stdout)
    order = Order(
        role=role or USUAL,
        names=names,
        workers=workers,
        seed=seed,
        as_json=as_json,
        is_full=full,
        suggests=suggest,
        page=page,
        cache=cache,
    )
    return run_proof(order, sys.stdout)


@main.command()
@click.argument("folders", nargs=-1, required=True, type=_FOLDER, metavar="DIR...")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("site"),
    show_default=True,
    help="Folder for the site.",
)
def site(folders: tuple[Path, ...], out: Path) -> None:
    """Build a static site of all reports below DIR: clauses by relay, histories and badges.

    Each folder right below DIR is a relay; so is DIR itself if it holds a report.
    """
    from nip_ap.engine.explained_clauses import every_clause_explained
    from nip_ap.reporting.collect.site import write_site
    from nip_ap.reporting.legible import counted
    from nip_ap.reporting.printing import say

    reports = write_site(folders, out, every_clause_explained())
    say(f"{counted(reports, 'report')}: {out / 'index.html'}")


@main.command()
@click.argument("folder", type=_FOLDER, metavar="DIR")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The page; DIR/history.html by default.",
)
def history(folder: Path, out: Path | None) -> None:
    """Write a page of one relay's history, from all reports below DIR; print a line per run."""
    from nip_ap.reporting.collect.history import write_history
    from nip_ap.reporting.printing import say

    page = write_history(folder, out, sys.stdout)
    say(f"history: {page}")


main.add_command(migrate)
main.add_command(personas)
main.add_command(play)
