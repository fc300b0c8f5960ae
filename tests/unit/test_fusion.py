"""Consensus of regions: quorum, mean of boxes, median of ends, the most central shape, and the vote on labels."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from labelloop.agreement.answer_figures import answer_figures
from labelloop.agreement.region_figures import region_figures
from labelloop.consensus.region_fusion import fuse_regions
from labelloop.contracts import contract
from labelloop.errors import InputError

EIGHT_BYTES = [0, 0, 0, 8, 57, 27, 252, 255, 224]  # of a covered image of two pixels, as a brush stores it


def region(*points, label="cat", **more):
    return {"labels": [label], "points": [float(point) for point in points], **more}


def span(start, end, label="x"):
    return {"labels": [label], "start": float(start), "end": float(end)}


def answers(*drawn, unit=1):
    return pd.DataFrame({"unit": unit, "annotator": [*"abcdefgh"[: len(drawn)]], "regions": list(drawn)})


def fused(*drawn, control_type="rectangle", **settings):
    (row,) = fuse_regions(answers(*drawn), control_type, **settings).to_pylist()
    return row["regions"]


def test_a_box_that_two_of_three_drew_is_kept_at_their_mean_and_one_that_one_drew_is_not():
    (found,) = fused([region(0, 0, 4, 4)], [region(1, 0, 4, 4), region(50, 50, 4, 4)], [])
    assert found["points"] == [0.5, 0.0, 4.0, 4.0]
    assert (found["n"], found["confidence"]) == (2, pytest.approx(2 / 3))


def test_half_of_the_annotators_are_no_quorum():
    assert fused([region(0, 0, 4, 4)], []) == []
    assert len(fused([region(0, 0, 4, 4)], [], quorum=0.4)) == 1


def test_weights_count_for_the_quorum_for_the_mean_and_for_the_label():
    drawn = [region(0, 0, 4, 4)], [region(1, 0, 4, 4, label="dog")], []
    (found,) = fused(*drawn, weights={"a": 3.0})
    assert found["points"] == [0.25, 0.0, 4.0, 4.0]
    assert (found["labels"], found["confidence"]) == (["cat"], pytest.approx(3 / 5))
    assert fused(*drawn, weights={"c": 3.0}) == []


def test_labels_that_tie_are_null_and_the_place_is_kept():
    (found,) = fused([region(0, 0, 4, 4)], [region(0, 0, 4, 4, label="dog")])
    assert (found["labels"], found["points"]) == (None, [0.0, 0.0, 4.0, 4.0])


def test_turned_boxes_are_not_averaged_but_the_most_central_is_taken():
    turned = [region(10, 10, 8, 4, rotation=rotation) for rotation in (30.0, 33.0, 60.0)]
    (found,) = fused(*([one] for one in turned))
    assert (found["rotation"], found["points"]) == (33.0, [10.0, 10.0, 8.0, 4.0])


def test_of_two_polygons_the_leftmost_is_taken_whoever_drew_it():
    left, right = region(0, 0, 4, 0, 4, 4), region(0.5, 0, 4, 0, 4, 4)
    for drawn in ([left], [right]), ([right], [left]):
        assert fused(*drawn, control_type="polygon")[0]["points"] == left["points"]


def test_key_points_are_averaged_and_keep_their_size():
    (found,) = fused([region(10, 10, 0.7)], [region(11, 10, 0.7)], control_type="keypoint")
    assert found["points"] == [10.5, 10.0, 0.7]
    bare = {"labels": ["x"], "points": [10.0, 10.0, None]}
    assert fused([bare], [bare], control_type="keypoint")[0]["points"] == [10.0, 10.0, None]


def test_ends_of_spans_are_medians_that_somebody_chose_and_ends_of_segments_may_lie_between():
    drawn = [span(0, 10)], [span(1, 12)], [span(2, 11)]
    (found,) = fused(*drawn, control_type="span")
    assert (found["start"], found["end"]) == (1.0, 11.0)
    (found,) = fused(*drawn[:2], control_type="span")
    assert (found["start"], found["end"]) == (0.0, 12.0)
    (found,) = fused(*drawn[:2], control_type="segment")
    assert (found["start"], found["end"]) == (0.5, 11.0)


def test_the_text_of_a_span_is_kept_only_where_its_ends_are():
    drawn = [[span(start, 10) | {"text": f"from {start}"}] for start in (1, 1, 2)]
    assert fused(*drawn, control_type="span")[0]["text"] == "from 1"
    apart = [[span(1, 11) | {"text": "longer"}], [span(2, 12) | {"text": "later"}]]
    assert fused(*apart, control_type="span")[0]["text"] is None


@pytest.mark.parametrize(
    ("control_type", "place"),
    [
        ("rectangle", {"points": [1.0, 1.0, 5.0, 5.0], "rotation": 0.0}),
        ("ellipse", {"points": [9.0, 9.0, 5.0, 5.0], "rotation": 30.0}),
        ("polygon", {"points": [1.0, 1.0, 5.0, 5.0, 1.0, 5.0]}),
        ("keypoint", {"points": [1.0, 1.0, None]}),
        ("mask", {"points": []}),
        ("span", {"start": 1.0, "end": 4.0}),
        ("segment", {"start": 1.0, "end": 4.0}),
        ("timeline", {"start": 1.0, "end": 4.0}),
        ("track", {"frames": [{"frame": 1, "points": [1.0, 1.0, 2.0, 2.0], "rotation": None, "enabled": True}]}),
    ],
)
def test_regions_as_the_contract_has_them_are_measured_and_fused(control_type, place):
    drawn = {"region_id": "r", "labels": ["cat"]} | place
    kind = contract("annotations").schema.field("regions").type
    raw = json.dumps([{"id": "r", "original_width": 3, "original_height": 2, "value": {"rle": EIGHT_BYTES}}])
    columns = {"unit": [1, 1, 2, 2], "annotator": [*"abab"], "regions": pa.array([[drawn]] * 2 + [[]] * 2, kind)}
    table = pa.table(columns | {"raw": [raw] * 4})
    figures = {figure.metric: figure.value for figure in answer_figures(table, control_type, n_min=1)}
    assert (figures["f1"], figures["missed_objects"]) == (1.0, 0.0)
    first, second = fuse_regions(table, control_type).to_pylist()
    assert {name: first["regions"][0][name] for name in drawn} == drawn
    assert second["regions"] == []
    assert fuse_regions(table.slice(0, 0), control_type).num_rows == 0


def test_a_mask_and_a_track_are_one_that_was_drawn():
    keys = [{"frame": 1, "points": [0.0, 0.0, 4.0, 4.0], "rotation": 0.0, "enabled": True}]
    (found,) = fused(*([{"labels": ["car"], "frames": keys}] for _ in range(2)), control_type="track")
    assert found["frames"] == keys
    named = [[{"region_id": name, "labels": ["cat"], "points": []}] for name in "pq"]
    raw = [json.dumps([{"id": name, "value": {"rle": EIGHT_BYTES}}]) for name in "pq"]
    (row,) = fuse_regions(answers(*named).assign(raw=raw), "mask").to_pylist()
    assert row["regions"][0]["region_id"] in "pq"


def test_units_say_how_clearly_they_were_decided():
    rows = pd.concat([answers([], [], []), answers([region(0, 0, 4, 4)], [], [], unit=2)])
    table = fuse_regions(rows, "rectangle")
    assert table["unit"].to_pylist() == [1, 2]
    assert table["regions"].to_pylist() == [[], []]
    assert table["confidence"].to_pylist() == pytest.approx([1.0, 2 / 3])
    assert table["n"].to_pylist() == [3, 3]


@pytest.mark.parametrize(
    ("lefts", "ties"),
    [
        ((0, 2, 4, 6), 4),  # each near the next: half or more are around, at no place more than one
        ((0, 0, 2), 0),  # two agree, and a miss of theirs is settled
        ((0, 20, 40, 60), 0),  # nobody saw what another saw
        ((0, 50), 2),
    ],
    ids=["near misses", "near what is kept", "far apart", "one against one"],
)
def test_what_most_saw_at_no_one_place_is_left_open(lefts, ties):
    (row,) = fuse_regions(answers(*([region(left, 0, 4, 4)] for left in lefts)), "rectangle").to_pylist()
    assert row["ties"] == ties


def test_no_answers_give_an_empty_table():
    assert fuse_regions(answers([]).head(0), "rectangle").num_rows == 0


def test_the_consensus_is_nearer_to_the_truth_than_the_annotators_are():
    rng = np.random.default_rng(0)
    truth = [np.column_stack([[5, 35, 65], rng.uniform(5, 60, 3), [20] * 3, [20] * 3]) for _ in range(40)]
    rows = [
        (unit, f"a{who}", [region(*(box + rng.normal(0, 1.5, 4))) for box in drawn[rng.random(3) > 0.2]])
        for unit, drawn in enumerate(truth)
        for who in range(5)
    ]
    table = pd.DataFrame(rows, columns=["unit", "annotator", "regions"])
    gold = pd.DataFrame({"unit": range(40), "annotator": "gold", "regions": [[region(*b) for b in d] for d in truth]})
    consensus = fuse_regions(table, "rectangle").to_pandas().assign(annotator="consensus")
    drawn = [[region(*one["points"]) for one in row] for row in consensus["regions"]]
    found = [
        region_figures(pd.concat([gold, other]), "rectangle", ["mean_iou"])[0].value
        for other in (consensus.assign(regions=drawn)[gold.columns], table[table["annotator"] == "a0"])
    ]
    assert found[0] > found[1] + 0.1


@pytest.mark.parametrize("settings", [{"quorum": 1.0}, {"quorum": -0.1}, {"weights": {"a": 0.0}}])
def test_an_impossible_quorum_or_weight_is_refused(settings):
    with pytest.raises(InputError):
        fused([region(0, 0, 4, 4)], **settings)
