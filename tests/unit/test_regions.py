"""Agreement of regions: overlap, matching, objects and figures, against other implementations and by hand."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.optimize import linear_sum_assignment

from labelloop.agreement.answer_figures import MEASURES, answer_figures
from labelloop.agreement.region_figures import METRICS_OF_REGIONS, region_figures
from labelloop.agreement.regions import read_regions
from labelloop.agreement.scope import measure
from labelloop.agreement.seen_objects import ratings_of_objects, ratings_of_regions
from labelloop.agreement.spans import span_figures
from labelloop.errors import InputError
from tests.builders.brush_code import brush_code
from tests.checkout import ROOT

LOCALISATION = tuple(METRICS_OF_REGIONS)


def region(*points, label="cat", **more):
    return {"labels": [label] if label else [], "points": [float(point) for point in points], **more}


def answers(*rows):
    return pd.DataFrame(rows, columns=["unit", "annotator", "regions"])


def of_all(rows, control_type="rectangle", metrics=LOCALISATION, **settings):
    figures = region_figures(answers(*rows), control_type, metrics, n_min=1, **settings)
    return {figure.metric: figure for figure in figures}


def boxes(rng, n, size=20.0):
    return np.column_stack([rng.uniform(0, 80, (n, 2)), rng.uniform(1, size, (n, 2))])


def noisy_crew(rng, n_units, noise, n_annotators=3):
    rows = []
    for unit in range(n_units):
        truth = boxes(rng, int(rng.integers(1, 5)))
        for who in range(n_annotators):
            seen = truth[rng.random(len(truth)) > noise / 4]
            moved = seen + rng.normal(0, noise * 4, seen.shape) * [1, 1, 0, 0]
            rows.append((unit, f"a{who}", [region(*box, label="xy"[int(rng.random() < noise / 2)]) for box in moved]))
    return rows


def test_a_mask_without_its_code_in_raw_is_refused():
    drawn = {"region_id": "r1", "labels": ["cat"], "points": []}
    whole = json.dumps([{"id": "r1", "value": {"rle": brush_code([255] * 40)}}])
    table = answers((1, "a", [drawn]), (1, "b", [drawn]))
    assert region_figures(table.assign(raw=whole), "mask", ["mean_iou"], n_min=1)[0].value == 1.0
    with pytest.raises(InputError, match="2 regions have no mask in raw"):
        region_figures(table.assign(raw="[]"), "mask", ["mean_iou"])


def test_a_line_is_a_polygon_without_area_and_matches_nothing():
    line = [region(0, 0, 4, 4)]
    assert of_all([(1, "a", line), (1, "b", line)], "polygon")["f1"].value == 0.0


def test_key_points_need_no_width():
    place = {"labels": ["x"], "points": [10.0, 10.0, None]}
    assert of_all([(1, "a", [place]), (1, "b", [place])], "keypoint")["f1"].value == 1.0


def test_spans_that_only_their_page_can_place_are_a_reason():
    hypertext = {"labels": ["x"], "start": None, "end": None, "text": "word"}
    table = answers((1, "a", [hypertext]), (1, "b", []), (2, "a", [{"labels": ["x"], "start": 1.0, "end": 2.0}]))
    for figures in (region_figures(table, "span"), span_figures(table)):
        assert all("known to their page only" in figure.reason for figure in figures)


def test_matching_is_the_best_assignment_of_each_pair_of_answers():
    rng = np.random.default_rng(3)
    rows = [(unit, who, [region(*box) for box in boxes(rng, int(rng.integers(0, 9)), 45.0)])
            for unit in range(40) for who in "abc"]  # fmt: skip
    regions = read_regions(answers(*rows), "rectangle")
    found = np.bincount(regions.matched.pair, regions.matched.similarity, len(regions.pairs.first))
    for pair, (first, second) in enumerate(zip(regions.pairs.first, regions.pairs.second, strict=True)):
        one, other = (np.arange(*regions.start[[answer, answer + 1]]) for answer in (first, second))
        table = regions.shapes.similarity(np.repeat(one, len(other)), np.tile(other, len(one)))
        table = table.reshape(len(one), len(other))
        assert found[pair] == pytest.approx(table[linear_sum_assignment(table, maximize=True)].sum(), abs=1e-9)
    assert not pd.DataFrame({"pair": regions.matched.pair, "one": regions.matched.one}).duplicated().any()
    assert not pd.DataFrame({"pair": regions.matched.pair, "other": regions.matched.other}).duplicated().any()


def test_between_equal_overlaps_the_same_label_decides():
    there = region(0, 0, 4, 4, label="dog"), region(0, 0, 4, 4, label="cat")
    rows = [(1, "a", list(there)), (1, "b", list(there[::-1]))]
    regions = read_regions(answers(*rows), "rectangle")
    assert (regions.label[regions.matched.one] == regions.label[regions.matched.other]).all()


def test_the_same_regions_agree_wholly_and_strangers_not_at_all():
    here, there = [region(0, 0, 4, 4)], [region(50, 50, 4, 4)]
    perfect = of_all([(1, "a", here), (1, "b", here)])
    assert [perfect[name].value for name in LOCALISATION] == [1.0, 1.0, 1.0, 1.0, 0.0]
    strangers = of_all([(1, "a", here), (1, "b", there)])
    assert [strangers[name].value for name in LOCALISATION] == [0.0, 0.0, 0.0, 0.0, 1.0]


def test_two_empty_answers_agree_and_one_empty_answer_misses_everything():
    empty = of_all([(1, "a", []), (1, "b", [])])
    assert [empty[name].value for name in ("mean_iou", "f1")] == [1.0, 1.0]
    assert empty["missed_objects"].reason == "units whose answers can be compared: 0, fewer than 1"
    one = of_all([(1, "a", []), (1, "b", [region(0, 0, 4, 4)])])
    assert [one[name].value for name in ("mean_iou", "f1", "missed_objects")] == [0.0, 0.0, 1.0]


def test_an_answer_that_is_missing_says_nothing():
    figure = of_all([(1, "a", [region(0, 0, 4, 4)]), (1, "b", [region(0, 0, 4, 4)]), (1, "c", None)])["f1"]
    assert (figure.value, figure.n_annotators) == (1.0, 2)


def test_figures_by_hand():
    # Two of three objects seen by both; overlaps 1/3 and 1.
    rows = [
        (1, "a", [region(0, 0, 4, 4), region(50, 0, 4, 4), region(0, 50, 4, 4)]),
        (1, "b", [region(2, 0, 4, 4), region(50, 0, 4, 4)]),
    ]
    found = of_all(rows)
    assert found["mean_iou"].value == pytest.approx(2 * (1 + 1 / 3) / 5)
    assert found["f1"].value == pytest.approx(2 / 5)
    assert found["missed_objects"].value == pytest.approx(3 / 4)
    assert of_all(rows, threshold=0.3)["missed_objects"].value == pytest.approx(1 / 3)


def test_boxes_without_extent_match_themselves_only():
    point, other = [region(10, 10, 0, 0)], [region(10, 10, 4, 4)]
    assert of_all([(1, "a", point), (1, "b", point)])["f1"].value == 1.0
    assert of_all([(1, "a", point), (1, "b", other)])["f1"].value == 0.0


@pytest.mark.parametrize(
    ("control_type", "drawn", "message"),
    [
        ("rectangle", region(0, 0, np.nan, 4), "1 coordinates are no finite numbers"),
        ("rectangle", region(0, 0, np.inf, 4), "1 coordinates are no finite numbers"),
        ("rectangle", region(0, 0, 4), "1 regions have not 4 coordinates"),
        ("rectangle", region(0, 0, -1, 4), "negative width"),
        ("polygon", region(), "have no corners"),
        ("keypoint", region(1), "have no x and y"),
        ("span", {"labels": ["x"], "start": 4.0, "end": 2.0}, "end before they start"),
        ("span", {"labels": ["x"], "start": 4.0}, "have no finite end"),
        ("span", {"labels": ["x"], "start": 4.0, "end": np.inf}, "have no finite end"),
        ("track", region(1), "have no key frames"),
        ("circle", region(1), "have no regions"),
    ],
)
def test_what_cannot_be_placed_is_refused_by_name(control_type, drawn, message):
    with pytest.raises(InputError, match=message):
        read_regions(answers((1, "a", [drawn])), control_type)


def test_regions_that_are_no_lists_are_refused():
    with pytest.raises(InputError, match="regions are"):
        read_regions(answers((1, "a", "[]")), "rectangle")


def test_key_points_are_alike_within_the_tolerance():
    rows = [(1, "a", [region(10, 10, 1)]), (1, "b", [region(12, 10, 1)])]
    near, far = (of_all(rows, "keypoint", tolerance=tolerance)["mean_iou"].value for tolerance in (2.5, 0.5))
    assert near == pytest.approx(np.exp(-4 / 12.5))
    assert far == 0.0


def test_turned_boxes_are_compared_in_the_shape_of_their_image():
    # In an image twice as wide as high, 10 x 40 percent are 20 x 40 pixels; turned, they lie flat to the left.
    upright, flat = region(50, 20, 10, 40, rotation=90.0), region(30, 20, 20, 20, rotation=0.0)
    raw = json.dumps([{"original_width": 200, "original_height": 100}])
    table = answers((1, "a", [upright]), (1, "b", [flat])).assign(raw=[raw, "[]"])
    assert region_figures(table, "rectangle", ["mean_iou"], n_min=1)[0].value == pytest.approx(1.0)


def test_who_did_not_see_an_object_says_so():
    rows = [(1, "a", [region(0, 0, 4, 4, label="dog")]), (1, "b", []), (1, "c", [region(0, 0, 4, 4)])]
    rated = ratings_of_objects(read_regions(answers(*rows), "rectangle"))
    said = dict(zip(rated.annotators.to_pylist(), rated.values.take(pa.array(rated.value)).to_pylist(), strict=True))
    assert said == {"a": '["dog"]', "b": "[]", "c": '["cat"]'}
    assert len(ratings_of_objects(read_regions(answers(*rows), "rectangle"), missed=False).unit) == 2


def test_what_is_asked_of_each_region_is_compared_on_the_same_object():
    left, right = region(0, 0, 4, 4, region_id="p"), region(50, 0, 4, 4, region_id="q")
    drawn = [(unit, who, [left, right][:: 1 if who == "a" else -1]) for unit in range(6) for who in "ab"]
    said = [[{"region_id": "p", "choices": ["old"]}, {"region_id": "q", "choices": ["new"]}]] * 11
    said += [[{"region_id": "p", "choices": ["new"]}, {"region_id": "z", "choices": ["old"]}]]
    regions = read_regions(answers(*drawn), "rectangle")
    asked = answers(*drawn).drop(columns="regions").assign(per_region=said)
    found = ratings_of_regions(regions, asked)
    assert (len(found), found["unit"].nunique()) == (23, 12)
    assert found.groupby("unit")["value"].nunique().tolist().count(2) == 1
    assert measure(found, ["percent_agreement"], group="group")[0].value == pytest.approx(10 / 11)
    with pytest.raises(InputError, match="asked for no 'labels'"):
        ratings_of_regions(regions, asked, "labels")


def test_alpha_of_labels_is_that_of_the_labels_and_knows_nothing_of_places():
    rng = np.random.default_rng(4)
    calls = rng.choice(["x", "y"], (60, 2), p=[0.7, 0.3])
    rows = [
        (unit, "ab"[who], [region(unit, 3, 4, 4, label=calls[unit, who])]) for unit in range(60) for who in (0, 1)
    ]
    (figure,) = region_figures(answers(*rows), "rectangle", ["alpha_of_labels"])
    observed, share = (calls[:, 0] != calls[:, 1]).mean(), (calls == "x").mean()
    expected = 2 * share * (1 - share) * 120 / 119
    assert figure.value == pytest.approx(1 - observed / expected)
    assert figure.low < figure.value < figure.high


def test_names_and_order_of_annotators_units_and_regions_do_not_matter():
    rng = np.random.default_rng(5)
    rows = noisy_crew(rng, 30, 0.6)
    metrics = (*LOCALISATION, "alpha_of_objects", "alpha_of_labels")
    there = {"a0": "z", "a1": "y", "a2": "x"}
    shuffled = [
        (f"u{99 - unit}", there[who], drawn[::-1])
        for unit, who, drawn in rng.permutation(np.array(rows, dtype=object))
    ]
    before, after = (of_all(given, metrics=metrics) for given in (rows, shuffled))
    for name in metrics:
        assert after[name].value == pytest.approx(before[name].value, abs=1e-12)


def test_more_noise_is_less_agreement_and_every_figure_has_an_interval():
    metrics = (*LOCALISATION, "alpha_of_objects")
    levels = [of_all(noisy_crew(np.random.default_rng(6), 60, noise), metrics=metrics) for noise in (0.1, 0.5, 1.0)]
    for name in metrics:
        values = [found[name].value for found in levels]
        assert values == sorted(values, reverse=name != "missed_objects")
        assert all(found[name].low <= found[name].value <= found[name].high for found in levels)


def test_a_unit_counts_once_however_many_regions_it_has():
    many = [region(10 * n, 0, 5, 5) for n in range(8)]
    rows = [(1, "a", many), (1, "b", many), (2, "a", [region(0, 0, 4, 4)]), (2, "b", [])]
    assert of_all(rows)["f1"].value == 0.5


def test_nothing_drawn_anywhere_is_a_reason_for_alpha():
    (figure,) = region_figures(answers((1, "a", []), (1, "b", [])), "rectangle", ["alpha_of_objects"])
    assert figure.reason == "there are no ratings"


@pytest.mark.parametrize("settings", [{"metrics": ["iou"]}, {"threshold": 0.0}, {"threshold": 1.5}])
def test_an_unknown_metric_and_an_impossible_threshold_are_refused(settings):
    with pytest.raises(InputError):
        region_figures(answers((1, "a", [])), "rectangle", **settings)


def test_the_page_on_agreement_has_a_line_for_every_kind_with_its_figures():
    page = (ROOT / "docs/agreement.md").read_text(encoding="utf-8")
    table = page.partition("### Answers with a place")[2].partition("\n\n*")[0]
    lines = [[cell.strip() for cell in line.split("|")] for line in table.splitlines() if line.startswith("| ")][1:]
    assert [line[1] for line in lines] == list(MEASURES)
    nobody = pd.DataFrame({"unit": [], "annotator": [], "regions": [], "value": pd.Series([], dtype=str)})
    said = {}
    for _, kind, _, figures, *_ in lines:
        same = [other for other in said if f"as for {other}s" in figures]
        said[kind] = {*re.findall("`([a-z_0-9.]+)`", figures), *(name for other in same for name in said[other])}
        if figures.startswith("the same"):
            said[kind] |= said["rectangle"]
        assert said[kind] == {figure.metric for figure in answer_figures(nobody, kind)}, kind


def test_other_control_types_are_refused():
    with pytest.raises(InputError, match="'choices' have no place"):
        answer_figures(answers((1, "a", [])), "choices")
