"""Coefficients against other implementations, with missing answers and units rated once, and what must always hold.

`golden/irrcac.json` holds what irrCAC 0.4.1 gives on random ratings; it asks for a pandas of 2022, so it cannot be
installed beside the product.
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from labelloop.agreement import measure

IRRCAC = json.loads((Path(__file__).parents[1] / "golden" / "irrcac.json").read_text())
NAMES = {"gwet/nominal": "gwet_ac1"} | {f"gwet/{level}": "gwet_ac2" for level in ("ordinal", "interval", "ratio")}
# Gwet weighs ranks, Krippendorff how many answers lie between; the latter is compared with the package krippendorff.
OTHER_DEFINITION = {"krippendorff_alpha/ordinal"} | {
    f"fleiss_kappa/{level}" for level in ("ordinal", "interval", "ratio")
}
COEFFICIENTS = (
    "percent_agreement",
    "fleiss_kappa",
    "conger_kappa",
    "brennan_prediger",
    "gwet_ac1",
    "krippendorff_alpha",
)


def long(rows):
    told = [(unit, who, value) for unit, row in enumerate(rows) for who, value in enumerate(row) if value is not None]
    return pd.DataFrame(told, columns=["unit", "annotator", "value"])


def value(table, metric, level="nominal", **options):
    # One draw of few units can miss all that are comparable; forty do not.
    return measure(table, [metric], level, n_boot=40, n_min=1, **options)[0].value


@pytest.mark.parametrize("case", IRRCAC, ids=lambda case: f"{len(case['ratings'][0])} annotators")
def test_coefficients_equal_irrcac_on_sparse_ratings(case):
    compared = 0
    categories = list(range(1, case["categories"] + 1))
    for name, theirs in case["values"].items():
        if name not in OTHER_DEFINITION:
            metric, level = NAMES.get(name, name.split("/")[0]), name.split("/")[1]
            assert value(long(case["ratings"]), metric, level, categories=categories) == pytest.approx(
                theirs, abs=1e-9
            )
            compared += 1
    assert compared == 16


@pytest.mark.slow
@pytest.mark.parametrize("level", ["masi", "jaccard"])
def test_alpha_of_sets_equals_nltk(level):
    # Not above: every worker would wait two seconds for it.
    from nltk.metrics import AnnotationTask, jaccard_distance, masi_distance

    rng = np.random.default_rng(5)
    said = [
        (unit, who, [label for label in "abc" if rng.random() < 0.5] or ["d"]) for unit in range(40) for who in "xyz"
    ]
    rows = [(who, unit, frozenset(labels)) for unit, who, labels in said]
    task = AnnotationTask(rows, distance={"masi": masi_distance, "jaccard": jaccard_distance}[level])
    # nltk rounds the thirds of MASI to 0.33 and 0.67.
    ours = value(pd.DataFrame(said, columns=["unit", "annotator", "value"]), "krippendorff_alpha", level)
    assert ours == pytest.approx(task.alpha(), abs=1e-9 if level == "jaccard" else 2e-3)


RATINGS = st.lists(st.lists(st.sampled_from([None, 1, 2, 3]), min_size=3, max_size=3), min_size=4, max_size=15)


@pytest.mark.slow
@example([[None] * 3, [None] * 3, [None, None, 1], [1, 2, None]], [1, 2, 3], [1, 0, 2], Random(0))
@given(RATINGS, st.permutations([1, 2, 3]), st.permutations([0, 1, 2]), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_names_and_order_never_matter_and_no_figure_leaves_its_bounds(rows, names, places, random):
    assume(any(sum(one is not None for one in row) > 1 for row in rows))
    renamed = [[None if row[place] is None else names[row[place] - 1] for place in places] for row in rows]
    random.shuffle(renamed)
    for metric in COEFFICIENTS:
        one, other = (value(long(given_rows), metric, categories=[1, 2, 3]) for given_rows in (rows, renamed))
        assert (one is None) == (other is None)
        if one is not None:
            assert one == pytest.approx(other, abs=1e-9)
            assert one <= 1.0 + 1e-12
            assert metric != "percent_agreement" or one >= 0.0


@pytest.mark.slow
@given(st.lists(st.integers(1, 3), min_size=5, max_size=20), st.integers(2, 4))
@settings(max_examples=40)
def test_annotators_who_say_the_same_agree_perfectly(said, n_annotators):
    assume(len(set(said)) > 1)
    for metric in COEFFICIENTS:
        assert value(long([[one] * n_annotators for one in said]), metric) == pytest.approx(1.0)


@pytest.mark.slow
@given(st.integers(0, 10_000))
@settings(max_examples=10)
def test_annotators_who_guess_agree_as_much_as_chance(seed):
    rows = np.random.default_rng(seed).integers(1, 4, (3000, 3)).tolist()
    for metric in set(COEFFICIENTS) - {"percent_agreement"}:
        assert abs(value(long(rows), metric)) < 0.06


@pytest.mark.parametrize("metric", COEFFICIENTS)
def test_every_bit_of_noise_lowers_agreement(metric):
    rng = np.random.default_rng(0)
    truth, chance, other = rng.integers(1, 4, 2000), rng.random((2000, 3)), rng.integers(1, 4, (2000, 3))
    found = [
        value(long(np.where(chance < noise, other, truth[:, None]).tolist()), metric)
        for noise in (0, 0.1, 0.3, 0.6, 1)
    ]
    assert found == sorted(found, reverse=True)
