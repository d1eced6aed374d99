"""The site and the history: what they show, where their links lead, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import orjson
import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner

from nip_ap import cli
from nip_ap.engine.explained_clauses import every_clause_explained
from nip_ap.model.clauses import register
from nip_ap.model.verdict import Verdict
from nip_ap.reporting.collect import site, summaries
from nip_ap.reporting.collect.collection import changes, clauses_of, gather, plain_name
from nip_ap.reporting.collect.site import write_site
from nip_ap.reporting.collect.summaries import FOLDER, Summaries
from nip_ap.reporting.formats.page import html_of
from nip_ap.reporting.reading import read_report
from tests.reporting.reports import HOSTILE, PUBLISHED, made_report, result

DAY = 86_400.0


def put(folder, verdicts, *, day=0, **more):
    """A report.json with a clause of each of these verdicts, of a run on that day."""
    report = made_report(
        [result(clause, verdict) for clause, verdict in verdicts.items()],
        started=day * DAY,
        **more,
    )
    folder.mkdir(parents=True)
    (folder / "report.json").write_bytes(orjson.dumps(report.document.to_json()))
    return folder


def soup_of(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def text_of(element):
    return " ".join(element.get_text(" ").split())


@pytest.fixture
def relays(tmp_path):
    """Two relays, one of them with three runs."""
    folder = tmp_path / "in"
    put(folder / "alpha" / "1", {"AP-SLUG-01": Verdict.PASS, "AP-SLUG-02": Verdict.PASS})
    put(folder / "alpha" / "2", {"AP-SLUG-01": Verdict.PASS, "AP-SLUG-02": Verdict.FAIL}, day=1)
    put(folder / "alpha" / "3", {"AP-SLUG-01": Verdict.WARN, "AP-SLUG-02": Verdict.PASS}, day=2)
    put(folder / "beta", {"AP-SLUG-01": Verdict.PASS, "AP-REPL-01": Verdict.INCONCLUSIVE}, day=1)
    return folder


def matrix(page):
    """Signs by clause and column."""
    table = soup_of(page).find("table", class_="matrix")
    columns = [one.a.string for one in table.thead.find_all("th")[1:]]
    rows = [row for row in table.find_all("tr") if row.find("td")]
    return {
        (row.find(class_="id").string, column): text_of(cell)
        for row in rows
        for column, cell in zip(columns, row.find_all("td"), strict=True)
    }


def test_the_matrix_shows_the_latest_verdict_of_each_clause_on_each_relay(relays, tmp_path):
    assert write_site([relays], tmp_path / "site") == 4
    assert matrix(tmp_path / "site" / "index.html") == {
        ("AP-SLUG-01", "alpha"): "!",
        ("AP-SLUG-01", "beta"): "✓",
        ("AP-SLUG-02", "alpha"): "✓",
        ("AP-SLUG-02", "beta"): "·",
        ("AP-REPL-01", "alpha"): "·",
        ("AP-REPL-01", "beta"): "?",
    }


def test_rows_on_which_relays_agree_are_marked(relays, tmp_path):
    write_site([relays], tmp_path / "site")
    rows = soup_of(tmp_path / "site" / "index.html").find("table", class_="matrix").find_all("tr")
    same = {row.find(class_="id").string: "same" in row.get("class", ()) for row in rows if row.td}
    assert same == {"AP-SLUG-01": False, "AP-SLUG-02": True, "AP-REPL-01": True}


def dead_links(site):
    """Links of all pages that lead to no file, or to no element of it."""
    dead = []
    for page in site.rglob("*.html"):
        soup = soup_of(page)
        for element in soup.find_all(["a", "img"]):
            address = urlsplit(element.get("href") or element.get("src"))
            if address.scheme in ("https", "data"):
                continue
            target = (page.parent / unquote(address.path)).resolve() if address.path else page
            there = target.is_file()
            if there and address.fragment:
                there = soup_of(target).find(id=unquote(address.fragment)) is not None
            if not there:
                dead.append(f"{page.name}: {element.get('href') or element.get('src')}")
    return dead


def test_every_link_of_a_site_leads_somewhere(relays, tmp_path):
    write_site([relays], tmp_path / "site")
    assert dead_links(tmp_path / "site") == []


def test_the_site_of_the_published_reports_is_whole(tmp_path):
    count = len(list(PUBLISHED.glob("*/report.json")))
    assert write_site([PUBLISHED], tmp_path) == count
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) == 1 + 2 * count
    signs = matrix(tmp_path / "index.html")
    for path in PUBLISHED.glob("*/report.json"):
        for clause in json.loads(path.read_text())["clauses"]:
            assert signs[clause["id"], path.parent.name] != "·"


def test_each_relay_has_its_badge_and_each_run_its_page(relays, tmp_path):
    write_site([relays], tmp_path)
    badge = ElementTree.parse(tmp_path / "beta" / "badge.svg").getroot()
    assert badge.get("aria-label") == "NIP-AP 2026-11: inconclusive, 1970-01-02"
    runs = [one for one in (tmp_path / "alpha").iterdir() if one.is_dir()]
    assert sorted(one.name[:8] for one in runs) == ["19700101", "19700102", "19700103"]
    for run in runs:
        files = {one.name for one in run.iterdir()}
        assert files == {"report.html", "report.json", "badge.svg", "badge.json"}


def test_a_history_says_what_broke_and_what_was_fixed(relays, tmp_path):
    write_site([relays], tmp_path)
    rows = soup_of(tmp_path / "alpha" / "index.html").find("table", class_="relays").tbody
    told = [text_of(row.find(class_="changed")) for row in rows.find_all("tr")]
    assert told == [
        "broke AP-SLUG-01 fixed AP-SLUG-02",
        "broke AP-SLUG-02",
        "the first of its revision",
    ]


def test_a_history_draws_a_line_through_its_runs(relays, tmp_path):
    write_site([relays], tmp_path)
    soup = soup_of(tmp_path / "alpha" / "index.html")
    fails = soup.find("g", class_="fail")
    assert fails.polyline["points"].split() == ["0.0,40.00", "50.0,0.00", "100.0,40.00"]
    assert soup_of(tmp_path / "beta" / "index.html").find("polyline") is None


@pytest.mark.parametrize("below", ["site", "."])
def test_a_site_can_be_written_into_the_folder_that_it_is_made_of(relays, below):
    for _ in range(2):
        assert write_site([relays], relays / below) == 4


def test_the_same_report_twice_counts_once(relays, tmp_path):
    assert write_site([relays, relays], tmp_path) == 4


def test_a_report_that_is_given_itself_is_called_by_its_folder(relays):
    assert [one.relay for one in gather([relays / "beta"], Summaries(relays))] == ["beta"]


def test_clauses_that_only_later_reports_have_stand_in_their_place(tmp_path):
    put(tmp_path / "a", {"AP-SLUG-01": Verdict.PASS, "AP-SLUG-03": Verdict.PASS})
    put(tmp_path / "b", dict.fromkeys(["AP-SLUG-02", "AP-SLUG-03", "AP-REPL-01"], Verdict.PASS))
    ids = [clause.id for clause in clauses_of(gather([tmp_path], Summaries(tmp_path)))]
    assert ids.index("AP-SLUG-02") < ids.index("AP-SLUG-03") < ids.index("AP-REPL-01")


@pytest.mark.parametrize(
    ("old", "new", "broken", "fixed"),
    [
        (Verdict.PASS, Verdict.FAIL, True, False),
        (Verdict.PASS, Verdict.WARN, True, False),
        (Verdict.UNSTABLE, Verdict.PASS, False, True),
        (Verdict.PASS, Verdict.INCONCLUSIVE, False, False),
        (Verdict.NOT_APPLICABLE, Verdict.PASS, False, False),
        (Verdict.FAIL, Verdict.FAIL, False, False),
    ],
)
def test_what_counts_as_a_change(tmp_path, old, new, broken, fixed):
    put(tmp_path / "x" / "1", {"AP-SLUG-01": old})
    put(tmp_path / "x" / "2", {"AP-SLUG-01": new}, day=1)
    found = changes(*gather([tmp_path], Summaries(tmp_path)))
    assert (bool(found.broken), bool(found.fixed)) == (broken, fixed)


@pytest.mark.parametrize("name", ["..", ".", "", "a/../../b", "<script>", "ü ß", "-"])
def test_no_relay_names_a_folder_outside_the_site(name):
    plain = plain_name(name)
    assert plain not in ("", ".", "..")
    assert set(plain) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


def test_relays_whose_names_look_alike_do_not_share_a_folder(tmp_path):
    for name in ("a b", "a+b", "A-B"):
        put(tmp_path / "in" / name, {"AP-SLUG-01": Verdict.PASS})
    write_site([tmp_path / "in"], tmp_path / "site")
    folders = [one.name.lower() for one in (tmp_path / "site").iterdir() if one.is_dir()]
    folders.remove(FOLDER)
    assert sorted(folders) == ["a-b", "a-b-2", "a-b-3"]


def test_a_hostile_relay_does_no_harm_to_a_site(tmp_path):
    for number, text in enumerate(HOSTILE):
        put(
            tmp_path / "in" / f"relay {number}" / "run",
            {"AP-SLUG-01": Verdict.FAIL},
            information={"name": text, "software": text, "version": text},
        )
    write_site([tmp_path / "in"], tmp_path / "site")
    for page in [tmp_path / "site" / "index.html", *(tmp_path / "site").glob("*/index.html")]:
        soup = soup_of(page)
        assert soup.find_all(["script", "iframe", "form", "object", "base"]) == []
        assert all(one["src"] == "badge.svg" for one in soup.find_all("img"))
        policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
        assert "script-src" not in policy
        assert policy.startswith("default-src 'none'")


# -- the commands -----------------------------------------------------------------------------


def command(*arguments):
    return CliRunner().invoke(cli.main, [str(one) for one in arguments])


def test_the_history_command_prints_a_line_a_run_and_writes_a_page(relays):
    done = command("history", relays / "alpha")
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert lines[0] == "1970-01-01 00:00  2026-11  conformant      2 pass"
    assert lines[2].strip() == "broken since: AP-SLUG-02"
    assert (relays / "alpha" / "history.html").is_file()
    assert "alpha" in text_of(soup_of(relays / "alpha" / "history.html").h1)


def test_a_history_links_the_pages_that_lie_beside_its_reports(relays):
    (relays / "alpha" / "2" / "report.html").write_text("<p>")
    command("history", relays / "alpha")
    table = soup_of(relays / "alpha" / "history.html").find("table", class_="relays")
    assert [one["href"] for one in table.find_all("a")] == ["2/report.html"]


def test_the_site_command_says_where_the_site_is(relays, tmp_path):
    done = command("site", relays, "--out", tmp_path / "site")
    assert (done.exit_code, done.output.split()) == (
        0, ["4", "reports:", str(tmp_path / "site" / "index.html")],
    )  # fmt: skip


@pytest.mark.parametrize("name", ["site", "history"])
def test_a_folder_without_reports_is_a_mistake_of_usage(tmp_path, name):
    done = command(name, tmp_path)
    assert done.exit_code == 4
    assert "there is no report.json" in done.output


@pytest.mark.parametrize("name", ["site", "history"])
def test_a_broken_report_is_named(tmp_path, name):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "report.json").write_text("{}")
    done = command(name, tmp_path)
    assert done.exit_code == 4
    assert str(Path("x") / "report.json") in done.output


# -- what did not change ---------------------------------------------------------------------------


@pytest.fixture
def rendered(monkeypatch):
    """The pages of runs that were rendered, by their relay's software."""
    found = []

    def counting(report, clause_pages):
        found.append(report.document.run.started)
        return html_of(report, clause_pages)

    monkeypatch.setattr(site, "html_of", counting)
    return found


