"""report.html in a browser: it opens, filters, unfolds, links, copies, stays alone."""

from __future__ import annotations

from itertools import pairwise

import pytest

from nip_ap.model.verdict import Verdict
from nip_ap.reporting.formats.page import html_of
from tests.reporting.reports import conversation, hostile_report, made_report, one_of_each, result

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Pages by name: with failures, conformant, hostile."""
    folder = tmp_path_factory.mktemp("pages")
    failing = made_report(
        [
            result("AP-SLUG-01", Verdict.PASS),
            result("AP-SLUG-02", Verdict.FAIL, "an empty slug was accepted"),
            result("AP-SLUG-03", Verdict.WARN),
            result("AP-REPL-01", Verdict.INCONCLUSIVE),
            result("AP-REPL-03", Verdict.FAIL, name="first"),
            result("AP-REPL-03", Verdict.PASS, name="second[a b]"),
            result("AP-GATE-01", Verdict.NOT_APPLICABLE),
            result("AP-DEL-01", Verdict.PASS, frames=300),
        ]
    )
    reports = {
        "failing": failing,
        "green": made_report([result("AP-SLUG-01", Verdict.PASS)]),
        "each": one_of_each(),
        "hostile": hostile_report(),
    }
    for name, report in reports.items():
        (folder / f"{name}.html").write_text(html_of(report), encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in reports}


def shown_clauses(page):
    return page.eval_on_selector_all(
        ".clause", "all => all.filter(one => one.checkVisibility()).map(one => one.id)"
    )


def test_the_verdict_is_what_one_sees_first(open_page, pages):
    page = open_page(pages["failing"])
    assert page.title() == "not conformant: a relay - NIP-AP conformance"
    assert page.locator("h1").inner_text() == "Not conformant"
    assert page.locator("h1").bounding_box()["y"] < 300
    first = page.locator(".finding").first
    assert "AP-SLUG-02" in first.inner_text()
    assert first.bounding_box()["y"] < 900, "what is broken is on the first screen"


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Failed", ["AP-SLUG-02", "AP-REPL-03"]),
        ("Warned", ["AP-SLUG-03"]),
        ("Undecided", ["AP-REPL-01"]),
        ("Not applicable", ["AP-GATE-01"]),
        ("Passed", ["AP-SLUG-01", "AP-DEL-01"]),
    ],
)
def test_a_filter_shows_its_clauses_and_says_how_many(open_page, pages, label, expected):
    page = open_page(pages["failing"])
    everything = shown_clauses(page)
    assert len(everything) == 7
    button = page.get_by_role("button", name=label)
    button.click()
    assert shown_clauses(page) == expected
    assert button.get_attribute("aria-pressed") == "true"
    assert page.get_by_role("status").inner_text() == f"{len(expected)} of 7 clauses"
    page.get_by_role("button", name="All 7").click()
    assert shown_clauses(page) == everything


def test_a_filter_without_clauses_cannot_be_chosen(open_page, pages):
    page = open_page(pages["green"])
    assert page.get_by_role("button", name="Failed 0").is_disabled()


def test_the_search_looks_into_clauses_and_names_of_checks(open_page, pages):
    page = open_page(pages["failing"])
    search = page.get_by_role("searchbox")
    search.fill("ap-repl second")
    assert shown_clauses(page) == ["AP-REPL-03"]
    search.fill("no such thing anywhere")
    assert shown_clauses(page) == []
    page.get_by_role("button", name="Show all").click()
    assert len(shown_clauses(page)) == 7
    assert search.input_value() == ""


def test_a_link_to_a_clause_opens_it_and_what_is_red_in_it(open_page, pages):
    page = open_page(pages["failing"] + "#AP-REPL-03")
    clause = page.locator("#AP-REPL-03")
    assert clause.evaluate("one => one.open")
    checks = clause.locator(".check")
    assert checks.evaluate_all("all => all.map(one => one.open)") == [True, False]
    page.locator("#AP-REPL-03 > summary:focus").wait_for()
    assert clause.evaluate("one => one.getBoundingClientRect().top") < 200


def test_a_link_to_a_check_opens_it_even_if_it_was_filtered_away(open_page, pages):
    page = open_page(pages["failing"])
    anchor = page.locator("[data-check='AP-REPL-03/second[a b]']").get_attribute("id")
    page.get_by_role("button", name="Warned").click()
    page.evaluate("anchor => { location.hash = anchor }", anchor)
    page.locator(f"details[id='{anchor}'][open]").wait_for()
    assert page.locator(f"[id='{anchor}']").is_visible()


def test_the_way_from_the_verdict_to_the_wire_is_one_click(open_page, pages):
    page = open_page(pages["failing"])
    page.locator(".finding").first.get_by_role("link", name="Show what went over the wire").click()
    frames = page.locator("#AP-SLUG-02 .frames li")
    frames.nth(3).wait_for()
    assert frames.first.is_visible()
    assert frames.count() == len(conversation("x", 3))


def test_a_transcript_is_unpacked_when_it_is_opened(open_page, pages):
    page = open_page(pages["failing"])
    assert page.locator("#AP-SLUG-01 .frames li").count() == 0
    page.locator("#AP-SLUG-01 > summary").click()
    page.locator("#AP-SLUG-01 .check > summary").click()
    frames = page.locator("#AP-SLUG-01 .frames li")
    frames.first.wait_for()
    assert frames.count() == len(conversation("x", 3))
    text = frames.nth(1).inner_text()
    assert "0.100" in text
    assert "owner → relay" in text
    assert frames.nth(1).locator(".json-key").first.inner_text() == '"id"'


def test_a_long_transcript_says_what_is_left_out(open_page, pages):
    page = open_page(pages["failing"] + "#AP-DEL-01")
    gap = page.locator("#AP-DEL-01 .gap")
    gap.wait_for()
    assert "frames are left out here; transcripts/AP-DEL-01" in gap.inner_text()


def test_a_long_frame_is_folded_until_asked(open_page, pages):
    page = open_page(pages["failing"] + "#AP-SLUG-02")
    frame = page.locator("#AP-SLUG-02 .frames .sent").first
    frame.wait_for()
    code = frame.locator("code")
    assert len(code.inner_text()) < 450
    fold = frame.get_by_role("button", name="Unfold")
    fold.click()
    assert "x" * 600 in code.inner_text()
    assert frame.get_by_role("button", name="Fold").get_attribute("aria-expanded") == "true"


def test_commands_and_frames_can_be_copied(open_page, pages):
    page = open_page(pages["failing"])
    first = page.locator(".finding").first
    first.get_by_role("button", name="Copy the command").click()
    page.locator(".finding .copy", has_text="Copied").first.wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == first.locator(".command code").inner_text()
    assert copied.startswith("nip-ap run ws://relay:1 --only AP-SLUG-02/a_check --seed seed")


def test_the_keyboard_is_enough(open_page, pages):
    page = open_page(pages["failing"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the clauses"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.type("AP-SLUG-01")
    assert shown_clauses(page) == ["AP-SLUG-01"]
    for _ in range(2):  # past "Open all shown"
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("#AP-SLUG-01").evaluate("one => one.open")
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    assert len(shown_clauses(page)) == 7


def test_all_that_is_shown_can_be_opened_at_once(open_page, pages):
    page = open_page(pages["failing"])
    page.get_by_role("button", name="Failed").click()
    page.get_by_role("button", name="Open all shown").click()
    opened = page.eval_on_selector_all(".clause[open]", "all => all.map(one => one.id)")
    assert opened == ["AP-SLUG-02", "AP-REPL-03"]


def test_the_theme_follows_the_system_until_the_reader_chooses(open_page, pages):
    def background(page):
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    light = background(open_page(pages["failing"], color_scheme="light"))
    page = open_page(pages["failing"], color_scheme="dark")
    dark = background(page)
    assert light != dark
    theme = page.get_by_role("button", name="Theme")
    theme.click()
    assert theme.inner_text() == "Theme: light"
    assert background(page) == light
    page.reload()
    assert background(page) == light, "the choice is remembered"


@pytest.mark.parametrize("width", [320, 390, 768, 1400])
@pytest.mark.parametrize("name", ["failing", "hostile"])
def test_nothing_is_wider_than_the_screen(open_page, pages, width, name):
    page = open_page(pages[name], viewport={"width": width, "height": 800})
    page.get_by_role("button", name="Open all shown").click()
    for check in page.locator(".check > summary").all()[:4]:
        check.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_broken_is_opened_for_paper(open_page, pages, theme):
    page = open_page(pages["failing"], color_scheme=theme)
    page.emulate_media(media="print")
    body = "getComputedStyle(document.body)"
    assert page.evaluate(f"{body}.backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate(f"{body}.color") == "rgb(0, 0, 0)"
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.locator("#AP-SLUG-02 .frames li").nth(3).wait_for()
    assert page.locator("#AP-SLUG-02 .frames").is_visible()
    assert page.locator(".controls").is_hidden()
    assert page.locator("#AP-SLUG-01 .text").is_hidden()
    assert page.pdf()[:4] == b"%PDF"


def test_without_scripts_the_verdict_and_the_frames_can_be_read(open_page, pages):
    page = open_page(pages["failing"], java_script_enabled=False)
    assert page.locator("h1").inner_text() == "Not conformant"
    assert page.get_by_role("searchbox").count() == 0
    page.locator("#AP-SLUG-02 > summary").click()
    page.locator("#AP-SLUG-02 .check > summary").click()
    assert page.locator("#AP-SLUG-02 .frames li").count() == 6


def test_a_hostile_relay_runs_nothing(open_page, pages):
    page = open_page(pages["hostile"])
    page.get_by_role("button", name="Open all shown").click()
    for check in page.locator(".check > summary").all():
        check.click()
    page.wait_for_function(
        "[...document.querySelectorAll('.check')].every(one => one.querySelector('.frames li'))"
    )
    for fold in page.locator(".fold").all()[:40]:
        fold.click()
    page.mouse.move(300, 300)
    assert page.evaluate("window.broken") is None
    assert page.locator("iframe, img, base, object, embed").count() == 0


# -- for those who listen, or see little ----------------------------------------------------


@pytest.mark.parametrize("name", ["failing", "green", "each"])
def test_the_page_has_landmarks_names_and_one_order_of_headings(open_page, pages, name):
    page = open_page(pages[name])
    assert page.evaluate("document.documentElement.lang") == "en"
    for role in ("banner", "main", "search", "navigation"):
        assert page.get_by_role(role).count() == 1, role
    levels = page.eval_on_selector_all(
        "h1, h2, h3, h4", "all => all.map(one => Number(one.tagName[1]))"
    )
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    nameless = page.eval_on_selector_all(
        "button, a, input, summary, [role=img], [role=region]",
        """all => all.filter(one => !(one.getAttribute('aria-label') || one.textContent.trim()
              || one.closest('label') || one.getAttribute('aria-labelledby')))
              .map(one => one.outerHTML.slice(0, 80))""",
    )
    assert nameless == []
    broken = page.eval_on_selector_all(
        "[aria-labelledby]",
        "all => all.map(one => one.getAttribute('aria-labelledby'))"
        ".filter(id => !document.getElementById(id))",
    )
    assert broken == []


CONTRAST = """
() => {
  const channel = (value) => {
    value /= 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parts(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = new Set();
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
    if (!own || !element.checkVisibility() || element.closest(":disabled, script, title")) continue;
    const style = getComputedStyle(element);
    const pair = [luminance(parts(style.color)), luminance(behind(element))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) found.add(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
  }
  return [...found];
}
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_stands_out_from_what_is_behind_it(open_page, pages, theme):
    page = open_page(pages["each"], color_scheme=theme)
    page.get_by_role("button", name="Open all shown").click()
    for check in page.locator(".check > summary").all():
        check.click()
    page.wait_for_function("document.querySelectorAll('.frames .received').length > 20")
    assert page.evaluate(CONTRAST) == []


def test_what_can_be_scrolled_can_be_reached_and_focus_can_be_seen(open_page, pages):
    page = open_page(pages["failing"])
    unreachable = page.eval_on_selector_all(
        "main *",
        """all => all.filter(one => one.scrollWidth > one.clientWidth + 1
              && ['auto', 'scroll'].includes(getComputedStyle(one).overflowX)
              && one.checkVisibility() && one.tabIndex < 0).map(one => one.className)""",
    )
    assert unreachable == []
    for _ in range(12):
        page.keyboard.press("Tab")
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert style != "none"
