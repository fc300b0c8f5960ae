"""Agreement against published examples, other implementations and the properties every coefficient shares."""

from __future__ import annotations

import krippendorff
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss

from labelloop.agreement import METRICS, Ratings, measure, pairwise, per_annotator, read_ratings
from labelloop.agreement.interval import newcombe, wilson
from labelloop.agreement.patterns import patterns_of
from labelloop.agreement.similarity import MEASUREMENT_LEVELS
from labelloop.errors import InputError

# Krippendorff (2011), example C: four observers, twelve units, missing values; also the example of Gwet's irrCAC.
OBSERVERS = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""


def long(matrix):
    """Ratings of a matrix annotators x units in which NaN is a missing answer."""
    annotator, unit = np.nonzero(~np.isnan(matrix))
    return pd.DataFrame({"unit": unit, "annotator": annotator, "value": matrix[annotator, unit]})


def random_matrix(seed, n_annotators=5, n_units=80, n_values=5, missing=0.3, noise=0.4):
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, n_values + 1, n_units)
    noisy = rng.random((n_annotators, n_units)) < noise
    matrix = np.where(noisy, rng.integers(1, n_values + 1, noisy.shape), truth).astype(float)
    matrix[rng.random(matrix.shape) < missing] = np.nan
    return matrix


def two(seed, **options):
    return long(random_matrix(seed, n_annotators=2, missing=0.1, **options))


def value(ratings, metric, level="nominal", **options):
    return measure(ratings, [metric], level, n_boot=1, **options)[0].value


@pytest.fixture
def observers():
    rows = [[np.nan if cell == "." else float(cell) for cell in line.split()] for line in OBSERVERS.split("\n")[1:-1]]
    return long(np.array(rows))


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_alpha_is_the_one_krippendorff_published(observers, level, published):
    assert value(observers, "krippendorff_alpha", level) == pytest.approx(published, abs=5e-4)


@pytest.mark.parametrize(
    ("metric", "published"), [("percent_agreement", 0.8181818), ("fleiss_kappa", 0.76117), ("gwet_ac1", 0.77544)]
)
def test_coefficients_are_the_ones_gwet_published(observers, metric, published):
    assert value(observers, metric) == pytest.approx(published, abs=5e-6)


@pytest.mark.parametrize("level", MEASUREMENT_LEVELS)
@pytest.mark.parametrize("seed", range(3))
def test_alpha_equals_the_krippendorff_package(level, seed):
    matrix = random_matrix(seed)
    expected = krippendorff.alpha(matrix, level_of_measurement=level)
    assert value(long(matrix), "krippendorff_alpha", level) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("level", ["ordinal", "interval"])
def test_alpha_of_measurements_that_share_no_value_equals_the_krippendorff_package(level):
    matrix = random_matrix(1, n_units=40) + np.random.default_rng(1).normal(size=(5, 40))
    expected = krippendorff.alpha(matrix, level_of_measurement=level)
    assert value(long(matrix), "krippendorff_alpha", level) == pytest.approx(expected, abs=1e-9)


def test_fleiss_kappa_equals_statsmodels():
    matrix = random_matrix(2, missing=0.0)
    expected = statsmodels_fleiss(aggregate_raters(matrix.T)[0])
    assert value(long(matrix), "fleiss_kappa") == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("metric", "weights"), [("", None), ("_linear", "linear"), ("_quadratic", "quadratic")])
def test_kappa_of_every_pair_equals_scikit_learn(metric, weights):
    matrix = random_matrix(3)
    figures = dict(pairwise(long(matrix), f"cohen_kappa{metric}", n_boot=1))
    assert len(figures) == 10
    for (first, second), figure in figures.items():
        both = matrix[[int(first), int(second)]]
        both = both[:, ~np.isnan(both).any(axis=0)].astype(int)
        expected = cohen_kappa_score(*both, weights=weights, labels=[1, 2, 3, 4, 5])
        assert figure.value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("level", MEASUREMENT_LEVELS)
