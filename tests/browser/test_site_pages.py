"""The site in a browser: it opens, narrows, leads to a clause, and fits on a phone."""

from __future__ import annotations

import pytest

from nip_ap.engine.explained_clauses import every_clause_explained
from nip_ap.reporting.collect.site import write_site
from tests.reporting.reports import PUBLISHED

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    write_site([PUBLISHED], folder, every_clause_explained())
    return folder


def test_a_sign_leads_to_the_clause_on_that_relays_page(open_page, site):
    page = open_page((site / "index.html").as_uri())
    page.get_by_role("link", name="AP-SLUG-05 on nostr-sdk: fail").click()
    page.locator("#AP-SLUG-05 > summary:focus").wait_for()
    assert page.locator("#AP-SLUG-05 .text").is_visible()


def test_a_report_leads_to_the_page_of_a_clause_and_back(open_page, site):
    page = open_page((site / "index.html").as_uri())
    page.get_by_role("link", name="AP-SLUG-05", exact=True).click()
    assert page.locator("h1").inner_text().startswith("A slug with an upper-case letter")
    assert page.locator(".remedy").count() > 0
    page.get_by_role("row", name="nostr-sdk 2026-06").get_by_role("link").first.click()
    page.locator("#AP-SLUG-05 > summary:focus").wait_for()
    page.locator("#AP-SLUG-05").get_by_role("link", name="how it is broken and fixed").click()
    page.wait_for_url("**/clauses/AP-SLUG-05.html")


def test_the_matrix_can_be_narrowed_to_what_differs(open_page, site):
    page = open_page((site / "index.html").as_uri())
    rows = page.locator(".matrix tr:has(td)")
    everything = rows.evaluate_all("all => all.filter(one => one.checkVisibility()).length")
    page.get_by_label("Only clauses on which relays differ").check()
    fewer = rows.evaluate_all("all => all.filter(one => one.checkVisibility()).length")
    assert 0 < fewer < everything


@pytest.mark.parametrize("width", [390, 1400])
def test_no_page_is_wider_than_the_screen(open_page, site, width):
    clauses = [site / "clauses" / f"{one}.html" for one in ("AP-REPL-03", "AP-READ-17")]
    for page in (site / "index.html", site / "nostr-sdk" / "index.html", *clauses):
        shown = open_page(page.as_uri(), viewport={"width": width, "height": 800})
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        assert shown.locator("h1").bounding_box()["y"] < 250
