"""The report in a browser: on a phone, on a desk, in the dark and by keyboard, with nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from labelloop.report import Source, report_page
from labelloop.spec import load_spec
from tests.browser.contrasts import CONTRASTS
from tests.builders.digits import SPEC
from tests.builders.report_tables import AT, STUDIO, full

pytestmark = pytest.mark.browser

_FOCUSABLE = "a[href], [tabindex='0']"
_NUMBERED = f"document.querySelectorAll(`{_FOCUSABLE}`).forEach((element, n) => element.dataset.n = n)"
_TEXTS = "p, a, td, th, caption, figcaption, h1, h2, li span"


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("report") / "index.html"
    path.write_bytes(report_page(Source(load_spec(SPEC), full(), AT, "data-docs/index.html", STUDIO)))
    return path.as_uri()


@pytest.fixture(params=[(360, "light"), (360, "dark"), (1280, "light"), (1280, "dark")], ids=str)
def page(request, browser) -> Iterator[Page]:
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    yield context.new_page()
    context.close()


def test_the_report_fits_is_legible_loads_nothing_and_is_reached_by_keyboard(page, address):
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(address)
    assert (asked, complaints) == ([address], [])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert min(page.evaluate(CONTRASTS, _TEXTS)) >= 4.5
    page.evaluate(_NUMBERED)
    reached = []
    for _ in range(page.locator(_FOCUSABLE).count()):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.dataset.n"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert reached == [str(n) for n in range(len(reached))]


def test_the_first_key_leads_past_the_menu(browser, address):
    page = browser.new_page()
    page.goto(address)
    page.keyboard.press("Tab")
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id === 'figures'")