def content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and FOLDER not in path.parts
    }


def test_a_second_site_renders_what_changed_and_says_the_same(relays, tmp_path, rendered):
    write_site([relays], tmp_path)
    before = content(tmp_path)
    assert len(rendered) == 4
    write_site([relays], tmp_path)
    assert len(rendered) == 4
    assert content(tmp_path) == before
    put(relays / "alpha" / "4", {"AP-SLUG-01": Verdict.FAIL}, day=3)
    write_site([relays], tmp_path)
    assert rendered[4:] == ["1970-01-04T00:00:00+00:00"]
    assert matrix(tmp_path / "index.html")["AP-SLUG-01", "alpha"] == "✗"


def test_a_report_that_changed_and_a_page_that_is_gone_are_made_anew(relays, tmp_path, rendered):
    write_site([relays], tmp_path)
    changed = relays / "beta" / "report.json"
    changed.write_bytes(changed.read_bytes().replace(b'"version":null', b'"version":"9.9"'))
    page = next((tmp_path / "alpha").glob("*/report.html"))
    page.unlink()
    write_site([relays], tmp_path)
    assert len(rendered) == 6
    assert page.is_file()
    assert "9.9" in (tmp_path / "index.html").read_text()


def test_a_broken_summary_is_made_anew(relays, tmp_path, rendered):
    write_site([relays], tmp_path)
    for file in (tmp_path / FOLDER).iterdir():
        file.write_bytes(b"{")
    write_site([relays], tmp_path)
    assert len(rendered) == 8
    assert matrix(tmp_path / "index.html")["AP-SLUG-01", "alpha"] == "!"


