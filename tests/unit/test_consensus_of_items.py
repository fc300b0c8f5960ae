"""Strengths of items from comparisons and rankings: direct maximisation, ties, quality, rulings, bad input."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from labelloop.consensus import Settings, aggregate, bradley_terry, plackett_luce
from labelloop.consensus.bradley_terry import SHRINKAGE
from labelloop.consensus.plackett_luce import PHANTOM
from labelloop.errors import InputError

STEADY = Settings(max_iter=2000, tol=1e-12)


def comparisons(rows):
    return pd.DataFrame(rows, columns=["unit", "annotator", "left", "right", "value"])


def compared(seed, strength, n=2000, qualities=(1.0,), tie=0.0):
    """Comparisons of random pairs by annotators who answer against the strengths at a rate."""
    rng, m = np.random.default_rng(seed), len(strength)
    left = rng.integers(m, size=n)
    right = (left + rng.integers(1, m, size=n)) % m
    weights = np.exp(strength)
    odds = np.column_stack([weights[left], weights[right], tie * np.sqrt(weights[left] * weights[right])])
    chosen = (rng.random(n)[:, None] > (odds / odds.sum(axis=1, keepdims=True)).cumsum(axis=1)).sum(axis=1)
    who = rng.integers(len(qualities), size=n)
    turned = (rng.random(n) > np.array(qualities)[who]) & (chosen < 2)
    chosen = np.where(turned, 1 - chosen, chosen)
    names = np.array([f"item{code}" for code in range(m)])
    rows = {"unit": np.arange(n), "annotator": who, "left": names[left], "right": names[right]}
    return pd.DataFrame({**rows, "value": np.array(["left", "right", "tie"])[chosen]})


def ranked(seed, strength, n=500, length=4):
    """Rankings of random subsets, drawn item by item in proportion to strength."""
    rng, m = np.random.default_rng(seed), len(strength)
    noise = rng.gumbel(size=(n, m)) + strength
    shown = rng.random((n, m)).argsort(axis=1) < length
    rows = [[f"item{code}" for code in np.argsort(-row) if on[code]] for row, on in zip(noise, shown, strict=True)]
    values = [json.dumps(row) for row in rows]
    return pd.DataFrame({"unit": np.arange(n), "annotator": rng.integers(5, size=n), "value": values})


def strengths(found):
    rows = sorted(found.items.to_pylist(), key=lambda row: row["item"])
    return np.array([row["strength"] for row in rows])


@pytest.mark.slow
@pytest.mark.parametrize("tie", [0.0, 0.7])
def test_bradley_terry_is_the_maximum_of_its_posterior(tie):
    table = compared(0, np.array([1.0, 0.3, 0.0, -1.3]), n=300, tie=tie)
    left, right = (table[side].str[4:].astype(int).to_numpy() for side in ("left", "right"))

    def loss(flat):
        total = SHRINKAGE * (flat**2).sum() / 2
        for one, other, value in zip(left, right, table["value"], strict=True):
            odds = {"left": math.exp(flat[one]), "right": math.exp(flat[other])}
            if tie:
                odds["tie"] = math.exp(flat[4] + (flat[one] + flat[other]) / 2)
            total -= math.log(odds[value] / sum(odds.values()))
        return total

    best = minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-7}).x[:4]
    # Rulings are believed, so that no quality has to be learned.
    found = bradley_terry(table[:0], rulings=table, settings=STEADY)
    assert strengths(found) == pytest.approx(best, abs=1e-3)


@pytest.mark.slow
def test_annotators_who_answer_against_the_strengths_are_found_and_turned_around():
    truth = np.linspace(2.0, -2.0, 8)
    found = bradley_terry(compared(1, truth, qualities=(0.97, 0.97, 0.95, 0.1)))
    assert np.corrcoef(strengths(found), truth)[0, 1] > 0.98
    quality = found.annotators["quality"].to_pylist()
    assert min(quality[:3]) > 0.85
    assert quality[3] < 0.3


def test_more_ties_make_a_tie_the_label():
    rows = [
        (u, name, "x", "y", value)
        for u in range(3)
        for name, value in zip("abc", ["tie", "tie", "left"], strict=True)
    ]
    table = comparisons(rows)
    found = aggregate(table, "bradley-terry")
    assert found["label"].to_pylist() == ["tie"] * 3
    assert found["classes"].to_pylist()[0] == ["left", "right", "tie"]
    assert sum(found["probabilities"].to_pylist()[0]) == pytest.approx(1.0)


def test_who_saw_the_items_the_other_way_round_means_the_same():
    rows = [(1, "a", "x", "y", "left"), (1, "b", "y", "x", "right"), (1, "c", "y", "x", "x")]
    table = comparisons(rows)
    for order in (table, table[::-1]):
        row = aggregate(order, "bradley-terry").to_pylist()[0]
        assert (row["label"], row["n"]) == ("left", 3)
        assert row["confidence"] > 0.6


def test_an_item_that_never_lost_stays_finite_and_equal_items_tie():
    rows = [(1, "a", "x", "y", "left"), (2, "a", "z", "w", "tie")]
    table = comparisons(rows)
    found = bradley_terry(table)
    assert np.isfinite(strengths(found)).all()
    even = comparisons([(1, "a", "x", "y", "left"), (1, "b", "x", "y", "right")])
    assert aggregate(even, "bradley-terry")["label"].to_pylist() == [None]
    assert aggregate(even, "bradley-terry", break_ties=True)["label"].to_pylist() == ["left"]


def test_a_ruling_on_a_comparison_wins_and_teaches():
    table = comparisons([(1, "a", "x", "y", "left")])
    rulings = pd.DataFrame(
        [(1, "x", "y", "right"), (2, "y", "z", "left")], columns=["unit", "left", "right", "value"]
    )
    found = bradley_terry(table, rulings=rulings)
    rows = found.table.to_pylist()
    assert [(row["label"], row["confidence"], row["decided_by"], row["n"]) for row in rows] == [
        ("right", 1.0, "expert", 1),
        ("left", 1.0, "expert", 0),
    ]
    assert found.items["item"].to_pylist()[0] == "y"


@pytest.mark.parametrize(
    "rows",
    [
        [(1, "a", "x", "y", "up")],
        [(1, "a", "x", "y", "left"), (1, "b", "x", "z", "left")],
        [(1, "a", "x", None, "left")],
        [(1, "a", "x", "y", "left"), (1, "a", "x", "y", "left")],
    ],
)
def test_comparisons_that_cannot_be_used_are_refused(rows):
    with pytest.raises(InputError):
        aggregate(comparisons(rows), "bradley-terry")


def test_a_ruling_on_a_pair_nobody_named_is_refused():
    table = comparisons([(1, "a", "x", "y", "left")])
    with pytest.raises(InputError, match="nobody compared"):
        bradley_terry(table, rulings=pd.DataFrame({"unit": [2], "value": ["left"]}))


def test_plackett_luce_is_the_maximum_of_its_posterior():
    table = ranked(2, np.array([1.0, 0.5, 0.0, -0.5, -1.0]), n=60, length=3)
    rows = [[int(item[4:]) for item in json.loads(text)] for text in table["value"]]

    def loss(worth):
        total = sum(2 * PHANTOM * math.log(math.exp(one) + 1) - PHANTOM * one for one in worth)
        for row in rows:
            for place in range(len(row) - 1):
                total -= worth[row[place]] - math.log(sum(math.exp(worth[item]) for item in row[place:]))
        return total

    best = minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-8}).x
    assert strengths(plackett_luce(table, settings=STEADY)) == pytest.approx(best, abs=1e-5)


@pytest.mark.slow
def test_plackett_luce_recovers_the_strengths_of_partial_rankings():
    truth = np.linspace(1.5, -1.5, 10)
    found = plackett_luce(ranked(3, truth, n=3000), settings=STEADY)
    assert found.converged
    assert strengths(found) == pytest.approx(truth, abs=0.15)


def test_unranked_is_not_last():
    rows = [(1, "a", ["x", "y"]), (1, "b", ["x"]), (1, "c", ["x"]), (1, "d", ["z", "x"])]
    table = pd.DataFrame(rows, columns=["unit", "annotator", "value"])
    row = aggregate(table, "plackett-luce").to_pylist()[0]
    assert json.loads(row["label"]) == ["z", "x", "y"]
    assert row["classes"] == ["z", "x", "y"]
    assert sum(row["probabilities"]) == pytest.approx(1.0)
    assert 0.5 < row["confidence"] < 1.0


def test_opposite_rankings_tie_until_the_tie_is_broken():
    table = pd.DataFrame({"unit": [1, 1], "annotator": [*"ab"], "value": [["x", "y"], ["y", "x"]]})
    assert aggregate(table, "plackett-luce")["label"].to_pylist() == [None]
    assert aggregate(table, "plackett-luce", break_ties=True)["label"].to_pylist() == ['["x", "y"]']


def test_an_experts_ranking_wins():
    table = pd.DataFrame({"unit": [1], "annotator": ["a"], "value": [["x", "y"]]})
    rulings = pd.DataFrame({"unit": [2, 1], "value": [["z", "x"], ["y", "x"]]})
    rows = aggregate(table, "plackett-luce", rulings=rulings).to_pylist()
    assert [(row["label"], row["confidence"], row["decided_by"]) for row in rows] == [
        ('["y", "x"]', 1.0, "expert"),
        ('["z", "x"]', 1.0, "expert"),
    ]
    assert [row["n"] for row in rows] == [1, 0]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["bradley-terry", "plackett-luce"])
def test_rows_and_names_of_annotators_do_not_matter(method):
    table = (
        compared(4, np.array([1.0, 0.0, -1.0]), n=60) if method == "bradley-terry" else ranked(4, np.zeros(5), n=60)
    )
    shuffled = table.sample(frac=1.0, random_state=0)
    one, other = (np.array(aggregate(rows, method)["confidence"]) for rows in (table, shuffled))
    assert one == pytest.approx(other, abs=1e-6)


@pytest.mark.parametrize("method", ["bradley-terry", "plackett-luce"])
def test_no_answers_give_no_labels(method):
    table = compared(5, np.zeros(2), n=1) if method == "bradley-terry" else ranked(5, np.zeros(4), n=1)
    assert aggregate(table[:0], method).num_rows == 0


def test_a_list_of_one_item_is_its_own_order_and_an_empty_one_says_nothing():
    table = pd.DataFrame({"unit": [1, 2], "annotator": [*"ab"], "value": [["x"], []]})
    rows = aggregate(table, "plackett-luce").to_pylist()
    assert (rows[0]["label"], rows[0]["confidence"]) == ('["x"]', 1.0)
    assert rows[1]["label"] is None


@pytest.mark.parametrize("value", ["no list", '["x", "x"]', '["broken'])
def test_rankings_that_cannot_be_used_are_refused(value):
    with pytest.raises(InputError):
        aggregate(pd.DataFrame({"unit": [1], "annotator": ["a"], "value": [value]}), "plackett-luce")
