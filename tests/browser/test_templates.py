"""Each template in a real browser: somebody answers its sample, and the typed answer arrives in the lake.

`make screenshots` keeps a picture of each answered page for the docs.
"""

from __future__ import annotations

import pytest

from deployments.cli.templates import template_names
from tests.browser.answered import ANSWERED, FIRST, SECOND, THIRD, ranked
from tests.browser.arrived import arrived
from tests.browser.contrasts import CONTRASTS

pytestmark = pytest.mark.browser


def test_every_template_is_answered():
    assert sorted(ANSWERED) == template_names()


@pytest.mark.parametrize("template", ANSWERED)
def test_what_somebody_answers_arrives_and_nothing_is_not_taken(template, opened, pictures, tmp_path):
    world, page = opened(template)
    assert page.cannot_submit()
    ANSWERED[template].act(page)
    if pictures != tmp_path:
        page.photograph(pictures / f"{template}.png")
    page.submit()
    assert arrived(world) == ANSWERED[template].arrives


def test_items_are_legible_in_the_dark(opened):
    _, page = opened("rag-relevance")
    page.page.evaluate("document.documentElement.dataset.colorScheme = 'dark'")
    assert min(page.page.evaluate(CONTRASTS, ".htx-ranker-item :is(h5, p)")) >= 4.5


def test_a_ranking_that_is_not_confirmed_is_not_taken(opened):
    world, page = opened("triage")
    page.drag_into("act now", SECOND)
    page.type("rationale", "smoke")
    assert "urgency_confirmed" in page.refuses_to_submit()
    page.choose("what is left fits nowhere")
    page.submit()
    assert arrived(world)["urgency"] == ranked(_=[FIRST, THIRD], act_now=[SECOND])


def test_a_ranking_that_nobody_touched_arrives_unsorted_and_only_when_confirmed(opened):
    world, page = opened("near-duplicates")
    page.choose("what is left fits nowhere")
    page.submit()
    assert arrived(world) == {
        "alike": ranked(_=[FIRST, SECOND, THIRD]),
        "alike_confirmed": ["what is left fits nowhere"],
    }
