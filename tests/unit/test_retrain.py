"""The reference trainer, and the rule by which a model takes over."""

from __future__ import annotations

import numpy as np
import pytest

from labelloop.agreement.interval import wilson
from labelloop.errors import InputError, NotEstimable
from labelloop.retrain import decide_promotion, evaluate, fit, paired_interval


def blobs(n: int = 90, *, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    kind = rng.integers(3, size=n)
    return (rng.normal(size=(n, 5)) + 2.5 * np.eye(5)[kind]).astype(np.float32), [f"c{k}" for k in kind]


def answers(right: int, wrong: int) -> np.ndarray:
    return np.array([True] * right + [False] * wrong)


def test_a_model_learns_what_can_be_learned_and_is_the_same_every_time():
    features, labels = blobs()
    first, second = fit(features, labels, seed=1), fit(features, labels, seed=1)
    assert first.classes_.tolist() == ["c0", "c1", "c2"]
    assert first.predict_proba(features).tolist() == second.predict_proba(features).tolist()
    assert evaluate(first, *blobs(300, seed=9)).low > 0.8


def test_weights_silence_wrong_labels():
    features, labels = blobs(200)
    wrong = np.arange(200) < 80
    spoilt = [("c1" if bad else label) for bad, label in zip(wrong, labels, strict=True)]
    heard = fit(features, spoilt, seed=0)
    silenced = fit(features, spoilt, weights=np.where(wrong, 1e-6, 1.0), seed=0)
    test = blobs(500, seed=5)
    assert evaluate(silenced, *test).accuracy > evaluate(heard, *test).accuracy


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (np.zeros((2, 1)), ["a"], "2, 1"),
        (np.zeros(2), ["a", "b"], "shape"),
        (np.array([[0.0], [np.nan]]), ["a", "b"], "1 rows of features are not finite"),
        (np.zeros((2, 1)), ["a", "a"], "1 classes among 2 labels"),
        (np.zeros((0, 1)), [], "0 classes among 0 labels"),
    ],
)
def test_what_cannot_be_learned_from_is_named(features, labels, message):
    with pytest.raises(InputError, match=message):
        fit(features, labels, seed=0)


def test_an_evaluation_is_the_share_of_correct_answers_with_its_wilson_interval():
    model = fit(*blobs(), seed=0)
    features, labels = blobs(40, seed=2)
    found = evaluate(model, features, labels)
    assert found.n == 40
    assert found.accuracy == pytest.approx(np.mean(model.predict(features) == labels))
    assert (found.low, found.high) == pytest.approx(wilson(int(found.correct.sum()), 40))


def test_nothing_to_evaluate_on_is_said():
    with pytest.raises(NotEstimable, match="no labelled rows"):
        evaluate(fit(*blobs(), seed=0), np.zeros((0, 5)), [])


def test_a_better_model_with_evidence_takes_over():
    found = decide_promotion(answers(60, 40), np.r_[answers(60, 0), answers(30, 10)])
    assert found.promoted
    assert found.difference == pytest.approx(0.3)
    assert 0 < found.low < 0.3 < found.high


def test_a_better_figure_without_evidence_does_not_take_over():
    found = decide_promotion(answers(7, 3), answers(8, 2))
    assert not found.promoted
    assert found.low < 0 < found.difference
    assert "on 10 audit units: not wholly above +0.000" in found.reason


def test_a_gain_below_the_minimum_does_not_take_over_and_a_tolerated_loss_does():
    current = answers(500, 500)
    better = np.r_[answers(500, 0), answers(60, 440)]
    assert decide_promotion(current, better, minimum_gain=0.02).promoted
    assert not decide_promotion(current, better, minimum_gain=0.06).promoted
    assert not decide_promotion(current, current).promoted
    assert decide_promotion(current, current, minimum_gain=-0.01).promoted


def test_a_first_model_must_beat_the_majority_class_when_that_is_known():
    assert decide_promotion(None, answers(9, 1)).promoted
    assert decide_promotion(None, answers(40, 10), majority_correct=answers(10, 40)).promoted
    assert not decide_promotion(None, answers(10, 40), majority_correct=answers(10, 40)).promoted


def test_without_audit_answers_only_a_first_model_takes_over():
    nothing = np.array([], dtype=bool)
    assert decide_promotion(None, nothing, majority_correct=nothing).promoted
    kept = decide_promotion(nothing, nothing)
    assert not kept.promoted
    assert kept.difference is None


def test_answers_on_different_units_cannot_be_paired():
    with pytest.raises(InputError, match="4 and 3 answers"):
        decide_promotion(answers(1, 2), answers(2, 2))


@pytest.mark.parametrize("n", [15, 60])
def test_the_paired_interval_covers_the_true_difference_as_often_as_it_says(n):
    rng = np.random.default_rng(0)
    chances, covered, draws = [0.70, 0.12, 0.04, 0.14], 0, 1000  # both, first only, second only, neither
    for outcome in rng.choice(4, p=chances, size=(draws, n)):
        _, low, high = paired_interval(outcome <= 1, np.isin(outcome, [0, 2]))
        covered += low <= 0.08 <= high
    assert covered / draws > 0.93


def test_equal_models_rarely_replace_each_other():
    rng = np.random.default_rng(1)
    draws = rng.random((1000, 2, 40)) < 0.8
    assert np.mean([decide_promotion(first, second).promoted for first, second in draws]) < 0.04
