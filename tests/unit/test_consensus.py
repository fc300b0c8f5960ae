"""Consensus against a bare loop, simulated crowds, and the promises on ties, rulings and names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from labelloop.consensus import METHODS, Settings, aggregate, resolve
from labelloop.errors import InputError
from tests.builders.crowds import crowd

# What needs neither an order of the values nor known answers.
NOMINAL = [name for name in METHODS if name not in ("median", "gold-weighted")]
LEARNING = [name for name in NOMINAL if name != "majority"]
VOTES = pd.DataFrame(
    [(1, "a", "x"), (1, "b", "x"), (1, "c", "y"), (2, "a", "y"), (2, "b", "x")],
    columns=["unit", "annotator", "value"],
)


def bare_dawid_skene(table, n_classes, smoothing, steps):
    """The method as Dawid and Skene wrote it: products of probabilities, one rating at a time."""
    units = sorted(set(table["unit"]))
    rows = [(units.index(unit), annotator, value) for unit, annotator, value in table.itertuples(index=False)]
    posterior = np.zeros((len(units), n_classes))
    for unit, _, value in rows:
        posterior[unit, value] += 1
    posterior /= posterior.sum(axis=1, keepdims=True)
    imagined = {}
    for name in {annotator for _, annotator, _ in rows}:
        own = [(posterior[unit], value) for unit, annotator, value in rows if annotator == name]
        said = np.bincount([value for _, value in own], minlength=n_classes)
        by_chance = sum(said * sum(vote for vote, _ in own)) / len(own)
        knows = (sum(vote[value] for vote, value in own) - by_chance + 1) / (len(own) - by_chance + 2)
        guessed = (1 - knows) * (said + 1) / (len(own) + n_classes)
        imagined[name] = smoothing * (knows * np.eye(n_classes) + guessed)
    for _ in range(steps):
        confusion = {name: counts.copy() for name, counts in imagined.items()}
        for unit, annotator, value in rows:
            confusion[annotator][:, value] += posterior[unit]
        units_of_class = posterior.sum(axis=0) + min(smoothing, 1)
        joint = np.tile(units_of_class / units_of_class.sum(), (len(units), 1))
        for unit, annotator, value in rows:
            joint[unit] *= confusion[annotator][:, value] / confusion[annotator].sum(axis=1)
        posterior = joint / joint.sum(axis=1, keepdims=True)
    return posterior


@pytest.mark.parametrize("smoothing", [10.0, 0.2])
@pytest.mark.parametrize("steps", [1, 5, 20])
def test_dawid_skene_equals_the_bare_loop(smoothing, steps):
    _, table = crowd(0, [0.1, 0.2, 0.4, 0.5], n_units=60, per_unit=3)
    expected = bare_dawid_skene(table, 4, smoothing, steps)
    found = aggregate(table, smoothing=smoothing, max_iter=steps, tol=0.0)["probabilities"].to_pylist()
    assert np.array(found) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("method", NOMINAL)
def test_a_good_crowd_is_followed(method):
    truth, table = crowd(1, [0.1, 0.1, 0.2, 0.2])
    labels = aggregate(table, method, break_ties=True)["label"].to_numpy()
    assert (labels == truth).mean() > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("method", LEARNING)
def test_learning_from_annotators_who_differ_beats_the_vote(method):
    gains = []
    for seed in range(10):
        truth, table = crowd(seed, [0.05, 0.1, *[0.65] * 5])
        right = [
            (aggregate(table, name, break_ties=True)["label"].to_numpy() == truth).mean()
            for name in (method, "majority")
        ]
        gains.append(right[0] - right[1])
    assert np.mean(gains) > 0.05


def test_an_annotator_who_swaps_two_classes_still_informs():
    truth, table = crowd(2, [0.1, 0.1, 0.0], n_classes=2)
    table.loc[table["annotator"] == 2, "value"] = 1 - table["value"]
    found = resolve(table)
    assert found.posterior.confusion[2] == pytest.approx(np.array([[0, 1], [1, 0]]), abs=0.05)
    assert (found.table["label"].to_numpy() == truth).mean() > 0.97


def test_half_of_a_crowd_pressing_one_button_does_not_decide():
    truth, table = crowd(0, ["first", "first", "first", "first", 0.1, 0.1, 0.2, 0.2], 200, n_classes=3, per_unit=4)
    right = {name: (resolve(table, name).posterior.chosen == truth).mean() for name in ("dawid-skene", "majority")}
    assert right["majority"] < 0.5
    assert right["dawid-skene"] > 0.85


@pytest.mark.parametrize("n_units", [100, 2000])
@pytest.mark.parametrize("overlap", [0.0, 0.2])
def test_units_answered_once_keep_about_what_was_answered(n_units, overlap):
    truth, table = crowd(7, [0.04, 0.04, 0.06, 0.18], n_units=n_units, n_classes=10)
    once = table.groupby("unit").sample(1, random_state=0)
    table = pd.concat([table[table["unit"] < overlap * n_units], once[once["unit"] >= overlap * n_units]])
    labels = aggregate(table, break_ties=True)["label"].to_numpy()
    assert (labels == truth).mean() > (once["value"].to_numpy() == truth).mean() - 0.02


def test_convergence_is_reported():
    _, table = crowd(3, [0.1, 0.2, 0.3])
    full, cut = (resolve(table, settings=Settings(max_iter=steps)).posterior for steps in (1000, 2))
    assert full.converged
    assert full.steps < 1000
    assert not cut.converged
    assert cut.steps == 2


def test_many_annotators_do_not_underflow():
    _, table = crowd(4, [0.3] * 400, n_units=5)
    probabilities = np.array(aggregate(table)["probabilities"].to_pylist())
    assert probabilities.sum(axis=1) == pytest.approx(1.0)


@pytest.mark.parametrize("method", NOMINAL)
def test_rows_and_names_do_not_matter(method):
    _, table = crowd(5, [0.1, 0.3, 0.4], n_units=80, per_unit=2)
    shuffled = table.sample(frac=1.0, random_state=0)
    renamed = shuffled.assign(annotator=[f"z{9 - code}" for code in shuffled["annotator"]])
    first, second = (np.array(aggregate(rows, method)["probabilities"].to_pylist()) for rows in (table, renamed))
    assert first == pytest.approx(second, abs=1e-9)


@pytest.mark.parametrize("method", NOMINAL)
def test_probabilities_sum_to_one_and_the_label_is_the_best(method):
    _, table = crowd(6, [0.1, 0.3, 0.4])
    for row in aggregate(table, method).to_pylist():
        assert sum(row["probabilities"]) == pytest.approx(1.0)
        assert row["confidence"] == max(row["probabilities"])
        if row["label"] is not None:
            assert row["classes"][int(np.argmax(row["probabilities"]))] == str(row["label"])


def test_a_tie_has_no_label_until_it_is_broken():
    tied, broken = (aggregate(VOTES, "majority", break_ties=flag).to_pylist()[1] for flag in (False, True))
    assert (tied["label"], tied["confidence"], tied["decided_by"]) == (None, 0.5, None)
    assert (broken["label"], broken["confidence"], broken["decided_by"]) == ("x", 0.5, "consensus")


def test_a_broken_tie_of_a_vote_is_the_class_of_those_who_agree_with_it_more_often():
    rows = [(unit, who, "y") for unit in range(4) for who in "abc"] + [(4, "b", "z"), (4, "a", "y"), (4, "c", "y")]
    rows += [(9, "b", "x"), (9, "c", "z")]
    table = pd.DataFrame(rows, columns=["unit", "annotator", "value"])
    found = aggregate(table, "majority", break_ties=True).to_pylist()[-1]
    assert (found["label"], found["confidence"]) == ("z", 0.5)


@pytest.mark.parametrize("method", NOMINAL)
def test_an_expert_ruling_wins_over_all_votes(method):
    rulings = pd.DataFrame({"unit": [1, 7], "value": ["y", "z"]})
    rows = {row["unit"]: row for row in aggregate(VOTES, method, rulings=rulings).to_pylist()}
    assert (rows[1]["label"], rows[1]["confidence"], rows[1]["decided_by"], rows[1]["n"]) == ("y", 1.0, "expert", 3)
    assert (rows[7]["label"], rows[7]["decided_by"], rows[7]["n"]) == ("z", "expert", 0)
    assert rows[2]["classes"] == ["x", "y", "z"]


def test_rulings_teach_dawid_skene_whom_to_believe():
    rows = [(unit, name, "xy"[(unit + (name == "b")) % 2]) for unit in range(20) for name in "ab"]
    table = pd.DataFrame(rows, columns=["unit", "annotator", "value"])
    rulings = table[(table["annotator"] == "b") & (table["unit"] < 10)][["unit", "value"]]
    assert aggregate(table)["label"].null_count == 20
    labels = aggregate(table, rulings=rulings)["label"].to_pylist()
    assert labels == table[table["annotator"] == "b"]["value"].tolist()


def test_rulings_out_of_order_reach_their_units():
    table = pd.DataFrame({"unit": ["b", "d"], "annotator": [1, 1], "value": ["x", "y"]})
    rulings = pa.table({"unit": ["c", "a"], "value": ["x", "y"]})
    found = aggregate(table, "majority", rulings=rulings)
    assert found["unit"].to_pylist() == ["a", "b", "c", "d"]
    assert found["label"].to_pylist() == ["y", "x", "x", "y"]


@pytest.mark.parametrize("method", NOMINAL)
@pytest.mark.parametrize(
    "rulings", [pd.DataFrame({"unit": [], "value": []}), pd.DataFrame({"unit": [1], "value": ["x"]})]
)
@pytest.mark.parametrize("table", [VOTES, VOTES[:0], VOTES.assign(value=VOTES["value"].astype("category"))])
def test_rulings_and_ratings_may_be_empty_or_categorical(method, rulings, table):
    found = aggregate(table, method, rulings=rulings)
    assert found.num_rows == len(set(table["unit"]) | set(rulings["unit"]))


@pytest.mark.parametrize("method", NOMINAL)
def test_no_ratings_give_an_empty_table_of_the_same_columns(method):
    empty = aggregate(VOTES[:0], method)
    assert empty.num_rows == 0
    assert empty.column_names == aggregate(VOTES, method).column_names


@pytest.mark.parametrize("method", NOMINAL)
def test_labels_keep_the_type_of_the_values(method):
    for values in (["x", "y"], [1, 2], [0.5, 1.5], [True, False]):
        table = pd.DataFrame({"unit": [1, 2], "annotator": [1, 1], "value": values})
        assert aggregate(table, method)["label"].to_pylist() == values


@pytest.mark.parametrize(
    "options",
    [
        {"method": "plurality"},
        {"smoothing": -1.0},
        {"max_iter": 0},
        {"rulings": pd.DataFrame({"unit": [1]})},
        {"rulings": pd.DataFrame({"unit": [1, 1], "value": ["x", "y"]})},
        {"rulings": pd.DataFrame({"unit": [1], "value": [None]})},
        {"rulings": pd.DataFrame({"unit": ["one"], "value": ["x"]})},
    ],
)
def test_unusable_options_are_refused_by_name(options):
    with pytest.raises(InputError):
        aggregate(VOTES, **options)
