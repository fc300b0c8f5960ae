"""Confusion, skill adjusted for difficulty, time and cost: fair to who has the hard units, silent on too little."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from labelloop.annotators import Work, assess, confusions, skills, work_of
from labelloop.annotators.work import idle_cap
from labelloop.errors import InputError
from tests.builders.answers import answer
from tests.builders.crowds import crowd
from tests.builders.rows import rows_of


def test_a_confusion_counts_what_was_taken_for_what():
    truth, ratings = crowd(0, [0.0, 0.0, 0.0], n_units=200, n_classes=3)
    mine = ratings["annotator"] == 2
    ratings.loc[mine & (ratings["value"] == 1), "value"] = 2
    rows = [row for row in confusions(ratings).to_pylist() if row["annotator"] == 2]
    assert [(row["truth"], row["answer"], row["share"]) for row in rows] == [
        ("0", "0", 1.0),
        ("1", "2", 1.0),
        ("2", "2", 1.0),
    ]
    assert [row["n"] for row in rows] == np.bincount(truth).tolist()
    assert all(row["low"] < row["share"] <= row["high"] + 1e-9 for row in rows)


def test_a_share_on_few_answers_is_not_given():
    _, ratings = crowd(1, [0.0, 0.0, 0.0], n_units=6, n_classes=2)
    assert {row["share"] for row in confusions(ratings).to_pylist()} == {None}


def test_no_ratings_have_no_confusion():
    assert confusions(pd.DataFrame({"unit": [], "annotator": [], "value": []})).num_rows == 0


def by_difficulty(seed, n_units=400, ability=2.0):
    """Twelve equal annotators; the first half of the units are hard, and annotator 0 answers only those."""
    rng = np.random.default_rng(seed)
    easiness = np.where(np.arange(n_units) < n_units // 2, 0.3, 2.0)
    truth = rng.integers(0, 4, n_units)
    right = rng.random((n_units, 12)) < 1 / (1 + np.exp(-ability * easiness))[:, None]
    wrong = (truth[:, None] + rng.integers(1, 4, (n_units, 12))) % 4
    value = np.where(right, truth[:, None], wrong)
    unit, annotator = np.divmod(np.arange(value.size), 12)
    ratings = pd.DataFrame({"unit": unit, "annotator": annotator, "value": value.ravel()})
    return ratings[(ratings["annotator"] > 0) | (ratings["unit"] < n_units // 2)]


def test_who_gets_the_hard_units_is_not_taken_for_careless():
    mine, *others = skills(by_difficulty(2))
    plain, *_ = assess(by_difficulty(2))
    assert plain.flagged
    assert mine.low < np.mean([other.skill for other in others]) < mine.high


@pytest.mark.slow
def test_the_interval_of_equal_skill_covers_it_as_often_as_it_says():
    covered = []
    for seed in range(60):
        found = skills(by_difficulty(seed))
        everyone = np.mean([figure.skill for figure in found])
        covered += [figure.low <= everyone <= figure.high for figure in found]
    assert 0.93 < np.mean(covered) < 0.98


def test_a_careless_annotator_has_less_skill_than_careful_ones():
    _, ratings = crowd(3, [0.05, 0.1, 0.1, 0.6], n_units=300)
    found = skills(ratings)
    assert found[3].high < min(figure.low for figure in found[:3])


def test_a_skill_on_too_little_has_a_reason():
    _, ratings = crowd(4, [0.1, 0.1, 0.1], n_units=10)
    assert all(figure.skill is None and "fewer than 20" in figure.reason for figure in skills(ratings))
    alone = ratings[ratings["annotator"] == 0]
    assert [(figure.n, figure.skill) for figure in skills(alone)] == [(0, None)]


def work(seconds, states, said="cat", **options):
    """Work of one annotator whose answers took so long and whose labels, all cat, are in these states."""
    answers = [answer(f"{k:032x}", "ann", said, lead_time=taken) for k, taken in enumerate(seconds)]
    labels = [{"unit_id": f"{k:032x}", "control": "digit", "label": "cat", "state": s} for k, s in enumerate(states)]
    return work_of(rows_of("annotations", answers), rows_of("labels", labels), **options)


def test_idle_time_is_cut_and_the_cost_is_that_of_accepted_answers():
    seconds = [8.0, 9.0, 9.0, 10.0, 10.0, 11.0, 11.0, 12.0, 7200.0]
    (found,) = work(seconds, ["accepted"] * 6 + ["conflict"] * 3, hourly_rate=36.0)
    worked = sum(seconds[:-1]) + idle_cap(np.array(seconds))
    assert (found.answers, found.accepted, found.idle, found.median_seconds) == (9, 6, 1, 10.0)
    assert found.hours == pytest.approx(worked / 3600)
    assert found.cost_per_accepted == pytest.approx(worked / 100 / 6)


def test_an_answer_that_differs_from_the_label_is_not_accepted():
    assert [found.accepted for found in work([5.0, 5.0], ["accepted"] * 2, said="dog")] == [0]
    assert [found.accepted for found in work([5.0, 5.0], ["accepted"] * 2)] == [2]


def test_untimed_and_missing_work_has_no_hours():
    assert work([None], []) == [Work("ann", 1, 0)]
    assert work([], []) == []


def test_a_negative_rate_is_refused():
    with pytest.raises(InputError):
        work([], [], hourly_rate=-1.0)