def test_a_history_is_made_of_summaries_the_second_time(relays, monkeypatch):
    command("history", relays / "alpha")
    page = (relays / "alpha" / "history.html").read_bytes()
    monkeypatch.setattr(summaries, "read_document", lambda path: pytest.fail(f"{path} was read"))
    assert command("history", relays / "alpha").exit_code == 0
    assert (relays / "alpha" / "history.html").read_bytes() == page


# -- pages of clauses ---------------------------------------------------------------------------


def test_each_clause_has_a_page_that_every_report_and_the_matrix_lead_to(relays, tmp_path):
    write_site([relays], tmp_path, every_clause_explained())
    pages = {one.stem for one in (tmp_path / "clauses").glob("*.html")}
    assert pages == {one.id for one in register()}
    assert dead_links(tmp_path) == []
    rows = soup_of(tmp_path / "index.html").find("table", class_="matrix")
    assert rows.find("a", string="AP-SLUG-01")["href"] == "clauses/AP-SLUG-01.html"
    for report in tmp_path.glob("alpha/*/report.html"):
        clause = soup_of(report).find(id="AP-SLUG-01")
        assert clause.find("a", href="../../clauses/AP-SLUG-01.html")


def test_the_page_of_a_clause_tells_checks_remedies_and_runs(relays, tmp_path):
    write_site([relays], tmp_path, every_clause_explained())
    page = soup_of(tmp_path / "clauses" / "AP-SLUG-01.html")
    told = text_of(page)
    one = next(one for one in every_clause_explained() if one.clause.id == "AP-SLUG-01")
    assert one.clause.text[:40] in told
    for check in one.checks:
        assert check.lines.splitlines()[0].strip() in told
    for rogue in one.rogues:
        assert rogue.name in told
    row = page.find("table", class_="relays").tbody.find("th", string="alpha").parent
    assert len(row.find_all("a")) > 1, "the latest run, and those before it"


def test_a_report_without_a_site_names_the_command_that_explains(relays):
    report = read_report(next(relays.rglob("report.json")))
    clause = BeautifulSoup(html_of(report), "html.parser").find(id="AP-SLUG-01")
    assert clause.find("code", string="nip-ap explain AP-SLUG-01")
