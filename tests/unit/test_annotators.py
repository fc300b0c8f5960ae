"""Annotator figures: nobody is their own judge, the careless stand out, the careful rarely do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from labelloop.annotators import assess
from labelloop.errors import InputError


def answers(seed, errors, n_units, n_classes=10):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, n_units)
    unit, annotator = np.divmod(np.arange(n_units * len(errors)), len(errors))
    wrong = rng.random(len(unit)) < np.array(errors)[annotator]
    value = np.where(wrong, (truth[unit] + rng.integers(1, n_classes, len(unit))) % n_classes, truth[unit])
    return truth, pd.DataFrame({"unit": unit, "annotator": annotator, "value": value})


def flags(seed, errors, n_units):
    return [figure.flagged for figure in assess(answers(seed, errors, n_units)[1])]


def test_the_careless_annotator_is_flagged_and_the_careful_ones_are_not():
    found = np.array([flags(seed, [0.04, 0.04, 0.06, 0.18], 90) for seed in range(50)])
    assert found[:, 3].mean() > 0.85
    assert found[:, :3].mean() < 0.02


@pytest.mark.slow
def test_equal_annotators_are_rarely_flagged():
    found = [any(flags(seed, [0.08] * 4, 90)) for seed in range(200)]
    assert np.mean(found) < 0.12


def test_an_answer_is_not_its_own_judge():
    rows = [(unit, name, value) for unit in range(12) for name, value in zip("abc", "xxy", strict=True)]
    figures = assess(pd.DataFrame(rows, columns=["unit", "annotator", "value"]))
    # To a and b the two others tie, so nothing counts; c stands against two who agree.
    assert [(figure.n, figure.accuracy) for figure in figures] == [(0, None), (0, None), (12, 0.0)]


def test_accuracy_is_near_the_truth_and_inside_its_interval():
    truth, table = answers(1, [0.05, 0.1, 0.15, 0.3], 2000)
    for figure in assess(table):
        own = table[table["annotator"] == int(figure.annotator)]
        assert figure.accuracy == pytest.approx((own["value"].to_numpy() == truth).mean(), abs=0.02)
        assert figure.low < figure.accuracy < figure.high


def test_the_difference_is_to_all_others_together():
    figures = assess(answers(2, [0.1, 0.1, 0.3], 300)[1])
    right = [figure.accuracy * figure.n for figure in figures]
    others = (right[0] + right[1]) / (figures[0].n + figures[1].n)
    assert figures[2].difference == pytest.approx(figures[2].accuracy - others)
    assert figures[2].difference_low < figures[2].difference < figures[2].difference_high < 0


def test_an_expert_ruling_replaces_the_others():
    rows = [(unit, name, value) for unit in range(12) for name, value in zip("abc", "xxy", strict=True)]
    rulings = pd.DataFrame({"unit": range(12), "value": "y"})
    figures = assess(pd.DataFrame(rows, columns=["unit", "annotator", "value"]), rulings=rulings)
    assert [figure.accuracy for figure in figures] == [0.0, 0.0, 1.0]


def test_too_few_settled_units_give_a_reason():
    _, table = answers(3, [0.1, 0.1, 0.1], 5)
    assert all("fewer than 10" in figure.reason and not figure.flagged for figure in assess(table))


def test_row_order_does_not_matter():
    _, table = answers(4, [0.1, 0.2, 0.3], 60)
    assert assess(table.sample(frac=1.0, random_state=0)) == assess(table)


def test_no_ratings_give_no_figures():
    assert assess(pd.DataFrame({"unit": [], "annotator": [], "value": []})) == []


def test_more_units_than_are_looked_at_at_once_give_the_same(monkeypatch):
    _, table = answers(5, [0.1, 0.2, 0.3], 300)
    whole = assess(table)
    monkeypatch.setattr("labelloop.annotators.settled.CELLS", 70)
    assert assess(table) == whole


@pytest.mark.parametrize("confidence", [0.4, 1.0])
def test_an_unusable_confidence_is_refused(confidence):
    with pytest.raises(InputError):
        assess(answers(6, [0.1, 0.1], 20)[1], confidence=confidence)
