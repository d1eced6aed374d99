"""The site in a browser: it opens, narrows, leads to a clause, and fits on a phone."""

from __future__ import annotations

import pytest

from nip_ap.reporting.collect.site import write_site
from tests.reporting.reports import PUBLISHED

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    write_site([PUBLISHED], folder)
    return folder


def test_a_sign_leads_to_the_clause_on_that_relays_page(open_page, site):
    page = open_page((site / "index.html").as_uri())
    page.get_by_role("link", name="AP-SLUG-05 on nostr-sdk: fail").click()
    page.wait_for_function("document.activeElement.parentElement.id === 'AP-SLUG-05'")
    assert page.locator("#AP-SLUG-05 .text").is_visible()


def test_the_matrix_can_be_narrowed_to_what_differs(open_page, site):
    page = open_page((site / "index.html").as_uri())
    rows = page.locator(".matrix tr:has(td)")
    everything = rows.evaluate_all("all => all.filter(one => one.checkVisibility()).length")
    page.get_by_label("Only clauses on which relays differ").check()
    fewer = rows.evaluate_all("all => all.filter(one => one.checkVisibility()).length")
    assert 0 < fewer < everything


@pytest.mark.parametrize("width", [390, 1400])
def test_no_page_is_wider_than_the_screen(open_page, site, width):
    for page in (site / "index.html", site / "nostr-sdk" / "index.html"):
        shown = open_page(page.as_uri(), viewport={"width": width, "height": 800})
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        assert shown.locator("h1").bounding_box()["y"] < 250
