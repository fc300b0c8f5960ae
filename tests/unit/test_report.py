"""The report: offline, without script, complete, and safe from what people type."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from lxml import html

from labelloop.contracts import contract
from labelloop.report import Source, report_page
from labelloop.report.page import SECTIONS
from labelloop.spec import load_spec
from tests.builders.digits import SPEC
from tests.builders.rows import hex_id, rows_of

pytestmark = pytest.mark.slow

AT = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
NAMES = ("batches", "annotations", "labels", "agreement", "annotators", "evaluations")
NAMES += ("datasets", "models", "receipts", "quarantine")
HOSTILE = '</svg></td><script src="https://evil.example/x.js">alert("1")</script>\x00\u202e<img src=//evil.example/y>'


def empty() -> dict[str, pa.Table]:
    return {name: contract(name).schema.empty_table() for name in NAMES}


def full(label: str = "7") -> dict[str, pa.Table]:
    strata = ["exploit", "explore", "audit"]
    batches = [
        {"round": 1 + i // 20, "rank": i, "stratum": strata[i % 3], "strategy": "hybrid", "reason": f"reason {i}"}
        for i in range(60)
    ]
    people = [f"a-{i}{i:011x}" for i in range(4)]
    agreement = [
        {"scope": "project", "who": "", "metric": metric, "value": value, "low": value - 0.1, "high": value + 0.1}
        for metric, value in (("krippendorff_alpha", 0.72), ("percent_agreement", 0.8), ("fleiss_kappa", 0.71))
    ]
    agreement += [{"scope": "project", "who": "", "metric": "cohen_kappa", "reason": "four annotators"}]
    agreement += [
        {"scope": "pair", "who": f"{people[0]} {p}", "metric": "cohen_kappa", "value": 0.6, "low": 0.5, "high": 0.7}
        for p in people[1:]
    ]
    agreement += [
        {"scope": "annotator", "who": p, "metric": "percent_agreement", "value": 0.9, "low": 0.8, "high": 0.95}
        for p in people
    ]
    annotators = [
        {
            "annotator": p,
            "n": 60,
            "accuracy": 0.95 - 0.15 * (i == 3),
            "accuracy_low": 0.7,
            "accuracy_high": 0.99,
            "difference": 0.02 - 0.16 * (i == 3),
            "difference_low": -0.05 - 0.17 * (i == 3),
            "difference_high": 0.09 - 0.16 * (i == 3),
            "flagged": i == 3,
            "median_seconds": 2.5,
        }
        for i, p in enumerate(people)
    ]
    evaluations = [
        {
            "round": r,
            "arm": "loop",
            "evidence": "audit",
            "value": 0.7 + 0.07 * r,
            "low": 0.6,
            "high": 0.97,
            "n": 20 * r,
        }
        for r in (1, 2, 3)
    ]
    evaluations += [
        {"round": r, "arm": arm, "seed": seed, "value": 0.7 + 0.05 * r + lead + 0.01 * seed, "evidence": "simulated"}
        for r in (1, 2, 3)
        for arm, lead in (("active", 0.03), ("random", 0.0))
        for seed in range(3)
    ]
    labels = [{"control": "digit", "label": label if i % 3 else "1", "state": "accepted"} for i in range(50)]
    labels += [{"control": "digit", "state": "conflict"}] * 4
    splits = '{"train": 40, "validation": 0, "test": 0, "audit": 10}'
    given = {
        "batches": batches,
        "annotations": [{"unit_id": hex_id(i % 60), "state": "active"} for i in range(80)],
        "labels": labels,
        "agreement": [{"round": 3, "control": "digit"} | row for row in agreement],
        "annotators": annotators,
        "evaluations": evaluations,
        "datasets": [{"splits": splits, "state": "erased", "replaced_by": "v2"}, {"splits": splits}],
        "models": [{"promoted": True, "reason": "+0.1 against the majority class"}, {"trained_on_erased": True}],
        "receipts": [{}],
        "quarantine": [{"stage": "score", "contract": "references", "rule": "the object is no image"}] * 3,
    }
    return {name: rows_of(name, rows) for name, rows in given.items()}


def page_of(tables: dict[str, pa.Table], spec: str = SPEC) -> bytes:
    return report_page(Source(load_spec(spec), tables, AT, "data-docs/index.html"))


@pytest.fixture(scope="module")
def page() -> bytes:
    return page_of(full())


@pytest.fixture(scope="module")
def tree(page):
    return html.document_fromstring(page)


def foreign(page: bytes) -> list[bytes]:
    """Addresses outside the page, save the names of XML namespaces, which nobody loads."""
    named = re.sub(rb'xmlns(:\w+)?="[^"]*"', b"", page)
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


def test_a_project_without_any_row_says_so_in_every_section():
    tree = html.document_fromstring(page_of(empty()))
    assert len(tree.xpath("//main/section")) == len(SECTIONS)
    assert tree.xpath("//svg") == []
    assert all("No" in lead for lead in tree.xpath("//section/p[1]/text()"))


def test_the_same_tables_give_the_same_page(page):
    assert page_of(full()) == page
