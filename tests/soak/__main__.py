"""python -m tests.soak: all parts or those of --part, at a --scale of the whole; then a table.

Exit codes: 0 all in bounds, 1 something was lost or over its bound.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from tests.soak import against_the_relay, against_the_suite
from tests.soak.table import Finding, Part, Row, Soak, table, written_into

PARTS = {one.name: one for one in (*against_the_relay.PARTS, *against_the_suite.PARTS)}


@click.command()
@click.option("--part", "names", multiple=True, type=click.Choice(list(PARTS)), help="Repeatable.")
@click.option("--scale", default=1.0, type=click.FloatRange(0.001, 10), show_default=True)
@click.option("--seed", default=20_261_125, show_default=True)
@click.option("--page", type=click.Path(path_type=Path), help="Write the table into this page.")
def main(names: tuple[str, ...], scale: float, seed: int, page: Path | None) -> None:
    """Reliability figures of the bundled relay and of the suite."""
    began, rows = datetime.now(UTC), []
    for name in names or PARTS:
        with tempfile.TemporaryDirectory(prefix="soak-") as folder:
            rows.append(_row(PARTS[name], Soak(scale, seed, Path(folder))))
        click.echo(table(rows[-1:]).splitlines()[-1])
    told = (
        f"{began:%Y-%m-%d}, scale {scale:g}, seed {seed}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores, load average {os.getloadavg()[1]:.1f}"
    )
    block = f"{told}\n\n{table(rows)}"
    click.echo(f"\n{block}")
    if page is not None:
        page.write_text(written_into(page.read_text(encoding="utf-8"), block), encoding="utf-8")
    sys.exit(0 if all(row.finding.holds for row in rows) else 1)


def _row(part: Part, soak: Soak) -> Row:
    """A part that breaks off does not hold; the others are still run."""
    began = time.monotonic()
    try:
        finding = part.run(soak)
    except Exception as error:
        finding = Finding("broke off", f"{type(error).__name__}: {error}"[:300], "no fault", False)
    return Row(part.name, finding, time.monotonic() - began)


if __name__ == "__main__":
    main()
