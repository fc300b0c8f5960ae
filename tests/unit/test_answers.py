"""Answers from outside: four shapes, each with its own reasons to be refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from labelloop.answers import read_answers
from labelloop.contracts import contract
from labelloop.errors import InputError
from labelloop.score import answer_rows
from tests.unit.test_score import AT, ref

CLASSES = ("cat", "dog")
SURE, EVEN, BROKEN = [1.0, 0.0], [0.5, 0.5], [0.5, 0.6]


def box(label: str = "cat", score: float = 0.5, **changes) -> dict:
    return {"label": label, "score": score, "x": 1.0, "y": 2.0, "width": 3.0, "height": 4.0} | changes


def span(label: str = "cat", score: float = 0.5, **changes) -> dict:
    return {"label": label, "score": score, "start": 0, "end": 5} | changes


def refused(given: dict) -> dict[str, list[int]]:
    _, masks = read_answers(pa.table(given), CLASSES)
    return {rule: np.flatnonzero(mask).tolist() for rule, mask in masks.items() if mask.any()}


def rows(given: dict) -> list[dict]:
    said, _ = read_answers(pa.table(given), CLASSES)
    n = len(next(iter(given.values())))
    known = pa.table({"ref_id": [ref(i) for i in range(n)], "media_version": ["v1"] * n})
    table = answer_rows(known, said, version=pa.repeat("m", n), at=AT)
    assert table.schema == contract("predictions").schema
    return table.to_pylist()


@pytest.mark.parametrize("name", ["committee", "probabilities"])
def test_of_a_committee_the_members_and_their_mean_are_kept(name):
    (row,) = rows({name: [[SURE, EVEN, EVEN, EVEN]]})
    assert row["committee"] == [SURE, EVEN, EVEN, EVEN]
    assert row["probabilities"] == [0.625, 0.375]
    assert (row["predicted"], row["confidence"]) == ("cat", 0.625)


def test_a_committee_is_refused_whole_for_one_member():
    assert refused({"committee": [[SURE, EVEN], [SURE, BROKEN], [SURE], None]}) == {
        "missing": [3],
        "wrong_member_count": [2],
        "not_summing_to_one": [1],
    }


def test_a_committee_over_other_classes_is_refused():
    assert refused({"committee": [[[0.2, 0.3, 0.5]] * 2]}) == {"wrong_class_count": [0]}


def test_boxes_keep_every_field_and_the_least_sure_one_speaks_for_the_row():
    first, second = rows({"boxes": [[box(score=0.9), box("dog", 0.4)], []]})
    assert first["boxes"] == [box(score=0.9), box("dog", 0.4)]
    assert (first["confidence"], first["classes"]) == (0.4, ["cat", "dog"])
    assert (second["boxes"], second["confidence"]) == ([], None)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"label": "emu"}, "unknown_label"),
        ({"label": None}, "unknown_label"),
        ({"score": 1.5}, "not_a_confidence"),
        ({"score": float("nan")}, "not_a_confidence"),
        ({"score": -0.1}, "not_a_confidence"),
        ({"width": 0.0}, "no_extent"),
        ({"height": -1.0}, "no_extent"),
        ({"x": float("inf")}, "no_extent"),
        ({"y": None}, "no_extent"),
    ],
)
def test_boxes_are_refused_whole_for_one_of_them(changes, rule):
    assert refused({"boxes": [[box()], [box(), box(**changes)], []]}) == {rule: [1]}


def test_spans_keep_their_places_and_may_not_end_before_they_start():
    assert rows({"spans": [[span(), span("dog", 0.25, start=7, end=7)]]})[0]["confidence"] == 0.25
    assert refused({"spans": [[span()], [span(start=5, end=4)], None]}) == {
        "missing": [2],
        "ends_before_it_starts": [1],
    }


def test_fields_may_come_in_any_order_and_others_are_dropped():
    mixed = dict(reversed((box() | {"source": "detector"}).items()))
    assert rows({"boxes": [[mixed]]})[0]["boxes"] == [box()]


def test_a_row_beside_a_missing_one_keeps_its_own_regions():
    found = rows({"boxes": [[box(score=0.3)], None, [box(score=0.7)]]})
    assert [row["boxes"] for row in found] == [[box(score=0.3)], None, [box(score=0.7)]]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"ref_id": ["a"]}, "give exactly one of probabilities, committee, boxes, spans"),
        ({"boxes": [[box()]], "spans": [[span()]]}, "exactly one"),
        ({"boxes": [[{"score": 0.5}]]}, "boxes have no field label"),
        ({"boxes": [[box(width="wide")]]}, "another type|numbers"),
        ({"spans": ["a cat"]}, "lists of structs"),
        ({"committee": [[0.5]]}, "lists"),
    ],
)
def test_a_file_of_another_shape_is_refused_whole(given, reason):
    with pytest.raises(InputError, match=reason):
        read_answers(pa.table(given), CLASSES)


@pytest.mark.parametrize("name", ["probabilities", "committee", "boxes", "spans"])
def test_a_file_without_rows_says_nothing(name):
    kind = pa.list_(pa.float64()) if name == "probabilities" else contract("predictions").schema.field(name).type
    assert rows({name: pa.array([], kind)}) == []
