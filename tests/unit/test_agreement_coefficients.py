"""Coefficients beyond the basic ones, against published examples and other implementations."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.stats import t as student
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from labelloop.agreement import measure, pairwise
from labelloop.agreement.all_pairs import pair_kappas
from labelloop.agreement.pairs import pairs_of
from labelloop.agreement.ratings import Ratings, read_ratings
from labelloop.agreement.similarity import scale_of
from labelloop.agreement.table import SINGLE
from labelloop.errors import InputError

# Krippendorff (2011), example C, as in test_agreement.py: four observers, twelve units, missing values.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
# Shrout and Fleiss (1979), table 2: six targets, four judges.
JUDGES = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


def long(rows_by_annotator):
    """Ratings of annotators x units; None is a missing answer."""
    found = [(u, a, v) for a, row in enumerate(rows_by_annotator) for u, v in enumerate(row) if v is not None]
    return pd.DataFrame(found, columns=["unit", "annotator", "value"])


def value(table, metric, level="nominal", **options):
    return measure(table, [metric], level, n_boot=2, **options)[0].value


def crowd(seed, n_units=300, n_annotators=6, n_values=4, noise=0.3, missing=0.4):
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_values, size=n_units)
    answers = np.where(
        rng.random((n_annotators, n_units)) < noise, rng.integers(n_values, size=(n_annotators, n_units)), truth
    )
    seen = rng.random(answers.shape) >= missing
    return long(
        [[int(v) if s else None for v, s in zip(*row, strict=True)] for row in zip(answers, seen, strict=True)]
    )


def test_brennan_and_prediger_is_the_one_gwet_published():
    # Gwet (2014), as bp.coeff.raw of his package irrCAC prints it for these ratings.
    assert value(long(OBSERVERS), "brennan_prediger") == pytest.approx(0.77273, abs=5e-6)


def test_congers_kappa_of_two_is_cohens_and_of_three_its_definition_written_out():
    table = crowd(1, n_annotators=2, missing=0.0)
    assert value(table, "conger_kappa") == pytest.approx(value(table, "cohen_kappa"), abs=1e-12)
    three = crowd(2, n_annotators=3)
    wide = three.pivot_table(index="unit", columns="annotator", values="value")
    shares = [column.value_counts(normalize=True).reindex(range(4), fill_value=0) for _, column in wide.items()]
    expected = np.mean([one @ other for one, other in itertools.combinations(shares, 2)])
    observed = value(three, "percent_agreement")
    assert value(three, "conger_kappa") == pytest.approx(1 - (1 - observed) / (1 - expected), abs=1e-12)


@pytest.mark.parametrize(
    ("metric", "weights", "kind"),
    [
        ("cohen_kappa", None, None),
        ("cohen_kappa_linear", "linear", "linear"),
        ("cohen_kappa_quadratic", "quadratic", "quadratic"),
    ],
)
def test_kappas_of_all_pairs_and_their_deviations_equal_scikit_learn_and_statsmodels(metric, weights, kind):
    table = crowd(3)
    ratings = read_ratings(table)
    found = pair_kappas(ratings, scale_of(ratings, "ordinal"), metric)
    assert len(found.first) == 15
    wide = table.pivot_table(index="unit", columns="annotator", values="value")
    for first, second, n, kappa, low, high in zip(
        found.first, found.second, found.n, found.value, found.low, found.high, strict=True
    ):
        both = wide[[first, second]].dropna().astype(int)
        left, right = both[first], both[second]
        assert n == len(both)
        assert kappa == pytest.approx(cohen_kappa_score(left, right, weights=weights, labels=range(4)), abs=1e-9)
        counts = np.zeros((4, 4))
        np.add.at(counts, (left, right), 1)
        other = cohens_kappa(counts, wt=kind)
        reach = np.diff(np.arctanh([low, high]))[0] / 2 / student.ppf(0.975, n - 1)
        assert reach * (1 - kappa**2) == pytest.approx(np.sqrt(other.var_kappa), abs=1e-9)


@pytest.mark.parametrize("metric", ["cohen_kappa", "cohen_kappa_quadratic"])
def test_kappas_of_groups_have_the_interval_that_resampling_whole_groups_has(metric):
    rng = np.random.default_rng(4)
    clear = rng.random(60) < 0.6  # units of one group are alike
    truth = rng.integers(4, size=60)
    rows = [
        (8 * g + u, who, truth[g] if clear[g] else rng.integers(4), g)
        for g in range(60)
        for u in range(8)
        for who in "ab"
    ]
    table = pd.DataFrame(rows, columns=["unit", "annotator", "value", "group"])
    ((_, alone),) = pairwise(table, metric, "ordinal")
    ((_, found),) = pairwise(table, metric, "ordinal", group="group")
    (resampled,) = measure(table, [metric], "ordinal", group="group", n_boot=2000)
    assert found.value == pytest.approx(resampled.value)
    assert (found.low, found.high) == (
        pytest.approx(resampled.low, abs=0.02),
        pytest.approx(resampled.high, abs=0.02),
    )
    assert found.high - found.low > 1.7 * (alone.high - alone.low)


def test_a_pair_that_shares_one_group_only_has_a_reason():
    table = long([[0, 1] * 10, [0, 1] * 9 + [1, 0]]).assign(group=0)
    assert dict(pairwise(table, group="group"))["0", "1"].reason == SINGLE


def test_pairs_without_a_disagreement_keep_a_lower_end_and_those_without_variety_a_reason():
    table = long([[0, 1] * 20, [0, 1] * 20, [0] * 40, [0] * 40])
    found = dict(pairwise(table))
    assert (found["0", "1"].value, found["0", "1"].high) == (1.0, 1.0)
    assert 0.7 < found["0", "1"].low < 0.9
    assert found["2", "3"].reason == "every rating has the same value"


def test_intraclass_correlation_is_the_one_shrout_and_fleiss_published():
    single, average = measure(long(np.array(JUDGES).T.tolist()), ["icc_2_1", "icc_2_k"], "interval")
    # Values: Shrout and Fleiss (1979), table 4. Intervals: as R's psych::ICC prints for the same table.
    assert (single.value, average.value) == (pytest.approx(0.29, abs=5e-3), pytest.approx(0.62, abs=5e-3))
    assert (single.low, single.high) == (pytest.approx(0.019, abs=5e-4), pytest.approx(0.761, abs=5e-4))
    assert (average.low, average.high) == (pytest.approx(0.071, abs=5e-3), pytest.approx(0.927, abs=5e-3))
    assert (single.n_units, single.n_annotators, single.n_ratings) == (6, 4, 24)


def test_the_mean_difference_is_in_the_unit_of_the_numbers_and_counts_each_unit_once():
    table = long([[0, 0, 10], [1, 2, None], [2, None, None]])
    (figure,) = measure(table, ["mean_absolute_difference"], "interval", n_min=2)
    assert figure.value == pytest.approx(((1 + 2 + 1) / 3 + 2) / 2)
    assert figure.low <= figure.value <= figure.high
    assert (figure.n_units, figure.n_annotators, figure.n_ratings) == (2, 3, 5)


@pytest.mark.parametrize("metric", ["icc_2_1", "icc_2_k", "mean_absolute_difference"])
def test_differences_of_what_has_no_numbers_are_not_given(metric):
    (figure,) = measure(crowd(4), [metric], "nominal")
    assert "need numbers" in figure.reason


def test_an_intraclass_correlation_needs_units_that_all_have_rated():
    table = long([[1, 2, 3, None, None, None], [None, None, None, 4, 5, 6], [1, 2, 3, 4, 5, 6]])
    assert measure(table, ["icc_2_1"], "interval")[0].reason == "units that all annotators rated: 0, fewer than 5"


# Sets of labels, with the distances by hand: nltk's MASI rounds 1/3 to 0.33 and so is no oracle.


def sets(rows):
    return pa.table(dict(zip(("unit", "annotator", "value"), map(list, zip(*rows, strict=True)), strict=True)))


@pytest.fixture
def tagged():
    answers = {
        "ann": [["a", "b"], ["c"], ["a"], ["b", "c"], [], ["a"]],
        "bob": [["b", "a"], ["c"], ["b"], ["b"], [], ["a"]],
    }
    return sets([(unit, who, list(labels)) for who, row in answers.items() for unit, labels in enumerate(row)])


@pytest.mark.parametrize(("level", "of_the_fourth"), [("jaccard", 1 / 2), ("masi", 1 - 1 / 2 * 2 / 3)])
def test_alpha_of_sets_is_its_definition_written_out(tagged, level, of_the_fourth):
    values = [frozenset(one) for one in tagged["value"].to_pylist()]

    def apart(one, other):
        if one == other:
            return 0.0
        jaccard = len(one & other) / len(one | other)
        shape = 2 / 3 if one < other or other < one else 1 / 3
        return 1 - jaccard * (shape if level == "masi" else 1)

    observed = (0 + 0 + 1 + of_the_fourth + 0 + 0) / 6
    expected = np.mean([apart(one, other) for one, other in itertools.permutations(values, 2)])
    assert value(tagged, "krippendorff_alpha", level) == pytest.approx(1 - observed / expected, abs=1e-9)


def test_the_order_within_a_set_says_nothing_and_equal_sets_agree(tagged):
    assert value(tagged, "percent_agreement", "masi") == pytest.approx(4 / 6)


def test_paths_that_share_a_branch_disagree_less_than_those_that_do_not():
    def alpha(other):
        paths = [["animal", "dog"], ["animal", "cat"], ["plant", "oak"]] * 4
        first = [(unit, "ann", [path]) for unit, path in enumerate(paths)]
        second = [(unit, "bob", [path]) for unit, path in enumerate([other, *paths[1:]])]
        return value(sets(first + second), "krippendorff_alpha", "taxonomy")

    assert 1 > alpha(["animal", "cat"]) > alpha(["plant", "oak"])


@pytest.mark.parametrize("text", ["cat", '{"a": 1}', "[[1, 2]]", "[null]"])
def test_text_that_is_no_set_is_refused_where_sets_are_compared(text):
    table = pd.DataFrame({"unit": [1, 1], "annotator": ["a", "b"], "value": [text, text]})
    with pytest.raises(InputError):
        measure(table, level="masi")


def test_pairs_are_counted_however_many_annotators_each_unit_has():
    table = pd.concat(
        [crowd(5, n_units=200), crowd(6, n_annotators=3, missing=0.0).assign(unit=lambda t: t.unit + 1000)]
    )
    ratings = read_ratings(table)
    assert len(set(ratings.per_unit.tolist())) > 3
    assert pair_kappas(ratings, scale_of(ratings, "nominal"), "cohen_kappa").n.sum() == len(pairs_of(ratings).first)


@pytest.mark.slow
def test_intervals_of_high_weighted_kappas_hold_what_they_promise():
    # Two annotators who err in 5 % of five classes, 200 units: on kappa's own scale 90.6 % of the intervals hold it.
    confusion = 0.95 * np.eye(5) + 0.05 / 5
    share = confusion @ confusion.T / 5
    apart = np.subtract.outer(np.arange(5), np.arange(5)) ** 2
    known = 1 - (share * apart).sum() / apart.mean()
    held = []
    for seed in range(8):
        rng, n = np.random.default_rng(seed), 200
        truth = np.repeat(rng.integers(5, size=(n, n)), 2)
        said = np.where(rng.random(truth.shape) < 0.05, rng.integers(5, size=truth.shape), truth)
        unit, side = np.divmod(np.arange(len(said)), 2)
        names = (pa.array(range(size)) for size in (n * n, 2 * n, 5))
        ratings = Ratings(unit, 2 * (unit // n) + side, said, *names, ordered=True)
        found = pair_kappas(ratings, scale_of(ratings, "ordinal"), "cohen_kappa_quadratic")
        held.append((found.low <= known) & (known <= found.high))
    assert np.shape(held) == (8, 200)
    assert 0.93 < np.mean(held) < 0.97