def test_ac2_equals_gwets_formula_written_out(level):
    matrix = random_matrix(4)
    q, numbers = 5, np.arange(1, 6)
    gap = np.abs(np.subtract.outer(numbers, numbers))
    weights = {
        "nominal": np.eye(q),
        "ordinal": 1 - gap * (gap + 1) / (q * (q - 1)),
        "interval": 1 - (gap / (q - 1)) ** 2,
        "ratio": 1 - (gap / np.add.outer(numbers, numbers)) ** 2 / ((q - 1) / (q + 1)) ** 2,
    }[level]
    counts = np.array([[np.sum(column == k) for k in numbers] for column in matrix.T if not np.isnan(column).all()])
    r = counts.sum(axis=1)
    several = r >= 2
    per_unit = (counts * (counts @ weights - 1)).sum(axis=1)[several] / (r * (r - 1))[several]
    share = (counts / r[:, None]).mean(axis=0)
    chance = weights.sum() / (q * (q - 1)) * np.sum(share * (1 - share))
    expected = (per_unit.mean() - chance) / (1 - chance)
    assert value(long(matrix), "gwet_ac2", level) == pytest.approx(expected, abs=1e-9)


def test_each_annotator_is_compared_with_the_mean_of_the_others():
    rows = [(1, "a", "x"), (1, "b", "x"), (1, "c", "y"), (2, "a", "x"), (2, "b", "x"), (4, "a", "y"), (4, "c", "x")]
    table = pd.DataFrame([*rows, (3, "a", "y")], columns=["unit", "annotator", "value"])
    figures = dict(per_annotator(table, n_min=1, n_boot=50))
    assert {name: figure.value for name, figure in figures.items()} == {"a": 0.5, "b": 0.75, "c": 0.0}
    assert (figures["a"].n_units, figures["a"].n_annotators, figures["a"].n_ratings) == (3, 3, 7)


def test_kappa_with_the_others_is_cohens_kappa_when_there_is_one_other():
    table = two(5)
    own = per_annotator(table, "cohen_kappa", n_boot=1)[0][1]
    assert own.value == pytest.approx(value(table, "cohen_kappa"), abs=1e-12)


# One suite that every metric passes.


@pytest.mark.parametrize("metric", METRICS)
def test_order_of_rows_and_names_do_not_matter(metric):
    table = two(6)
    shuffled = table.sample(frac=1.0, random_state=1)
    renamed = shuffled.assign(unit=[f"u{1000 - unit}" for unit in shuffled["unit"]])
    first, second = measure(table, [metric])[0], measure(renamed, [metric])[0]
    assert first == second


@pytest.mark.parametrize("metric", METRICS)
def test_swapping_annotators_keeps_the_value(metric):
    table = two(7)
    assert value(table, metric) == pytest.approx(value(table.assign(annotator=1 - table["annotator"]), metric))


@pytest.mark.parametrize("metric", METRICS)
def test_perfect_agreement_is_one_with_a_lower_end_below(metric):
    table = two(8, noise=0.0)
    figure = measure(table, [metric])[0]
    assert (figure.value, figure.high) == (pytest.approx(1.0), pytest.approx(1.0))
    assert 0.7 < figure.low < 0.99


@pytest.mark.parametrize("metric", [name for name, metric in METRICS.items() if metric.corrects_chance])
def test_annotators_who_guess_agree_as_much_as_chance(metric):
    table = two(9, noise=1.0, n_units=4000)
    assert value(table, metric, "ordinal") == pytest.approx(0.0, abs=0.06)


@pytest.mark.parametrize("metric", METRICS)
def test_more_noise_means_less_agreement(metric):
    values = [value(two(10, noise=noise, n_units=500), metric, "ordinal") for noise in (0.1, 0.3, 0.5, 0.8)]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("metric", METRICS)
