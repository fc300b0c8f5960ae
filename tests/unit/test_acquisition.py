"""Acquisition scores against closed forms, and screening against each way in which a row can be wrong."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy as shannon

from labelloop.acquisition import SCORES, confidence, entropy, least_confidence, margin, ratio, screen
from labelloop.acquisition.probabilities import screen_lists
from labelloop.errors import InputError
from labelloop.vectors import lists_of, matrix

DOUBTFUL, SURE = [0.34, 0.33, 0.33], [0.98, 0.01, 0.01]
rows = st.lists(st.lists(st.floats(0.01, 1), min_size=4, max_size=4), min_size=1, max_size=20)


@pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)
def test_a_doubtful_row_is_more_worth_labelling_than_a_sure_one(score):
    doubtful, sure = score(np.array([DOUBTFUL, SURE]))
    assert doubtful > sure


@pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)
def test_a_score_does_not_depend_on_the_order_of_classes_or_on_other_rows(score):
    values = np.random.default_rng(0).dirichlet(np.ones(5), size=50)
    assert score(values[:, ::-1]) == pytest.approx(score(values))
    assert score(values[7:8])[0] == pytest.approx(score(values)[7])


@pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)
def test_no_rows_give_no_scores_and_nan_gives_nan(score):
    assert score(np.zeros((0, 3))).shape == (0,)
    assert np.isnan(score(np.array([[np.nan, 0.5, 0.5]]))).all()


@pytest.mark.slow
@given(rows)
def test_scores_stay_within_their_bounds(raw):
    values = np.array(raw)
    values /= values.sum(axis=1, keepdims=True)
    k, slack = values.shape[1], 1e-12
    for score, top in ((least_confidence, 1 - 1 / k), (margin, 1.0), (entropy, np.log(k)), (ratio, 1.0)):
        assert (score(values) >= -slack).all()
        assert (score(values) <= top + slack).all()


def test_entropy_agrees_with_scipy_and_margin_with_sorting():
    values = np.random.default_rng(1).dirichlet(np.ones(6), size=200)
    ordered = np.sort(values, axis=1)
    assert entropy(values) == pytest.approx(shannon(values, axis=1))
    assert margin(values) == pytest.approx(1 - (ordered[:, -1] - ordered[:, -2]))


def test_a_single_class_leaves_no_doubt():
    assert [float(score(np.ones((1, 1)))[0]) for score in SCORES.values()] == [0.0] * len(SCORES)


def test_confidence_ascending_is_least_confidence_descending():
    values = np.random.default_rng(2).dirichlet(np.ones(3), size=30)
    assert (confidence(values) + least_confidence(values)) == pytest.approx(np.ones(30))


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ([np.nan, 1.0], "not_finite"),
        ([np.inf, 0.0], "not_finite"),
        ([np.inf, -np.inf], "not_finite"),
        ([-0.1, 1.1], "negative"),
        ([0.6, 0.6], "not_summing_to_one"),
        ([0.0, 0.0], "not_summing_to_one"),
    ],
)
def test_a_row_that_is_no_distribution_is_refused_by_name(row, rule):
    screening = screen(np.array([[0.5, 0.5], row]))
    assert screening.refused == {rule: 1}
    assert screening.accepted.tolist() == [True, False]
    assert screening.broken(rule).tolist() == [False, True]


def test_rounding_of_half_precision_is_not_refused():
    values = np.random.default_rng(3).dirichlet(np.ones(10), size=500).astype(np.float16)
    assert screen(values).refused == {}


def test_another_class_count_refuses_every_row():
    assert screen(np.full((4, 2), 0.5), n_classes=3).refused == {"wrong_class_count": 4}


def test_probabilities_of_the_wrong_dimension_are_an_error():
    with pytest.raises(InputError, match="1 dimensions"):
        screen(np.array([0.5, 0.5]))


@pytest.mark.parametrize("kind", [pa.list_(pa.float64()), pa.list_(pa.float32()), pa.large_list(pa.float64())])
def test_missing_and_short_lists_are_counted_and_the_others_stay_in_place(kind):
    column = pa.chunked_array([[[0.5, 0.5], None], [[1.0], [0.25, 0.75]]], type=kind)
    values, screening = screen_lists(column)
    assert screening.refused == {"missing": 1, "wrong_class_count": 1}
    assert values[screening.accepted].tolist() == [[0.5, 0.5], [0.25, 0.75]]


def test_a_null_inside_a_list_is_not_finite():
    assert screen_lists(pa.array([[0.5, 0.5], [None, 1.0]]))[1].refused == {"not_finite": 1}


def test_a_matrix_survives_the_way_through_arrow():
    values = np.random.default_rng(4).random((5, 3)).astype(np.float32)
    back = matrix(pa.chunked_array([lists_of(values)]).slice(1))
    assert back.values.dtype == np.float32
    assert back.values.tolist() == values[1:].tolist()


def test_fixed_size_lists_with_a_null_row_are_read():
    column = pa.array([[1.0, 2.0], None, [3.0, 4.0]], pa.list_(pa.float32(), 2))
    assert matrix(column).values[[0, 2]].tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_a_column_of_text_is_refused():
    with pytest.raises(InputError, match="lists of numbers"):
        matrix(pa.array(["0.5"]))
