"""When a unit has enough opinions, and what one more is likely to bring."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from labelloop.consensus import enough_opinions, resolve
from labelloop.errors import InputError
from tests.builders.crowds import crowd


def rows(found, **options):
    return {row["unit"]: row for row in enough_opinions(found, **options).to_pylist()}


def test_a_posterior_above_the_threshold_is_enough_and_one_below_is_not():
    _, table = crowd(0, [0.1, 0.2, 0.3])
    found = resolve(table)
    for unit, row in rows(found, threshold=0.95).items():
        assert row["enough"] == (row["confidence"] >= 0.95), unit


def test_a_sure_label_still_waits_for_the_least_number_of_opinions():
    _, table = crowd(1, [0.0, 0.0, 0.0], n_units=50)
    one = table[(table["unit"] > 0) | (table["annotator"] == 0)]
    found = rows(resolve(one), threshold=0.5, least=2)
    assert not found[0]["enough"]
    assert found[1]["enough"]


def test_a_tie_is_never_enough_and_a_ruling_always_is():
    table = pd.DataFrame({"unit": [1, 1, 2, 2], "annotator": [*"abab"], "value": [*"xyxy"]})
    found = rows(resolve(table, "majority", rulings=pd.DataFrame({"unit": [2], "value": ["y"]})), threshold=0.5)
    assert [found[unit]["enough"] for unit in (1, 2)] == [False, True]
    assert found[1]["chance"] is None


def test_the_chance_is_how_often_one_more_opinion_settles_a_unit():
    _, table = crowd(2, [0.2] * 4, n_units=4000, n_classes=3)
    before = rows(resolve(table[table["annotator"] < 3]), threshold=0.9)
    after = rows(resolve(table), threshold=0.9)
    waiting = [unit for unit, row in before.items() if not row["enough"]]
    settled = np.mean([after[unit]["confidence"] >= 0.9 for unit in waiting])
    assert len(waiting) > 100
    assert np.mean([before[unit]["chance"] for unit in waiting]) == pytest.approx(settled, abs=0.08)


@pytest.mark.parametrize("options", [{"threshold": 1.1}, {"threshold": -0.1}, {"threshold": 0.5, "least": 0}])
def test_an_unusable_threshold_is_refused(options):
    with pytest.raises(InputError):
        enough_opinions(resolve(crowd(3, [0.1], n_units=5)[1]), **options)


def test_nothing_rated_is_an_empty_table():
    assert enough_opinions(resolve(crowd(4, [0.1], n_units=5)[1][:0]), threshold=0.5).num_rows == 0
