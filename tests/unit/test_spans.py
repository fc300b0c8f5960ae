"""Agreement of spans and segments, and alpha for unitising against its equations written out point by point."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from labelloop.agreement.region_figures import region_figures
from labelloop.agreement.spans import span_figures
from labelloop.errors import InputError

OVERLAP = ("exact_f1", "partial_f1", "boundary_deviation")
ALPHAS = ("unitised_alpha", "unitised_alpha_of_places")
LENGTH = 60
SEEDS = 200
OF_REGIONS = ("mean_iou", "f1", "missed_objects", "alpha_of_objects", "alpha_of_labels")
OF_SPANS = ("exact_f1", "partial_f1", "boundary_deviation", "unitised_alpha")


def span(start, end, label="x"):
    return {"labels": [label], "start": float(start), "end": float(end)}


def answers(*rows, length=LENGTH):
    return pd.DataFrame(rows, columns=["unit", "annotator", "regions"]).assign(length=length)


def of_all(rows, metrics=OVERLAP, **settings):
    figures = span_figures(answers(*rows), metrics=metrics, **({"n_min": 1, "length": "length"} | settings))
    return {figure.metric: figure for figure in figures}


def alpha_by_points(units, *, labelled):
    """Equations 1, 4 and 5 of Krippendorff et al. (2016) with a value at every point of every line."""
    names = [None, *sorted({label for unit in units for row in unit for _, _, label in row})]
    coincidences, alone = np.zeros((len(names), len(names))), np.zeros(len(names))
    for unit in units:
        lines = np.zeros((len(unit), LENGTH), dtype=int)
        for line, row in zip(lines, unit, strict=True):
            for start, end, label in row:
                code = names.index(label) if labelled else 1
                line[start:end] = code
                alone[code] += (end - start) ** 2
            alone[0] += (line == 0).sum()
        for i, j in np.argwhere(~np.eye(len(unit), dtype=bool)):
            np.add.at(coincidences, (lines[i], lines[j]), 1 / (len(unit) - 1))
    total, margin = coincidences.sum(), coincidences.sum(axis=0)
    expected = total * (np.outer(margin, margin) - np.diag(alone)) / (total**2 - alone.sum())
    return 1 - (total - np.trace(coincidences)) / (total - np.trace(expected))


def random_rows(rng, n):
    rows = []
    for _ in range(n):
        ends = np.sort(rng.choice(LENGTH, 2 * int(rng.integers(0, 4)), replace=False)).reshape(-1, 2)
        rows.append([(int(start), int(end), str(rng.choice(["x", "y", "z"]))) for start, end in ends])
    return rows


@pytest.mark.parametrize("labelled", [True, False])
def test_alpha_for_unitising_equals_its_equations_point_by_point(labelled):
    rng = np.random.default_rng(0)
    units = [random_rows(rng, int(rng.integers(2, 5))) for _ in range(12)]
    rows = [
        (number, f"a{who}", [span(*one) for one in row])
        for number, unit in enumerate(units)
        for who, row in enumerate(unit)
    ]
    name = ALPHAS[0] if labelled else ALPHAS[1]
    found = of_all([*rows, (99, "alone", [span(0, 50)])], (name,))[name]
    assert found.value == pytest.approx(alpha_by_points(units, labelled=labelled), abs=1e-9)
    assert found.low < found.value < found.high
    assert (found.n_units, found.n_ratings) == (12, len(rows))


def test_alpha_for_unitising_is_the_one_krippendorff_published():
    # Content Analysis, 4th edition (2019), section 12.6 and figure 12.11: three observers of 60 characters; 0.510 for
    # places and values, 0.413 for places. Data as in the tests of the R package quallmer. Nobody's interval crosses
    # character 30, where the line is cut into two units: all units are one continuum.
    observers = {
        "Alex": [(0, 7, "1"), (7, 13, "2"), (30, 32, "5"), (32, 37, "6"), (37, 44, "6"), (44, 60, "7")],
        "Paul": [(0, 7, "1"), (7, 13, "3"), (13, 21, "5"), (32, 44, "6")],
        "Suzan": [(0, 7, "1"), (7, 13, "4"), (13, 21, "5"), (32, 37, "6"), (37, 41, "6"), (41, 44, "6")],
    }
    rows = [
        (
            unit,
            who,
            [span(start - 30 * unit, end - 30 * unit, label) for start, end, label in row if start // 30 == unit],
        )
        for who, row in observers.items()
        for unit in (0, 1)
    ]
    figures = span_figures(answers(*rows, length=30), metrics=ALPHAS, length="length", n_min=1)
    assert [figure.value for figure in figures] == pytest.approx([0.510, 0.413], abs=1e-3)


@pytest.mark.slow
def test_alpha_is_one_for_equal_lines_near_zero_for_strangers_and_below_for_opposites():
    rng = np.random.default_rng(1)
    mine = [random_rows(rng, 1)[0] or [(1, 5, "x")] for _ in range(400)]
    same = [(unit, who, [span(*one) for one in row]) for unit, row in enumerate(mine) for who in "ab"]
    assert of_all(same, ALPHAS)["unitised_alpha"].value == pytest.approx(1.0)
    strangers = [(unit, who, [span(*one) for one in random_rows(rng, 1)[0]]) for unit in range(400) for who in "ab"]
    assert abs(of_all(strangers, ALPHAS)["unitised_alpha"].value) < 0.1
    opposite = [(unit, who, [span(*ends)]) for unit in range(9) for who, ends in (("a", (0, 30)), ("b", (30, 60)))]
    assert of_all(opposite, ALPHAS)["unitised_alpha"].value < -0.5


def test_without_the_length_of_the_lines_they_end_where_their_last_interval_does():
    rows = [(unit, who, [span(0, 10 + unit), span(20, 30)]) for unit in range(6) for who in "ab"]
    rows[0] = (0, "a", [span(0, 5)])
    shorter, longer = (of_all(rows, ALPHAS, length=name)["unitised_alpha"].value for name in (None, "length"))
    assert shorter < longer


def test_a_line_that_ends_before_one_of_its_intervals_is_refused():
    with pytest.raises(InputError, match="1 lines end before"):
        of_all([(1, "a", [span(0, 61)]), (1, "b", [])], ALPHAS)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([(1, "a", [span(0, 5), span(4, 9)]), (1, "b", [])], "overlap"),
        ([(1, "a", []), (1, "b", [])], "same value"),
        ([(1, "a", [span(0, 5)])], "fewer than 1"),
        ([(1, "a", [span(0, 5)]), (1, "b", [])], "single unit"),
    ],
)
def test_alpha_says_why_it_cannot_be_given(rows, reason):
    assert reason in of_all(rows, ALPHAS)["unitised_alpha"].reason


def test_f1_by_hand():
    mine = [span(0, 4, "name"), span(10, 20, "place")]
    yours = [span(0, 4, "name"), span(10, 16, "place"), span(30, 32, "name")]
    found = of_all([(1, "a", mine), (1, "b", yours)])
    assert found["exact_f1"].value == pytest.approx(2 / 5)
    assert found["partial_f1"].value == pytest.approx(2 * (4 + 6) / (14 + 12))


def test_another_label_in_the_same_place_is_another_span():
    found = of_all([(1, "a", [span(0, 4, "name")]), (1, "b", [span(0, 4, "place")])])
    assert [found[name].value for name in ("exact_f1", "partial_f1")] == [0.0, 0.0]


def test_two_empty_answers_agree_and_have_no_ends_to_compare():
    found = of_all([(1, "a", []), (1, "b", [])])
    assert [found[name].value for name in ("exact_f1", "partial_f1")] == [1.0, 1.0]
    assert found["boundary_deviation"].reason is not None
    assert of_all([(1, "a", []), (1, "b", [span(0, 4)])])["exact_f1"].value == 0.0


def test_ends_deviate_in_the_unit_of_the_line():
    rows = [(unit, who, [span(10, 20 + shift)]) for unit in range(20) for who, shift in (("a", 0), ("b", unit % 3))]
    found = of_all(rows)["boundary_deviation"]
    assert found.value == pytest.approx(np.mean([unit % 3 / 2 for unit in range(20)]))
    assert found.low < found.value < found.high


def test_ends_that_all_deviate_alike_have_no_interval_and_so_are_a_reason():
    rows = [(unit, who, [span(10, 20 + shift)]) for unit in range(20) for who, shift in (("a", 0), ("b", 4))]
    assert "deviate by 2" in of_all(rows)["boundary_deviation"].reason


@pytest.mark.parametrize(("control_type", "metric"), [("rectangle", "exact_f1"), ("span", "iou")])
def test_what_has_no_ends_and_what_is_no_metric_is_refused(control_type, metric):
    box = {"labels": ["x"], "points": [0.0, 0.0, 1.0, 1.0]}
    with pytest.raises(InputError):
        span_figures(answers((1, "a", [box])), control_type, [metric])


def test_names_and_order_do_not_matter():
    rng = np.random.default_rng(2)
    rows = [
        (unit, f"a{who}", [span(*one) for one in random_rows(rng, 1)[0]]) for unit in range(30) for who in range(3)
    ]
    there = {"a0": "z", "a1": "y", "a2": "x"}
    shuffled = [(f"u{99 - unit}", there[who], drawn[::-1]) for unit, who, drawn in rows[::-1]]
    before, after = (of_all(given, (*OVERLAP, *ALPHAS)) for given in (rows, shuffled))
    for name, figure in before.items():
        assert after[name].value == pytest.approx(figure.value, abs=1e-12)


def simulated(rng, n_units, n_annotators=3, slots=3):
    """Units of up to three segments, of which each annotator sees 85 %, ends a little off, labels 85 % right."""
    shape = (n_units, n_annotators, slots)
    there = rng.random((n_units, 1, slots)) < 0.6
    seen = there & (rng.random(shape) < 0.85)
    start = 20.0 * np.arange(slots) + rng.normal(0, 1.0, shape) + 5
    label = np.where(rng.random(shape) < 0.85, rng.integers(3, size=(n_units, 1, slots)), rng.integers(3, size=shape))
    labels = pa.ListArray.from_arrays(
        pa.array(np.arange(seen.sum() + 1), pa.int32()), pa.array(np.array(["x", "y", "z"])[label[seen]])
    )
    drawn = {
        "labels": labels,
        "start": pa.array(start[seen]),
        "end": pa.array(start[seen] + 8 + rng.random(seen.sum())),
    }
    sizes = np.concatenate([[0], np.cumsum(seen.sum(axis=2).ravel())])
    items = pa.StructArray.from_arrays(list(drawn.values()), names=list(drawn))
    unit, annotator = np.divmod(np.arange(n_units * n_annotators), n_annotators)
    regions = pa.ListArray.from_arrays(pa.array(sizes, pa.int32()), items)
    return pa.table({"unit": unit, "annotator": annotator, "regions": regions, "length": np.full(len(unit), 70.0)})


def figures_of_both(table, seed, n_boot):
    settings = {"seed": seed, "n_boot": n_boot}
    by_place = region_figures(table, "segment", OF_REGIONS, **settings)
    return [*by_place, *span_figures(table, "segment", OF_SPANS, length="length", **settings)]


@pytest.mark.slow
def test_intervals_cover_the_truth_about_as_often_as_they_say():
    truth = [figure.value for figure in figures_of_both(simulated(np.random.default_rng(0), 50_000), 0, 1)]
    covered = np.zeros(len(truth))
    for seed in range(SEEDS):
        figures = figures_of_both(simulated(np.random.default_rng(seed + 1), 200), seed, 300)
        covered += [figure.low <= true <= figure.high for figure, true in zip(figures, truth, strict=True)]
    assert np.all(covered / SEEDS > 0.9)
    assert np.all(covered / SEEDS < 0.99)
