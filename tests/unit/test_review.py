"""Which units an expert looks at, and what is shown of the answers."""

from __future__ import annotations

from typing import Any

import pytest

from labelloop.review import review_cases
from labelloop.review_project import reviewing_spec, showing_answers, with_answers_shown
from labelloop.spec import ProjectSpec, load_spec
from tests.builders.digits import SPEC
from tests.builders.rows import hex_id, rows_of

PEOPLE = [{"annotator": who, "level": "expert" if who == "x" else "annotator"} for who in "abx"]


def spec_with(**review: Any) -> ProjectSpec:
    spec = load_spec(SPEC)
    return spec.model_copy(update={"review": spec.review.model_copy(update={"share": 0.0, **review})})


def said(unit: int, who: str, kind: str = "choices", **values: Any) -> dict[str, Any]:
    same = {"annotation_id": f"{unit}{who}", "unit_id": hex_id(unit), "annotator": who, "control": "q"}
    return same | {"control_type": kind, "state": "active", "raw": "[]"} | values


def bucketed(unit: int, who: str, **buckets: str) -> dict[str, Any]:
    ranked = [{"item": item, "rank": 1, "bucket": bucket} for item, bucket in buckets.items()]
    return said(unit, who, "ranking", ranked=ranked)


def box(unit: int, who: str, x: float) -> dict[str, Any]:
    region = dict.fromkeys(("rotation", "start", "end", "text", "frames"))
    return said(
        unit,
        who,
        "rectangle",
        regions=[region | {"region_id": "r", "labels": ["car"], "points": [x, 0.0, 10.0, 10.0]}],
    )


def label(unit: int, confidence: float, **values: Any) -> dict[str, Any]:
    plain = {"state": "accepted", "decided_by": "consensus"}
    return {"unit_id": hex_id(unit), "control": "q", "confidence": confidence} | plain | values


def cases(
    spec: ProjectSpec, answers: list[dict], labels: list[dict] = (), state: str = "answered"
) -> list[tuple[int, str, float]]:
    found = review_cases(
        spec,
        labels=rows_of("labels", labels),
        conflicts=rows_of("labels", [row for row in labels if row["state"] == "conflict"]),
        annotations=rows_of("annotations", answers),
        people=rows_of("annotators", PEOPLE),
        tasks=rows_of("tasks", [{"unit_id": hex_id(u), "state": state} for u in range(9)]),
    )
    return [(int(row["unit_id"], 16), row["reason"], round(row["change"], 3)) for row in found.to_pylist()]


def test_items_in_different_buckets_are_a_case_and_items_in_the_same_are_none():
    answers = [bucketed(0, "a", i="best", j="worst"), bucketed(0, "b", i="worst", j="best")]
    answers += [bucketed(1, "a", i="best", j="worst"), bucketed(1, "b", i="best", j="worst")]
    assert cases(spec_with(), answers) == [(0, "unlike", 1.0)]


def test_boxes_that_hardly_overlap_are_a_case_before_those_that_do_more():
    answers = [
        box(0, "a", 0.0),
        box(0, "b", 5.0),
        box(1, "a", 0.0),
        box(1, "b", 50.0),
        box(2, "a", 0.0),
        box(2, "b", 0.0),
    ]
    assert cases(spec_with(), answers) == [(1, "unlike", 1.0), (0, "unlike", 0.667)]


def test_the_label_that_a_ruling_most_likely_changes_comes_first():
    labels = [label(0, 0.6, state="conflict"), label(1, 0.3, state="conflict"), label(2, 0.9)]
    answers = [said(u, who) for u in range(3) for who in "ab"]
    assert cases(spec_with(), answers, labels) == [(1, "conflict", 0.7), (0, "conflict", 0.4)]
    assert cases(spec_with(share=1.0), answers, labels)[-1] == (2, "sample", 0.1)


def test_remarks_that_differ_make_no_ruling_likelier():
    spec, answers = spec_with(share=1.0), [said(0, who) for who in "ab"]
    spec = spec.model_copy(update={"interface": spec.interface.model_copy(update={"remarks": ("why",)})})
    assert cases(spec, answers, [label(0, 0.9), label(0, 0.2, control="why")]) == [(0, "sample", 0.1)]


@pytest.mark.parametrize("decided", ["expert", "gold"])
def test_what_is_decided_already_is_no_case(decided):
    assert cases(spec_with(share=1.0), [said(0, "a")], [label(0, 0.9, decided_by=decided)]) == []
    answers = [bucketed(0, "a", i="best"), bucketed(0, "b", i="worst"), bucketed(0, "x", i="best")]
    assert cases(spec_with(), answers) == []


def test_what_is_still_asked_of_annotators_is_no_case_yet():
    assert cases(spec_with(share=1.0), [said(0, "a")], [label(0, 0.9)], state="open") == []


def test_what_was_only_said_in_somebodys_first_answers_is_seen_by_an_expert():
    answers = [said(u, "a") for u in range(3)] + [said(2, "b")]
    found = cases(spec_with(novice_answers=2), answers, [label(u, 0.8) for u in range(3)])
    assert found == [(0, "novice", 0.2), (1, "novice", 0.2)]


def test_the_reviewing_project_asks_the_same_questions_and_fits_label_studio():
    spec = load_spec(SPEC).model_copy(update={"title": "x" * 50})
    reviewing = with_answers_shown(reviewing_spec(spec))
    assert len(reviewing.title) == 50
    assert reviewing.interface.asked == spec.interface.asked
    assert '<Table name="competing_answers" value="$competing_answers"/>' in reviewing.interface.xml


def test_a_dialogue_beside_the_items_is_no_list_of_items():
    turns, items = [{"author": "user", "text": "Why?"}], [{"id": "i", "title": "Seas"}]
    said_of = rows_of("annotations", [bucketed(0, "a", i="best")])
    found = showing_answers({hex_id(0): {"data": {"talk": turns, "passages": items}}}, said_of)
    assert found[hex_id(0)]["data"]["competing_answers"] == {"q · a": "best: Seas"}
