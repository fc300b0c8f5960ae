"""Each method of consensus against the same model written as a bare loop, and what it is there for."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.special import digamma

from labelloop.agreement import read_ratings
from labelloop.consensus import Settings, aggregate, resolve
from labelloop.errors import InputError
from tests.builders.crowds import crowd

SPAMMERS = [0.05, 0.1, 0.1, "first", "first", "guess"]


def rows_of(table):
    units, names = sorted(set(table["unit"])), sorted(set(table["annotator"]))
    return [(units.index(u), names.index(a), v) for u, a, v in table[["unit", "annotator", "value"]].to_numpy()]


def shares(rows, n_units, n_classes):
    votes = np.zeros((n_units, n_classes))
    for unit, _, value in rows:
        votes[unit, value] += 1
    return votes / votes.sum(axis=1, keepdims=True)


def bare_one_coin(rows, n_units, n_annotators, n_classes, smoothing, steps):
    posterior = shares(rows, n_units, n_classes)
    own = [[(unit, value) for unit, name, value in rows if name == a] for a in range(n_annotators)]
    agreed = [(sum(posterior[pair] for pair in pairs) + 1) / (len(pairs) + 2) for pairs in own]
    for _ in range(steps):
        right = [
            (sum(posterior[pair] for pair in pairs) + smoothing * start) / (len(pairs) + smoothing)
            for pairs, start in zip(own, agreed, strict=True)
        ]
        joint = np.tile(posterior.mean(axis=0), (n_units, 1))
        for unit, name, value in rows:
            likely = np.full(n_classes, (1 - right[name]) / (n_classes - 1))
            likely[value] = right[name]
            joint[unit] *= likely
        posterior = joint / joint.sum(axis=1, keepdims=True)
    return posterior


def bare_mace(rows, n_units, n_annotators, n_classes, steps):
    posterior = shares(rows, n_units, n_classes)
    weights = [(0.5, 0.5, np.full(n_classes, 1 / n_classes))] * n_annotators
    for _ in range(steps):
        learned = []
        for name, (knows, guesses, habit) in enumerate(weights):
            known, guessed = 0.5, np.full(n_classes, 0.0)
            for unit, _, value in [row for row in rows if row[1] == name]:
                share = posterior[unit, value] * knows / (knows + guesses * habit[value])
                known, guessed[value] = known + share, guessed[value] + 1 - share
            total, habits = known + guessed.sum() + 0.5, guessed + 10.0
            learned.append(
                (
                    math.exp(digamma(known) - digamma(total)),
                    math.exp(digamma(guessed.sum() + 0.5) - digamma(total)),
                    np.exp(digamma(habits) - digamma(habits.sum())),
                )
            )
        prior = (posterior.sum(axis=0) + 1) / (n_units + n_classes)
        weights, joint = learned, np.tile(prior, (n_units, 1))
        for unit, name, value in rows:
            knows, guesses, habit = weights[name]
            likely = np.full(n_classes, guesses * habit[value])
            likely[value] += knows
            joint[unit] *= likely
        posterior = joint / joint.sum(axis=1, keepdims=True)
    return posterior


def probabilities(table, method, steps, smoothing=10.0):
    found = aggregate(table, method, smoothing=smoothing, max_iter=steps, tol=0.0)
    return np.array(found["probabilities"].to_pylist())


@pytest.mark.parametrize("smoothing", [10.0, 0.2])
@pytest.mark.parametrize("steps", [1, 6])
def test_one_coin_equals_the_bare_loop(smoothing, steps):
    _, table = crowd(0, [0.1, 0.2, 0.4, 0.5], n_units=40, per_unit=3)
    expected = bare_one_coin(rows_of(table), 40, 4, 4, smoothing, steps)
    assert probabilities(table, "one-coin", steps, smoothing) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("steps", [1, 6])
def test_mace_equals_the_bare_loop(steps):
    _, table = crowd(0, SPAMMERS, n_units=40, per_unit=4)
    expected = bare_mace(rows_of(table), 40, 6, 4, steps)
    assert probabilities(table, "mace", steps) == pytest.approx(expected, abs=1e-9)


def test_mace_tells_who_knows_from_who_presses_one_button():
    truth, table = crowd(1, SPAMMERS)
    found = resolve(table, "mace")
    alike = np.ptp(found.posterior.confusion, axis=1).max(axis=1)
    assert alike[:3].min() > 0.8
    assert alike[3:].max() < 0.2
    assert (found.table["label"].to_numpy() == truth).mean() > 0.95


def test_mace_learns_that_one_class_prevails():
    truth, table = crowd(8, [0.1, 0.2, 0.2, 0.3, 0.3, 0.4], n_classes=3, per_unit=4, shares=[0.85, 0.1, 0.05])
    right = {
        method: (aggregate(table, method, break_ties=True)["label"].to_numpy() == truth).mean()
        for method in ("mace", "majority")
    }
    assert right["mace"] > right["majority"]


def test_one_coin_turns_an_adversary_around():
    truth, table = crowd(2, [0.1, 0.2, 0.2, 0.95, 0.95], n_classes=2)
    right = {
        method: (aggregate(table, method, break_ties=True)["label"].to_numpy() == truth).mean()
        for method in ("majority", "one-coin")
    }
    assert right["majority"] < 0.9 < 0.95 < right["one-coin"]


def test_glad_finds_the_hard_units_and_the_able_annotators():
    rng = np.random.default_rng(3)
    easiness, ability = np.repeat([0.3, 4.0], 200), np.array([2.0] * 8 + [0.3] * 4)
    truth = rng.integers(0, 2, 400)
    right = rng.random((400, 12)) < 1 / (1 + np.exp(-np.outer(easiness, ability)))
    value = np.where(right, truth[:, None], 1 - truth[:, None])
    unit, annotator = np.divmod(np.arange(value.size), 12)
    found = resolve(pd.DataFrame({"unit": unit, "annotator": annotator, "value": value.ravel()}), "glad")
    assert found.posterior.ability[:8].min() > found.posterior.ability[8:].max()
    assert (np.median(found.posterior.easiness[:200])) < 0.5 * np.median(found.posterior.easiness[200:])
    assert (found.table["label"].to_numpy() == truth)[200:].mean() > 0.99


def test_glad_comes_to_the_maximum_of_its_posterior():
    _, table = crowd(4, [0.1, 0.3, 0.4], n_units=60)
    one, other = (np.array(aggregate(table, "glad", max_iter=n, tol=1e-12)["confidence"]) for n in (200, 400))
    assert one == pytest.approx(other, abs=1e-4)


def test_gold_weighs_votes_by_the_log_odds_of_being_right():
    rows = [(unit, name, "x" if name == "a" or unit % 4 else "y") for unit in range(8) for name in "abc"]
    table = pd.DataFrame([*rows, (9, "a", "y"), (9, "b", "x"), (9, "c", "x")], columns=["unit", "annotator", "value"])
    gold = pd.DataFrame({"unit": range(8), "value": "x"})
    last = aggregate(table, "gold-weighted", rulings=gold, smoothing=0.0).to_pylist()[-1]
    assert last["label"] == "y"
    b = c = math.log(0.75 / 0.25)
    a = math.log((1 - 1e-10) / 1e-10)
    assert last["confidence"] == pytest.approx(1 / (1 + math.exp(b + c - a)))


def test_gold_that_nobody_answered_is_refused():
    table = pd.DataFrame({"unit": [1], "annotator": ["a"], "value": ["x"]})
    with pytest.raises(InputError, match="nobody answered a gold unit"):
        aggregate(table, "gold-weighted", rulings=pd.DataFrame({"unit": [2], "value": ["x"]}))


@pytest.mark.parametrize(
    ("votes", "label", "confidence"),
    [([1, 2, 5], 2, 1 / 3), ([1, 1, 2, 5], None, 0.5), ([3], 3, 1.0), ([1, 1, 5, 5, 5], 5, 0.6), ([1, 5], None, 0.5)],
)
def test_the_median_of_numbers_is_the_middle_answer_or_a_tie(votes, label, confidence):
    table = pd.DataFrame({"unit": 1, "annotator": range(len(votes)), "value": votes})
    row = aggregate(table, "median").to_pylist()[0]
    assert (row["label"], row["confidence"]) == (label, pytest.approx(confidence))


def test_a_broken_tie_of_the_median_is_the_lower_middle():
    table = pd.DataFrame({"unit": 1, "annotator": [1, 2], "value": [4, 2]})
    assert aggregate(table, "median", break_ties=True)["label"].to_pylist() == [2]


def test_the_median_needs_an_order_and_takes_a_declared_one():
    table = pd.DataFrame({"unit": 1, "annotator": [1, 2, 3], "value": ["good", "bad", "fair"]})
    with pytest.raises(InputError, match="order"):
        aggregate(table, "median")
    ordered = read_ratings(table, categories=["good", "fair", "bad"])
    assert aggregate(ordered, "median")["label"].to_pylist() == ["fair"]


def test_a_ruling_between_the_numbers_keeps_their_order():
    table = pd.DataFrame({"unit": 1, "annotator": [1, 2, 3], "value": [1, 2, 9]})
    found = aggregate(table, "median", rulings=pd.DataFrame({"unit": [2], "value": [0]}))
    assert found["label"].to_pylist() == [2, 0]
    assert found["classes"].to_pylist()[0] == ["0", "1", "2", "9"]


def test_a_ruling_beside_declared_categories_is_refused():
    ratings = read_ratings(pd.DataFrame({"unit": [1], "annotator": [1], "value": ["a"]}), categories=["a", "b"])
    with pytest.raises(InputError, match="declared"):
        aggregate(ratings, "median", rulings=pd.DataFrame({"unit": [1], "value": ["c"]}))


@pytest.mark.parametrize("method", ["dawid-skene", "one-coin", "mace", "glad"])
def test_a_model_counts_as_one_more_annotator(method):
    truth, table = crowd(5, [0.1, 0.3, 0.4], n_units=150)
    table["annotator"] = [f"person-{code}" for code in table["annotator"]]
    model = pd.DataFrame({"unit": range(150), "annotator": "model:2026-01", "value": truth})
    with_model, without = (
        (aggregate(rows, method, break_ties=True)["label"].to_numpy() == truth).mean()
        for rows in (pd.concat([table, model]), table)
    )
    assert with_model > without


def test_what_a_posterior_learned_has_a_row_for_each_annotator():
    _, table = crowd(6, [0.1, 0.3], n_units=30)
    for method in ("dawid-skene", "one-coin", "mace"):
        confusion = resolve(table, method, settings=Settings(max_iter=3)).posterior.confusion
        assert confusion.shape == (2, 4, 4)
        assert confusion.sum(axis=2) == pytest.approx(np.ones((2, 4)))