def test_the_value_lies_in_its_interval_and_both_within_bounds(metric):
    figure = measure(two(11), [metric])[0]
    assert -1.0 <= figure.low < figure.value < figure.high <= 1.0


@pytest.mark.parametrize("metric", METRICS)
def test_the_same_seed_gives_the_same_interval_and_another_one_does_not(metric):
    table = long(random_matrix(12, n_annotators=2, missing=0.0)).assign(group=lambda rows: rows["unit"] // 3)
    first, again, other = (measure(table, [metric], group="group", seed=seed)[0] for seed in (1, 1, 2))
    assert first == again
    assert (first.low, first.high) != (other.low, other.high)


@pytest.mark.parametrize("metric", METRICS)
def test_missing_answers_count_as_no_answers(metric):
    table = two(13)
    gaps = pd.DataFrame({"unit": [0, 900], "annotator": [77, 78], "value": [np.nan, None]})
    assert measure(pd.concat([table, gaps]), [metric]) == measure(table, [metric])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "no ratings"),
        ([(u, "a", "x") for u in range(9)], "one annotator"),
        ([(u, "ab"[u % 2], "x") for u in range(9)], "no unit was rated by two"),
        ([(u, a, "xy"[u % 2]) for u in range(4) for a in "ab"], "4, fewer than 5"),
    ],
)
def test_without_enough_answers_there_is_a_reason_and_no_number(metric, rows, reason):
    figure = measure(pd.DataFrame(rows, columns=["unit", "annotator", "value"]), [metric])[0]
    assert figure.to_dict().keys() == {"metric", "level", "reason"}
    assert reason in figure.reason


@pytest.mark.parametrize("metric", METRICS)
def test_one_label_for_everything_says_nothing_against_chance(metric):
    table = pd.DataFrame([(u, a, 1) for u in range(9) for a in "ab"], columns=["unit", "annotator", "value"])
    figure = measure(table, [metric])[0]
    assert figure.value == 1.0 if metric == "percent_agreement" else "same value" in figure.reason


def test_cohens_kappa_of_three_annotators_points_to_pairs():
    assert "two annotators" in measure(long(random_matrix(14)), ["cohen_kappa"])[0].reason


def test_a_weighted_kappa_needs_an_order():
    table = two(15).assign(value=lambda rows: rows["value"].map(lambda number: f"grade {number:.0f}"))
    assert "order" in measure(table, ["cohen_kappa_linear"])[0].reason
    grades = [f"grade {number}" for number in range(1, 6)]
    assert value(table, "cohen_kappa_linear", categories=grades) == value(two(15), "cohen_kappa_linear")


def test_ac1_counts_categories_nobody_chose():
    table = two(16, n_values=2)
    assert value(table, "gwet_ac1", categories=[1.0, 2.0, 3.0]) > value(table, "gwet_ac1")


def test_figures_count_what_they_rest_on():
    rows = [(1, "a", 1), (1, "b", 2), (2, "a", 1), (2, "b", 1), (3, "c", 1)]
    figure = measure(pd.DataFrame(rows, columns=["unit", "annotator", "value"]), ["percent_agreement"], n_min=2)[0]
    assert (figure.n_units, figure.n_annotators, figure.n_ratings) == (2, 2, 4)


@pytest.mark.parametrize(
    "change",
    [
        {"value": ["x", 1]},
        {"value": [{"x": 1}, {"x": 2}]},
        {"value": [1.0, np.inf]},
        {"annotator": ["a", "a"]},
        {"annotator": ["a", None]},
    ],
)
def test_unusable_ratings_are_refused_by_name(change):
    table = pd.DataFrame({"unit": [1, 1], "annotator": ["a", "b"], "value": ["x", "y"]} | change)
    with pytest.raises(InputError):
        read_ratings(table)


