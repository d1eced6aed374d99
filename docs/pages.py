"""What MkDocs cannot read from files: generated pages, numbers, and pages that the nav forgot."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nip_ap.engine.explained_clauses import every_clause_explained
from nip_ap.model.clauses import register
from nip_ap.proof.catalogue import catalogue
from nip_ap.reporting import legible  # MkDocs takes any name on_... for a hook
from nip_ap.reporting.collect.site import write_site
from nip_ap.reporting.collect.summaries import FOLDER as SUMMARIES
from nip_ap.reporting.formats import formats
from nip_ap.reporting.sources import link_of
from nip_ap_relay.rogues import ROGUES

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

_PUBLISHED = Path(__file__).parents[1] / "reports" / "published"
_NUMBER = re.compile(r"\{\{ *([a-z_]+) *\}\}")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages that the nav does not name under "More", so that none is lost."""
    named = set(_named(config.nav or []))
    folder = Path(config.docs_dir)
    rest = sorted(one.name for one in folder.glob("*.md") if one.name not in named)
    if rest and config.nav:
        config.nav.append({"More": rest})
    return config


def _named(entries: Iterable[Any]) -> Iterable[str]:
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict):
            for value in entry.values():
                yield from _named([value] if isinstance(value, str) else value)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the catalogue of clauses, and the site of the published reports."""
    from mkdocs.structure.files import File  # the pages' text is of use without MkDocs

    files.append(File.generated(config, "clauses.md", content=clauses_page()))
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        write_site([_PUBLISHED], site, every_clause_explained())
        for path in sorted(site.rglob("*")):
            if path.is_file() and SUMMARIES not in path.parts:
                name = f"relays/{path.relative_to(site)}"
                files.append(File.generated(config, name, content=path.read_bytes()))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in what is true of this very version, such as {{ checks }}. Raises KeyError."""
    return _NUMBER.sub(lambda found: str(values()[found[1]]), markdown)


def values() -> dict[str, int | str]:
    """What pages may fill in by name."""
    return {**numbers(), "formats": formats_table()}


def formats_table() -> str:
    """The formats of a report that are always written."""
    rows = [
        f"| {', '.join(f'`{file}`' for file in one.files)} | {one.readers} |"
        for one in formats().values()
        if not one.on_request
    ]
    return "\n".join(["| file | for whom |", "| --- | --- |", *rows])


def numbers() -> dict[str, int]:
    """What pages may say about the suite in figures."""
    entries = catalogue()
    return {
        "clauses": len(entries),
        "clauses_with_checks": sum(bool(one["checks"]) for one in entries),
        "clauses_without": sum(not one["checks"] for one in entries),
        "musts": sum(one["level"] == "MUST" for one in entries),
        "functions": len({check for one in entries for check in one["checks"]}),
        "rogues": len(ROGUES),
    }


def clauses_page() -> str:
    """Every clause with level, source, checks and rogues: `nip-ap clauses` as a page."""
    entries = catalogue()
    lines = [
        "# Clauses",
        "",
        "Generated from the register, the checks and the gallery of rogue relays, as "
        "`nip-ap clauses --json` has them. A rogue is a relay that is broken in one way; those "
        "named here turn the clause red, and `nip-ap prove` ensures it.",
        "",
    ]
    for group, title in register().titles.items():
        own = [one for one in entries if one["id"].split("-")[1] == group]
        if own:
            lines += [f"## {group}: {title}", ""]
        for one in own:
            lines += _clause(one)
    return "\n".join(lines)


def _clause(entry: dict[str, Any]) -> list[str]:
    levels = "".join(f"; {level} in {spec}" for spec, level in entry["level_in"].items())
    address = link_of(entry["source"])
    source = f"[{entry['source']}]({address})" if address else entry["source"]
    lines = [
        f"### {entry['id']} {entry['title']} {{ #{entry['id'].lower()} }}",
        "",
        f"**{entry['level']}**{levels} - revisions {', '.join(entry['revisions'])} - {source}",
        "",
        entry["text"].replace("<", "&lt;"),
        "",
    ]
    if entry["contradiction"]:
        lines += ['!!! note "The texts disagree"', "", f"    {entry['contradiction']}", ""]
    if entry["needs"]:
        lines += [f"- Applies where the relay offers: {', '.join(entry['needs'])}"]
    if entry["checks"]:
        names = [f"`{legible.on_one_line(one).partition('/')[2]}`" for one in entry["checks"]]
        lines += [f"- Checks: {', '.join(names)}"]
        rogues = ", ".join(f"`{one}`" for one in entry["rogues"])
        lines += [f"- Rogues: {rogues or entry.get('no_rogue', 'none')}"]
    else:
        lines += [f"- No check: {entry['reason']}"]
    return [*lines, ""]
