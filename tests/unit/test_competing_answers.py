"""What an expert is told of each answer: where annotators differ, and nothing that could not be shown."""

from __future__ import annotations

from typing import Any

import pytest

from labelloop.competing_answers import competing_answers
from tests.builders.rows import rows_of

TITLES = {"u": {"i": "Smoke", "j": "Fog"}}


def said(who: str = "a", control: str = "q", **values: Any) -> dict[str, Any]:
    same = {"annotation_id": who, "unit_id": "u", "annotator": who, "control": control}
    return same | {"control_type": "choices", "state": "active", "raw": "[]"} | values


def told(*answers: dict[str, Any]) -> dict[str, str]:
    return competing_answers(rows_of("annotations", list(answers)), TITLES).get("u", {})


def region(label: str | None = "car", **values: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("points", "rotation", "start", "end", "text", "frames"))
    return empty | {"region_id": "r", "labels": [label] if label else None} | values


def placed(item: str, rank: int, bucket: str | None = None) -> dict[str, Any]:
    return {"item": item, "rank": rank, "bucket": bucket}


def of_region(**values: Any) -> dict[str, Any]:
    return {"region_id": "r", "choices": None, "number": None, "text": None} | values


def frame(number: int) -> dict[str, Any]:
    return {"frame": number, "points": [5.0, 5.0, 9.0, 9.0], "rotation": 0.0, "enabled": True}


ARROW = {"from_id": "r", "to_id": "s", "direction": "right", "labels": []}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"choices": ["cat", "dog"]}, "cat, dog"),
        ({"paths": [["Clothing", "Shoes"], ["Toys"]]}, "Clothing > Shoes, Toys"),
        ({"number": 0.0}, "0"),
        ({"text": "<b>it</b> smokes"}, "<b>it</b> smokes"),
        ({"ranked": [placed("i", 1), placed("j", 0), placed("k", 2)]}, "order: Fog, Smoke, k"),
        ({"ranked": [placed("i", 0, "later"), placed("j", 0, "_")]}, "unsorted: Fog; later: Smoke"),
        ({"regions": [region(points=[20.2, 30.0, 40.0, 40.0])]}, "car at 20, 30 %, 40 x 40 %"),
        ({"regions": [region(None, points=[25.0, 50.0, 0.3])]}, "mark at 25, 50 %"),
        ({"regions": [region("person", start=0.0, end=5.0, text="Alice")]}, "person “Alice”"),
        ({"regions": [region("speech", start=0.5, end=1.25), region("hum")]}, "speech from 0.5 to 1.25; hum"),
        ({"regions": [region("x")] * 12}, "; ".join(["x"] * 10 + ["and 2 more"])),
        ({"regions": []}, "nothing"),
        ({"per_region": [of_region(choices=["a part"]), of_region(number=0.0)]}, "mark: a part; mark: 0"),
        ({"per_region": [of_region(text="x")] * 12}, "; ".join(["mark: x"] * 10 + ["and 2 more"])),
        ({"relations": [ARROW]}, "mark → mark"),
        ({"regions": [region("cat", frames=[frame(1), frame(9)])]}, "cat at 5, 5 %, 9 x 9 % from frame 1 to 9"),
        ({}, "nothing"),
    ],
)
def test_each_kind_of_answer_is_told_in_words(answer, words):
    assert told(said(**answer)) == {"q · a": words}


def test_what_is_said_of_marks_names_those_of_the_same_annotator():
    alice, acme = region("person", text="Alice"), region("firm", text="Acme") | {"region_id": "s"}
    arrows = [
        ARROW | {"labels": ["works for"]},
        ARROW | {"direction": "bi"},
        ARROW | {"from_id": "gone", "direction": "left"},
    ]
    found = told(
        said(control="marks", regions=[alice, acme]),
        said(control="sure", per_region=[of_region(number=2.0)]),
        said(control="links", relations=arrows),
        said("b", control="marks", regions=[region("person", text="Bob")]),
        said("b", control="sure", per_region=[of_region(choices=["hardly"])]),
    )
    assert found["sure · a"] == "person “Alice”: 2"
    assert found["sure · b"] == "person “Bob”: hardly"
    assert found["links · a"] == (
        "person “Alice” → firm “Acme” (works for); person “Alice” ↔ firm “Acme”; mark ← firm “Acme”"
    )


def test_answers_to_one_question_stand_together():
    answers = [said(who, control, choices=["1"]) for who in "ba" for control in ("second", "first")]
    assert list(told(*answers)) == ["first · a", "first · b", "second · a", "second · b"]


def test_withdrawn_and_skipped_answers_are_not_told_and_of_several_only_the_latest():
    earlier, later = (said(choices=[value], annotation_id=value) for value in ("1", "2"))
    assert told(later, earlier, said("b", state="cancelled"), said("c", state="deleted")) == {"q · a": "2"}


def test_what_label_studio_would_resolve_keeps_no_case_from_its_expert():
    assert told(said(text="'s3://other/secret'")) == {"q · a": "an answer that cannot be shown"}
