"""Calibration: a temperature found again, never from rows the model learned, and reliability with its interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from labelloop.calibration import (
    cross_fitted,
    fit_temperature,
    with_temperature,
    with_temperature_inside,
)
from labelloop.errors import InputError, NotEstimable
from labelloop.reliability import reliability
from labelloop.retrain import fit

pytestmark = pytest.mark.slow


def outcomes(n: int, temperature: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of a model that is too sure by this temperature, and outcomes drawn from the honest ones."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (n, 4))
    honest = softmax(logits, axis=1)
    truth = (honest.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return softmax(logits * temperature, axis=1), truth


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_by_which_a_model_is_too_sure_is_found_again(temperature):
    assert fit_temperature(*outcomes(20_000, temperature)) == pytest.approx(temperature, rel=0.06)


def test_with_its_temperature_a_model_that_was_too_sure_is_reliable():
    told, truth = outcomes(20_000, 3.0)
    before, after = reliability(told, truth), reliability(with_temperature(told, 3.0), truth)
    assert before.ece > 0.15
    assert after.ece_high < 0.03
    assert after.brier_high < before.brier_low


@given(st.floats(0.05, 20), st.integers(0, 2**32 - 1))
def test_a_temperature_keeps_the_order_of_classes_and_the_sum(temperature, seed):
    given_ = np.random.default_rng(seed).dirichlet(np.ones(5), size=3)
    found = with_temperature(given_, temperature)
    assert found.sum(axis=1) == pytest.approx(1)
    assert (found.argmax(axis=1) == given_.argmax(axis=1)).all()


def test_a_probability_of_zero_is_taken_as_nearly_zero():
    assert np.isfinite(with_temperature(np.array([[0.0, 1.0]]), 20.0)).all()


def test_too_few_answers_give_no_temperature_but_the_reason():
    with pytest.raises(NotEstimable, match="29 answers of the random share are too few"):
        fit_temperature(*outcomes(29, 1.0))


def a_noisy_task(n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(n, 40)).astype(np.float32)
    labels = np.where(features[:, 0] + rng.normal(0, 2, n) > 0, "yes", "no")
    return features, labels, rng.random(n) < 0.5


def test_cross_fitted_probabilities_show_that_a_model_overfits_where_its_own_do_not():
    features, labels, random_share = a_noisy_task()
    own = fit(features, labels.tolist(), seed=0).predict_proba(features[random_share])
    truth = (labels == "yes").astype(int)
    honest = fit_temperature(*cross_fitted(features, labels.tolist(), random_share, seed=0))
    assert honest > 1.3 * fit_temperature(own, truth[random_share])


def test_only_random_rows_are_spoken_of_and_each_once():
    features, labels, random_share = a_noisy_task(100)
    told, truth = cross_fitted(features, labels.tolist(), random_share, seed=0)
    assert len(told) == len(truth) == random_share.sum()
    assert truth.tolist() == (labels[random_share] == "yes").astype(int).tolist()


def test_labels_of_random_rows_have_no_say_in_what_is_said_of_themselves():
    features, labels, random_share = a_noisy_task(60)
    first = np.flatnonzero(random_share)[0]
    told, _ = cross_fitted(features, labels.tolist(), random_share, seed=0)
    labels[first] = "no" if labels[first] == "yes" else "yes"
    again, _ = cross_fitted(features, labels.tolist(), random_share, seed=0)
    assert again[0] == pytest.approx(told[0])
    assert not np.allclose(again, told)


def test_a_class_that_no_other_row_shows_is_left_out():
    features, labels, random_share = a_noisy_task(100)
    labels = labels.astype(object)
    labels[0], random_share[0] = "rare", True
    _, truth = cross_fitted(features, labels.tolist(), random_share, seed=0)
    assert len(truth) == random_share.sum() - 1


@pytest.mark.parametrize("classes", [["no", "yes"], ["a", "b", "c"]])
def test_a_temperature_inside_the_model_is_the_temperature_outside(classes):
    features = np.random.default_rng(0).normal(size=(60, 3))
    model = fit(features, [classes[i % len(classes)] for i in range(60)], seed=0)
    inside = with_temperature_inside(model, 2.5).predict_proba(features)
    assert inside == pytest.approx(with_temperature(model.predict_proba(features), 2.5))


def test_reliability_by_hand():
    told = np.array([[0.95, 0.05], [0.95, 0.05], [0.4, 0.6], [0.4, 0.6]])
    found = reliability(told, np.array([0, 1, 1, 1]))
    assert found.ece == pytest.approx(abs(1 - 2 * 0.95) / 4 + 2 * 0.4 / 4)
    assert found.brier == pytest.approx((2 * 0.05**2 + 2 * 0.95**2 + 4 * 0.4**2) / 4)
    assert found.brier_low <= found.brier <= found.brier_high
    assert found.n == 4


def test_a_class_the_model_does_not_know_counts_as_wrong():
    found = reliability(np.array([[1.0, 0.0]]), np.array([-1]))
    assert (found.ece, found.brier) == (1.0, 2.0)


def test_without_answers_there_is_no_reliability():
    with pytest.raises(NotEstimable):
        reliability(np.empty((0, 2)), np.empty(0, dtype=int))


def test_rows_that_do_not_fit_each_other_are_refused():
    with pytest.raises(InputError, match="2 outcomes"):
        reliability(np.ones((1, 2)) / 2, np.array([0, 1]))
