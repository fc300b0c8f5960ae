"""Annotators of known error, whole rounds with them, and the comparison of two arms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_rel
from sklearn.datasets import load_digits

from labelloop.errors import InputError, NotEstimable
from labelloop.simulation import SimulatedAnnotator, learning_curve, paired_difference

CLASSES = ["cat", "dog", "emu"]


def crew(error_rate: float) -> list[SimulatedAnnotator]:
    return [SimulatedAnnotator(name, error_rate, 0) for name in ("ann", "bob", "cat")]


def a_curve(strategy: str, seed: int, **changes) -> list[float]:
    pixels, digits = load_digits(return_X_y=True)
    usual = {
        "rounds": 2,
        "batch_size": 60,
        "annotators": crew(0.03),
        "overlap_share": 1.0,
        "test_index": np.random.default_rng(seed).permutation(len(digits))[:500],
    }
    features = (pixels / 16).astype(np.float32)
    return learning_curve(features, [str(d) for d in digits], strategy=strategy, seed=seed, **(usual | changes))


def test_an_annotator_errs_at_the_stated_rate_and_spreads_errors_over_the_other_classes():
    annotator = SimulatedAnnotator("ann", 0.18, seed=1)
    given = [annotator.answer(f"unit {i}", "dog", CLASSES) for i in range(5000)]
    assert given.count("dog") / 5000 == pytest.approx(0.82, abs=0.02)
    assert given.count("cat") / given.count("emu") == pytest.approx(1, abs=0.2)


def test_an_answer_depends_on_seed_name_and_unit_and_not_on_when_it_is_asked():
    units = [f"unit {i}" for i in range(200)]

    def given(name: str, seed: int, order: list[str]) -> dict[str, str]:
        annotator = SimulatedAnnotator(name, 0.5, seed)
        return {unit: annotator.answer(unit, "dog", CLASSES) for unit in order}

    assert given("ann", 1, units) == given("ann", 1, units[::-1])
    assert given("ann", 1, units) != given("bob", 1, units)
    assert given("ann", 1, units) != given("ann", 2, units)


def test_annotators_err_independently_of_each_other():
    wrong = [
        [SimulatedAnnotator(name, 0.3, 0).answer(f"{i}", "dog", CLASSES) != "dog" for i in range(4000)]
        for name in ("ann", "bob")
    ]
    assert abs(np.corrcoef(wrong)[0, 1]) < 0.05


def test_with_a_single_class_there_is_nothing_to_mistake_it_for():
    assert SimulatedAnnotator("ann", 1.0, 0).answer("u", "cat", ["cat"]) == "cat"


def test_a_truth_outside_the_classes_is_an_error():
    with pytest.raises(InputError, match="not among the classes"):
        SimulatedAnnotator("ann", 0.0, 0).answer("u", "yak", CLASSES)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_curve_and_another_seed_another():
    assert a_curve("auto", 1) == a_curve("auto", 1)
    assert a_curve("auto", 1) != a_curve("auto", 2)


@pytest.mark.slow
def test_active_labels_teach_more_than_random_ones_on_digits():
    active, random = (np.array([a_curve(strategy, seed) for seed in range(4)]) for strategy in ("auto", "random"))
    assert (active.mean(axis=0) > random.mean(axis=0)).all()
    assert (active[:, -1] > 0.85).all()


@pytest.mark.slow
def test_careless_annotators_cost_accuracy():
    assert a_curve("random", 0, annotators=crew(0.5))[-1] < a_curve("random", 0)[-1] - 0.05


def test_units_answered_once_teach_too():
    assert a_curve("random", 0, overlap_share=0.5)[-1] > 0.6


def test_audit_units_teach_nothing():
    with pytest.raises(InputError, match="0 classes among 0 labels"):
        a_curve("random", 0, audit_rate=1.0)


def test_a_paired_difference_agrees_with_the_paired_t_test():
    rng = np.random.default_rng(0)
    active, random = rng.normal(0.9, 0.02, 10), rng.normal(0.88, 0.02, 10)
    expected = ttest_rel(active, random).confidence_interval()
    found = paired_difference(active.tolist(), random.tolist())
    assert (found.mean, found.low, found.high) == pytest.approx((np.mean(active - random), *expected))
    assert found.n == 10


def test_unpaired_or_single_figures_have_no_difference():
    with pytest.raises(InputError, match="2 and 1 figures"):
        paired_difference([0.1, 0.2], [0.1])
    with pytest.raises(NotEstimable, match="one pair"):
        paired_difference([0.1], [0.1])
