"""`nip-ap play`: scripts for an app without a command, and a person who says what it shows."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from nip_ap.clients.scripts import Script, Stage
    from nip_ap.clients.stub import Stub
    from nip_ap.witness import Answer, Played

_LOOK_AGAIN = 0.2
_SETTLE = 1.0
"""Seconds after an app's first request, for what else it may ask."""


@click.command()
@click.argument("names", nargs=-1, metavar="[CLAUSE|SCRIPT]...")
@click.option("--app", default="an app", show_default=True, help="What is tested, for the report.")
@click.option(
    "--port",
    default=7176,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Where the relay listens; 0 takes a free one.",
)
@click.option(
    "--answers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Ask nobody: a JSON object of yes, no or skip by script.",
)
@click.option(
    "--wait",
    default=30.0,
    show_default=True,
    help="With --answers: seconds for the app to ask for a script.",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of reports.")
@click.option("--list", "lists", is_flag=True, help="List the scripts, and play none.")
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), help="Write the list.")
def play(
    names: tuple[str, ...],
    app: str,
    port: int,
    answers: Path | None,
    wait: float,
    out: Path | None,
    lists: bool,
    page: Path | None,
) -> int:
    """Play scripts to an app that shows personas, and ask what it shows.

    Exit codes: 0 all as it should be, 1 not, 2 undecided, 4 usage.
    """
    from nip_ap import witness
    from nip_ap.model.seed import salted
    from nip_ap.reporting.printing import say

    if page is not None:
        page.write_text(witness.page(), encoding="utf-8")
        return 0
    scripts = witness.chosen(names)
    if lists:
        for one in scripts:
            say(f"{one.clause:<14} {one.name:<28} {one.title}")
        return 0
    seed, started = salted(None), time.time()
    given = None if answers is None else witness.read_answers(answers)
    played = _played(scripts, seed, port, given, wait)
    return _reported(app, seed, played, started, out)


def _played(
    scripts: list[Script],
    seed: str,
    port: int,
    given: dict[str, Answer] | None,
    wait: float,
) -> list[Played]:
    from nip_ap import witness
    from nip_ap.clients.stub import Stub

    stub, found = Stub(), []
    with tempfile.TemporaryDirectory(prefix="nip-ap-play-") as folder:
        try:
            for script in scripts:
                found.append(
                    witness.play(
                        script,
                        stub,
                        seed,
                        port,
                        lambda stage, url: _answer(stage, url, Path(folder), stub, given, wait),
                    )
                )
        finally:
            stub.close()
    return found


def _answer(
    stage: Stage,
    url: str,
    folder: Path,
    stub: Stub,
    given: dict[str, Answer] | None,
    wait: float,
) -> Answer:
    """Tell a person what to look at, and take the answer; from the file where there is one."""
    from nip_ap import witness
    from nip_ap.reporting.printing import say

    script = stage.script
    say(f"\n{script.clause}  {script.name}: {script.title}")
    say(f"  relay  {url}")
    say(f"  owner  {witness.npub(stage)}")
    if script.needs:
        say(f"  log in with the key in {_key_file(stage, folder)}")
    if script.slug:
        say(f"  ask for the persona {script.slug} alone")
    say(f"  {script.sees}")
    if given is None:
        word = click.prompt("  Is it so?", type=click.Choice(witness.ANSWERS))
        return witness.Answer(word, click.prompt("  A remark", default="", show_default=False))
    _wait_until_asked(stub, wait)
    return given.get(script.name, witness.Answer(witness.SKIP))


def _key_file(stage: Stage, folder: Path) -> Path:
    path = folder / f"{stage.script.name}.key"
    path.touch(mode=0o600)
    path.write_text(stage.reader.secret_hex() + "\n", encoding="utf-8")
    return path


def _wait_until_asked(stub: Stub, limit: float) -> None:
    until = time.monotonic() + limit
    while not stub.was_asked() and time.monotonic() < until:
        threading.Event().wait(_LOOK_AGAIN)
    threading.Event().wait(min(_SETTLE, limit))


def _reported(app: str, seed: str, played: list[Played], started: float, out: Path | None) -> int:
    from nip_ap import witness
    from nip_ap.model.events import RunFinished
    from nip_ap.model.verdict import EXIT_CODES
    from nip_ap.reporting.listeners import FilesListener, TerminalListener

    run, report = witness.report_on(app, seed, played, started)
    TerminalListener(sys.stdout)(RunFinished(run, report))
    if out is not None:
        FilesListener(out, sys.stdout)(RunFinished(run, report))
    return EXIT_CODES[run.verdict]
