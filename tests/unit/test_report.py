"""The report: offline, without script, complete, and safe from what people type."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
from lxml import html

from labelloop.report import Source, report_page
from labelloop.report.difficult import difficult_section
from labelloop.report.distribution import distribution
from labelloop.report.page import SECTIONS
from labelloop.report.training import labels_section
from labelloop.spec import load_spec
from tests.builders.digits import SPEC
from tests.builders.report_tables import AT, STUDIO, empty, full
from tests.builders.rows import rows_of

pytestmark = pytest.mark.slow

HOSTILE = '</svg></td><script src="https://evil.example/x.js">alert("1")</script>\x00\u202e<img src=//evil.example/y>'


def page_of(tables: dict[str, pa.Table], spec: str = SPEC) -> bytes:
    return report_page(Source(load_spec(spec), tables, AT, "data-docs/index.html", STUDIO))


@pytest.fixture(scope="module")
def page() -> bytes:
    return page_of(full())


@pytest.fixture(scope="module")
def tree(page):
    return html.document_fromstring(page)


def foreign(page: bytes) -> list[bytes]:
    """Addresses outside the page, save links and the names of XML namespaces, which nobody loads."""
    named = re.sub(rb'(xmlns(:\w+)?|<a href)="[^"]*"', b"", page)
    return re.findall(rb"(?:https?:)?//[^\s\"'<]+", named)


def test_the_page_loads_nothing_and_runs_nothing(page, tree):
    assert foreign(page) == []
    assert tree.xpath("//script | //link | //img | //iframe | //object | //@onload | //@onclick | //@src") == []
    [policy] = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none'")


def test_every_section_has_a_heading_a_place_in_the_menu_and_figures(tree):
    sections = tree.xpath("//main/section")
    assert len(sections) == len(SECTIONS)
    assert [f"#{s.get('id')}" for s in sections] == tree.xpath("//nav//a/@href")
    for section in sections:
        assert len(section.xpath("./h2")) == 1
        assert re.search(r"\d", "".join(section.xpath(".//td//text()"))), section.get("id")


def test_every_drawing_says_what_it_shows_and_every_table_has_a_caption(tree):
    drawings = tree.xpath("//figure/*[local-name() = 'svg']")
    assert len(drawings) >= 7
    assert all(d.get("role") == "img" and d.get("aria-label") for d in drawings)
    tables = tree.xpath("//table")
    assert all(t.xpath("./caption/text()") and t.xpath("./thead/tr/th[@scope='col']") for t in tables)
    assert len(tree.xpath("//h1")) == 1


def test_the_page_fits_a_phone(tree, page):
    assert tree.xpath("//meta[@name='viewport']")
    assert all(float(d.get("width")) < 520 for d in tree.xpath("//figure/*[local-name() = 'svg']"))
    assert b"max-width: 100%" in page


def test_figures_come_with_their_intervals(tree):
    text = " ".join(tree.xpath("//section[@id='agreement']//text()"))
    assert "0.720" in text
    assert "0.620 to 0.820" in text
    assert "four annotators" in text
    accuracy = " ".join(tree.xpath("//section[@id='accuracy']//text()"))
    assert "+0.030" in accuracy


def test_the_flagged_annotator_is_named_and_a_tile_asks_for_attention(tree):
    assert "a-300000000003" in "".join(tree.xpath("//section[@id='annotators']/p//text()"))
    assert tree.xpath("//li[contains(@class, 'alarm')]/span[1]/text()") == ["annotators flagged"]


def test_what_people_type_is_shown_as_text_and_never_obeyed():
    spec = SPEC.replace("title: Handwritten digits", "title: '<script>alert(1)</script> & co'")
    page = page_of(full(HOSTILE), spec)
    tree = html.document_fromstring(page)
    assert tree.xpath("//script | //img | //@src") == []
    assert tree.xpath("//h1/text()") == ["<script>alert(1)</script> & co"]
    assert any("</svg></td><script" in cell for cell in tree.xpath("//section[@id='labels']//td/text()"))
    assert "\x00" not in page.decode()
    assert "\u202e" not in page.decode()


@pytest.mark.parametrize(
    ("kind", "label", "counted", "difficult"),
    [
        ("ranking", '{"keep": ["x1", "y1"], "drop": ["z1"]}', [["drop", "1"], ["keep", "2"]], "2 x keep, drop"),
        ("ranking", '["x1", "y1"]', [["an order of 2", "1"]], "an order of 2"),
        ("text", "x1 y1", [["a text", "1"]], "a text"),
        ("rectangle", '["cat"]', [['["cat"]', "1"]], '["cat"]'),
    ],
)
def test_items_and_texts_are_counted_and_not_told(kind, label, counted, difficult):
    spec = load_spec(SPEC)
    asked = spec.interface.questions[0].model_copy(update={"type": kind})
    spec = spec.model_copy(update={"interface": spec.interface.model_copy(update={"questions": (asked,)})})
    row = {"control": "digit", "label": label, "state": "accepted", "confidence": 0.5, "n": 2}
    source = Source(spec, empty() | {"labels": rows_of("labels", [row])}, AT)
    assert [list(map(str, cells)) for cells in labels_section(source).grids[0].rows[:-1]] == counted
    assert difficult_section(source).grids[0].rows[0][2] == difficult


def test_a_project_without_any_row_says_so_in_every_section():
    tree = html.document_fromstring(page_of(empty()))
    assert len(tree.xpath("//main/section")) == len(SECTIONS)
    assert tree.xpath("//svg") == []
    assert all("No" in lead for lead in tree.xpath("//section/p[1]/text()"))


def test_the_same_tables_give_the_same_page(page):
    assert page_of(full()) == page


def section(tree, anchor: str) -> str:
    return " ".join(tree.xpath(f"//section[@id='{anchor}']//text()"))


def said_of_drawings(tree, anchor: str) -> list[str]:
    return tree.xpath(f"//section[@id='{anchor}']//*[local-name() = 'svg']/@aria-label")


def test_agreement_is_drawn_over_rounds_and_weeks_and_between_each_two(tree):
    said = " ".join(said_of_drawings(tree, "agreement"))
    assert "over each round" in said
    assert "over each week" in said
    assert "agreement of each two annotators" in said
    assert "Agreement of each label" in section(tree, "agreement")


def test_how_somebody_answers_is_told_but_not_drawn_as_agreement(tree):
    assert "0.310" in section(tree, "agreement")
    drawn = tree.xpath("//section[@id='agreement']//*[local-name() = 'svg']//*[local-name() = 'text']//text()")
    assert "0.60" in drawn
    assert "0.31" not in drawn


def test_bins_much_narrower_than_their_place_keep_apart_in_words():
    _, grid = distribution(np.array([0.0007, 0.0008, 0.0021]), of="score", counted="units", said="Scores.")
    assert len({words for words, _ in grid.rows}) == len(grid.rows)
    assert grid.rows[0] == ("0.00070 to 0.00084", 2)


def test_labels_that_are_confused_are_counted_over_all_annotators(tree):
    assert "16 of 176 answers differ from the label." in section(tree, "confusion")
    rows = tree.xpath("//section[@id='confusion']//tbody/tr")
    assert [row.xpath("./td/text()") for row in rows] == [["digit", "7", "1", "8"], ["digit", "1", "7", "8"]]


def test_difficult_units_lead_to_their_tasks(tree):
    links = tree.xpath("//section[@id='difficult']//td/a")
    assert (len(links), links[0].get("href")) == (20, f"{STUDIO}/projects/3/data?task=150")
    assert links[0].text == "task 150"


def test_people_and_the_model_are_compared_on_the_same_units(tree):
    assert any("the same 50 units" in said for said in said_of_drawings(tree, "labels"))


def test_throughput_forecast_and_cost_stand_together(tree):
    text = section(tree, "pace")
    assert "40 opinions are still wanted of open tasks; 80 came in 14 days." in text
    assert "the open tasks and another batch" in text
    assert "the spec sets no sampling.budget.hours_per_round" in text
    assert "0.600" in text


def counts_by(tree, anchor: str, figure: str) -> dict[str, int]:
    rows = tree.xpath(f"//section[@id='{anchor}']//table[contains(caption, ' by {figure}')]/tbody/tr")
    return {low: int(n) for low, n in (row.xpath("./td/text()") for row in rows)}


def test_the_newest_rounds_acquisition_scores_are_drawn_and_counted_without_random_draws(tree):
    assert any("Acquisition scores" in said for said in said_of_drawings(tree, "rounds"))
    counts = counts_by(tree, "rounds", "acquisition score")
    assert (len(counts), sum(counts.values())) == (10, 6)
    assert next(iter(counts)).startswith("0.700")


def test_how_long_answers_took_is_drawn_and_counted_with_idle_time_cut(tree):
    assert any("How long answers took" in said for said in said_of_drawings(tree, "pace"))
    counts = counts_by(tree, "pace", "seconds")
    assert sum(counts.values()) == 80
    assert max(float(bounds.split()[-1]) for bounds in counts) < 60  # one answer took an hour


def test_the_keyboard_may_skip_the_menu_and_every_place_it_leads_to_is_there(tree):
    assert tree.xpath("//body/*[1]/@href") == ["#figures"]
    places = {place.removeprefix("#") for place in tree.xpath("//a/@href") if place.startswith("#")}
    assert places <= set(tree.xpath("//@id"))
