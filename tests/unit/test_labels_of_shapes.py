"""Labels of answers that have a shape: regions, and items in buckets; conflicts, rulings, soft labels."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from labelloop.agreement.drawn import SHAPES
from labelloop.labels import keep_times, label_rows
from tests.builders.answers import NOW, answer
from tests.builders.every_kind import EVERY_KIND
from tests.builders.resolved import labels_of, said
from tests.builders.rows import hex_id, rows_of

BUCKETS = {"digit": ("keep", "drop")}


def shaped(annotator, kind, meant):
    """The answer of an annotator who means this; see `EVERY_KIND`."""
    typed = {"choices": None, "control_type": kind, "control": "place", **EVERY_KIND[kind](meant)}
    return answer(hex_id(0), annotator, "", **typed)


def box(left, label="cat"):
    return {"region_id": "r", "labels": [label], "points": [float(left), 0.0, 20.0, 20.0]}


def triage(*places):
    """Items x, y and z, each in the bucket of this name."""
    return [{"item": item, "rank": 0, "bucket": bucket} for item, bucket in zip("xyz", places, strict=False)]


@pytest.mark.parametrize("kind", SHAPES)
def test_regions_that_two_drew_alike_are_the_label_with_what_was_found_of_each(kind):
    answers = [shaped(name, kind, 0) for name in "ab"]
    (found,) = labels_of(answers).values()
    assert (found["label"], found["state"], found["method"], found["n"]) == (
        '["cat"]',
        "accepted",
        "region-fusion",
        2,
    )
    (region,) = found["regions"]
    assert {name: region[name] for name in ("labels", "classes", "probabilities", "confidence", "n")} == {
        "labels": ["cat"],
        "classes": ["cat"],
        "probabilities": [1.0],
        "confidence": 1.0,
        "n": 2,
    }
    assert region["points"] == answers[0]["regions"][0]["points"]
    assert (region["raw"] is not None) == (kind == "mask")


@pytest.mark.slow
@pytest.mark.parametrize("kind", SHAPES)
def test_neither_the_order_of_answers_nor_the_names_of_annotators_decide(kind):
    meant = (0, 1, 1, 0, 2)
    one = labels_of([shaped(name, kind, said) for name, said in zip("abcde", meant, strict=True)])[hex_id(0)]
    other = labels_of([shaped(name, kind, said) for name, said in zip("vwxyz", meant[::-1], strict=True)])[hex_id(0)]
    assert one == other


def test_a_mask_keeps_the_pixels_of_the_annotator_whose_shape_it_is():
    drawn = [shaped(name, "mask", said) for name, said in (("a", 0), ("b", 1), ("c", 1))]
    (region,) = labels_of(drawn, accept_confidence=0.0)[hex_id(0)]["regions"]
    assert json.loads(region["raw"]) == json.loads(drawn[1]["raw"])[0]


@pytest.mark.parametrize(
    "values",
    [
        ([box(0)], [box(15)]),
        ([box(0)], [box(0, label="dog")]),
        ([box(0)], []),
    ],
    ids=["low overlap", "different labels", "one of two drew nothing"],
)
def test_boxes_on_which_two_differ_are_a_conflict_and_no_label(values):
    found = labels_of(said("rectangle", "regions", *values))[hex_id(0)]
    assert (found["label"], found["state"], found["decided_by"]) == (None, "conflict", "consensus")


def test_a_third_opinion_settles_a_box_and_its_share_is_the_confidence():
    found = labels_of(said("rectangle", "regions", [box(0)], [box(1)], []))[hex_id(0)]
    assert (found["label"], found["state"], found["confidence"]) == ('["cat"]', "accepted", 0.666667)
    assert found["regions"][0]["points"] == [0.5, 0.0, 20.0, 20.0]
    assert found["regions"][0]["probabilities"] == [pytest.approx(2 / 3)]


def test_where_all_saw_nothing_the_label_says_so():
    found = labels_of(said("rectangle", "regions", [], []))[hex_id(0)]
    assert (found["label"], found["regions"], found["confidence"], found["state"]) == ("[]", [], 1.0, "accepted")


def test_what_an_expert_drew_is_the_label_as_it_is():
    answers = said("rectangle", "regions", [box(0)], [box(45)])
    ruling = answers[0] | {"annotation_id": "ruling", "annotator": "expert", "regions": [box(25, label="dog")]}
    alone = ruling | {"annotation_id": "alone", "unit_id": hex_id(1)}
    found = labels_of([*answers, ruling, alone], experts=["expert"])
    for unit, n in ((0, 2), (1, 0)):
        label = found[hex_id(unit)]
        assert (label["label"], label["decided_by"], label["confidence"], label["n"]) == ('["dog"]', "expert", 1.0, n)
        assert label["regions"][0]["points"] == [25.0, 0.0, 20.0, 20.0]


def test_experts_who_draw_different_things_leave_it_to_the_opinions():
    answers = said("rectangle", "regions", [box(0)], [box(0)])
    rulings = [
        answers[0] | {"annotation_id": name, "annotator": name, "regions": [box(place)]}
        for name, place in (("e1", 25), ("e2", 45))
    ]
    found = labels_of([*answers, *rulings], experts=["e1", "e2"])[hex_id(0)]
    assert (found["decided_by"], found["regions"][0]["points"]) == ("consensus", [0.0, 0.0, 20.0, 20.0])


def test_each_item_of_a_triage_gets_the_bucket_in_the_middle():
    given = triage("keep", "drop"), triage("keep", "drop", "_"), triage("keep", "keep", "keep")
    found = labels_of(said("ranking", "ranked", *given), buckets=BUCKETS)[hex_id(0)]
    assert found["label"] == '{"keep": ["x", "z"], "drop": ["y"]}'
    assert (found["method"], found["state"], found["n"]) == ("bucket-median", "accepted", 3)
    told = {
        item["item"]: (item["bucket"], item["rank"], item["probabilities"], item["n"]) for item in found["ranked"]
    }
    assert told == {
        "x": ("keep", 0, [1.0, 0.0], 3),
        "z": ("keep", 1, [1.0, 0.0], 1),
        "y": ("drop", 0, [pytest.approx(1 / 3), pytest.approx(2 / 3)], 3),
    }


def test_different_buckets_are_a_conflict_that_an_expert_settles():
    answers = said("ranking", "ranked", triage("keep", "keep"), triage("keep", "drop"))
    found = labels_of(answers, buckets=BUCKETS)[hex_id(0)]
    assert (found["label"], found["state"], found["confidence"]) == (None, "conflict", 0.75)
    ruling = answers[0] | {"annotation_id": "ruling", "annotator": "expert", "ranked": triage("drop", "keep")}
    found = labels_of([*answers, ruling], experts=["expert"], buckets=BUCKETS)[hex_id(0)]
    assert (found["label"], found["decided_by"], found["n"]) == ('{"keep": ["y"], "drop": ["x"]}', "expert", 2)


def passage(path, label="cat"):
    """A mark in a page, of which Label Studio stores paths only."""
    region = {"region_id": path, "labels": [label], "text": "x"}
    item = {"id": path, "value": {"start": path, "end": path, "hypertextlabels": [label]}}
    return {"regions": [region], "raw": json.dumps([item])}


def test_marks_that_nobody_can_place_are_voted_on_as_whole_answers():
    marked = [passage("/p[1]"), passage("/p[1]"), passage("/p[2]"), {"regions": [], "raw": "[]"}]
    answers = [row | mark for row, mark in zip(said("span", "regions", *[None] * 4), marked, strict=True)]
    found = labels_of(answers[:3])[hex_id(0)]
    assert (found["label"], found["confidence"], found["n"]) == ('["cat"]', 0.666667, 3)
    assert [(region["region_id"], region["n"]) for region in found["regions"]] == [("/p[1]", 2)]
    assert labels_of(answers[1:])[hex_id(0)]["state"] == "conflict"
    ruled = labels_of(answers[1:], experts=[answers[3]["annotator"]])[hex_id(0)]
    assert (ruled["label"], ruled["decided_by"]) == ("[]", "expert")


def test_labels_with_a_shape_that_are_already_there_keep_their_time():
    rows = rows_of("annotations", said("rectangle", "regions", [box(0)], [box(1)]))
    given = {"units": rows_of("units", []), "experts": [], "accept_confidence": 0.6}
    first = keep_times(label_rows(rows, at=NOW, **given), rows_of("labels", []))
    assert keep_times(label_rows(rows, at=NOW + timedelta(days=1), **given), first).equals(first)
