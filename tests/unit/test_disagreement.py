"""Where annotators disagree, what it changes with, and who may not have looked: planted effects are found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from labelloop.agreement.changes_of_agreement import FRESH, METRICS, changes
from labelloop.agreement.disagreement import agreement_of_ratings, confused_labels, difficult_units
from labelloop.agreement.ratings import read_ratings
from labelloop.annotators.herd import constancy, shared_errors
from labelloop.errors import InputError

BEGIN = datetime(2026, 1, 5, 8, tzinfo=UTC)


def crowd(rng, n_units=200, errors=(0.2, 0.2, 0.2, 0.2), n_values=4):
    rows = []
    for unit in range(n_units):
        truth = int(rng.integers(n_values))
        for who, error in enumerate(errors):
            value = truth if rng.random() >= error else int((truth + 1 + rng.integers(n_values - 1)) % n_values)
            rows.append((unit, f"a{who}", f"v{value}"))
    return pd.DataFrame(rows, columns=["unit", "annotator", "value"])


def test_units_are_sorted_by_how_many_pairs_disagree():
    table = pd.DataFrame({"unit": [*"aaabbbcccd"], "annotator": [*"xyzxyzxyzx"], "value": [*"112111123", "1"]})
    assert difficult_units(table).to_pylist() == [
        {"unit": "c", "disagreement": 1.0, "n_ratings": 3},
        {"unit": "a", "disagreement": pytest.approx(2 / 3), "n_ratings": 3},
    ]
    assert difficult_units(table, 1)["unit"].to_pylist() == ["c"]


def test_confused_labels_add_up_to_all_disagreement_with_units_as_examples():
    table = crowd(np.random.default_rng(0))
    swapped = table.assign(value=table["value"].where(table["unit"] % 2 == 0, table["value"].replace("v0", "v1")))
    both = pd.concat([swapped, table.assign(annotator="b" + table["annotator"])])
    found = confused_labels(both).to_pylist()
    assert (found[0]["one"], found[0]["other"]) == ("v0", "v1")
    assert sum(row["share"] for row in found) == pytest.approx(1.0)
    of_unit = both.groupby("unit")["value"].agg(set)
    assert all({row["one"], row["other"]} <= of_unit[unit] for row in found for unit in row["examples"])
    ratings = read_ratings(both)
    disagreement = np.bincount(ratings.unit, 1.0 - agreement_of_ratings(ratings)) / ratings.per_unit
    assert sum(row["n"] for row in found) == pytest.approx(disagreement.sum())


def work(rng, *, late=0.0, tired=0.0, shown=0.0, slow=0.0, n_units=800):
    """Two annotators, forty answers a day; everything planted lowers or raises the chance to be right."""
    rows = []
    for unit in range(n_units):
        truth, is_shown = int(rng.integers(3)), bool(rng.random() < 0.5)
        for who in range(2):
            position = unit % 40
            right = 0.7 - late * (unit >= n_units / 2) - tired * (position >= FRESH) + shown * is_shown
            value = truth if rng.random() < right else int(rng.integers(3))
            time = BEGIN + timedelta(days=unit // 40, minutes=position, seconds=who)
            seconds = float(np.exp(rng.normal(2.0 + slow * (position >= FRESH), 0.3)))
            rows.append((unit, f"a{who}", f"v{value}", time, seconds, is_shown))
    names = ["unit", "annotator", "value", "time", "seconds", "shown"]
    return pa.Table.from_pandas(pd.DataFrame(rows, columns=names), preserve_index=False)


@pytest.mark.parametrize(
    ("planted", "metric", "sign"),
    [
        ({"late": 0.3}, "drift", -1),
        ({"tired": 0.3}, "fatigue", -1),
        ({"slow": 0.5}, "slowing", 1),
        ({"shown": 0.3}, "prediction_effect", 1),
    ],
)
def test_what_was_planted_is_found_and_nothing_else(planted, metric, sign):
    found = {figure.metric: figure for figure in changes(work(np.random.default_rng(3), **planted))}
    assert tuple(found) == METRICS
    assert min(sign * found[metric].low, sign * found[metric].high) > 0
    for other in set(METRICS) - {metric}:
        assert found[other].low <= 0 <= found[other].high


def test_without_a_second_side_a_change_is_a_reason():
    answers = work(np.random.default_rng(0), n_units=30)
    hidden = answers.set_column(5, "shown", pa.array([False] * answers.num_rows))
    found = {figure.metric: figure for figure in changes(hidden)}
    assert "units on one of two sides: 0" in found["prediction_effect"].reason
    assert "sittings" in found["fatigue"].reason


@pytest.mark.parametrize("wrong", ["time", "shown"])
def test_changes_need_to_know_when_and_what_was_shown(wrong):
    with pytest.raises(InputError, match=wrong):
        changes(work(np.random.default_rng(0), n_units=9).drop_columns(wrong))


def test_a_copy_shares_the_errors_of_the_original_and_nobody_else_does():
    rng = np.random.default_rng(1)
    table = crowd(rng, n_units=400, errors=(0.3, 0.3, 0.3, 0.3, 0.3))
    copied = table[table["annotator"] == "a0"].assign(annotator="copy")
    copied.loc[rng.random(len(copied)) < 0.2, "value"] = "v0"
    found = dict(shared_errors(pd.concat([table, copied])))
    assert {pair for pair, figure in found.items() if figure.estimable and figure.low > 0} == {("a0", "copy")}


@pytest.mark.slow
def test_equal_annotators_are_almost_never_taken_for_copies():
    flagged = 0
    for seed in range(40):
        found = shared_errors(crowd(np.random.default_rng(seed), errors=(0.3,) * 5))
        flagged += any(figure.estimable and figure.low > 0 for _, figure in found)
    assert flagged <= 5


def test_two_careful_annotators_among_careless_ones_are_no_copies():
    found = dict(shared_errors(crowd(np.random.default_rng(4), n_units=600, errors=(0.1, 0.1, *[0.25] * 5))))
    assert not any(figure.estimable and figure.low > 0 for figure in found.values())


def test_who_always_gives_the_same_answer_stands_out():
    table = crowd(np.random.default_rng(2))
    lazy = pd.DataFrame({"unit": range(200), "annotator": "lazy", "value": "v0"})
    found = dict(constancy(pd.concat([table, lazy])))
    assert found["lazy"].value > 0.6
    assert {who for who, figure in found.items() if figure.low > 0} == {"lazy"}


def test_too_few_cases_are_a_reason():
    table = crowd(np.random.default_rng(2), n_units=5)
    assert all(figure.reason for _, figure in [*shared_errors(table), *constancy(table)])