@pytest.mark.parametrize(
    "options",
    [
        {"metrics": ["kappa"]},
        {"level": "cardinal"},
        {"level": "ordinal"},
        {"level": "interval", "categories": ["x", "y"]},
        {"categories": ["x"]},
        {"categories": ["x", "y", "y"]},
        {"categories": [1, 2]},
        {"group": "video"},
        {"n_boot": 0},
        {"confidence": 1.0},
    ],
)
def test_unusable_options_are_refused_by_name(options):
    table = pd.DataFrame({"unit": [1, 1], "annotator": ["a", "b"], "value": ["x", "y"]})
    with pytest.raises(InputError):
        measure(table, **options)


def test_a_unit_in_two_groups_is_refused():
    table = pd.DataFrame({"unit": [1, 1], "annotator": ["a", "b"], "value": ["x", "y"], "video": [1, 2]})
    with pytest.raises(InputError, match="more than one group"):
        read_ratings(table, group="video")


def test_arrow_and_pandas_give_the_same_codes():
    table = two(17)
    first, second = read_ratings(table), read_ratings(pa.Table.from_pandas(table))
    assert np.array_equal(first.value, second.value)
    assert np.array_equal(first.unit, second.unit)


def test_copies_of_units_in_one_group_widen_the_interval():
    table = long(random_matrix(18, missing=0.0))
    copies = pd.concat([table.assign(unit=table["unit"] + 1000 * k, group=table["unit"]) for k in range(4)])
    alone, clustered = (measure(copies, ["krippendorff_alpha"], group=group)[0] for group in (None, "group"))
    assert clustered.high - clustered.low > 1.7 * (alone.high - alone.low)


def test_patterns_with_many_categories_are_those_with_few():
    table = long(random_matrix(19))
    few, many = read_ratings(table), read_ratings(table, categories=[float(k) for k in range(1, 60)])
    packed, spread = patterns_of(few), patterns_of(many)
    assert len(spread.frequency) > len(packed.frequency)
    assert np.asarray(packed.frequency @ packed.counts) == pytest.approx(np.asarray(spread.counts.sum(axis=0))[:5])


def test_the_interval_does_not_depend_on_how_patterns_are_stored():
    table = long(random_matrix(20, n_units=400))
    few = measure(table, ["krippendorff_alpha"])[0]
    many = measure(table, ["krippendorff_alpha"], categories=[float(k) for k in range(1, 60)])[0]
    assert few.value == pytest.approx(many.value, abs=1e-12)
    assert (few.low, few.high) == (pytest.approx(many.low, abs=0.02), pytest.approx(many.high, abs=0.02))


@pytest.mark.slow
def test_intervals_cover_the_truth_about_as_often_as_they_say():
    metrics = ["percent_agreement", "fleiss_kappa", "gwet_ac1", "krippendorff_alpha"]
    truth = [figure.value for figure in measure(simulated(np.random.default_rng(0), 200_000), metrics, n_boot=1)]
    covered = np.zeros(len(metrics))
    for seed in range(300):
        figures = measure(simulated(np.random.default_rng(seed + 1), 200), metrics, n_boot=300, seed=seed)
        covered += [figure.low <= true <= figure.high for figure, true in zip(figures, truth, strict=True)]
    assert np.all(covered / 300 > 0.91)
    assert np.all(covered / 300 < 0.985)


def simulated(rng, n_units):
    """Three annotators who err independently in 20 % of four unequal categories, already coded."""
    truth = rng.choice(4, n_units, p=[0.5, 0.3, 0.15, 0.05]).repeat(3)
    wrong = rng.random(3 * n_units) < 0.2
    answer = np.where(wrong, rng.integers(0, 4, 3 * n_units), truth)
    unit, annotator = np.divmod(np.arange(3 * n_units), 3)
    return Ratings(unit, annotator, answer, pa.array(range(n_units)), pa.array(range(3)), pa.array(range(4)))


def test_wilson_and_newcombe_are_the_published_intervals():
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)  # Newcombe (1998), paper on one proportion
    assert newcombe((56, 70), (48, 80)) == pytest.approx((0.0524, 0.3339), abs=5e-5)  # and on differences, case a
