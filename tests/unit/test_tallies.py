"""What is counted round by round adds up, and gives the figures of the answers themselves."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest

from labelloop.night import agreement_rows, rows_of_tallies
from labelloop.scoped_figures import Beside
from labelloop.tallies.answers import COUNTED, Known
from labelloop.tallies.counting import counted
from labelloop.tallies.figures import kind_of
from labelloop.tallies.kept import Kept, still_settled
from labelloop.tallies.tally import GROUPS, emptied, tallies_of, tally_rows, together
from tests.builders.answers import NOW, answer
from tests.builders.every_kind import EVERY_KIND, LABELS, answers_of
from tests.builders.rows import hex_id, rows_of

SETTINGS = {"round": 1, "n_min": 5, "seed": 0, "at": NOW}
COUNTS = ("n_units", "n_annotators", "n_ratings")


def table(rows):
    return rows_of("annotations", list(rows))


def crowd(n=40, annotators="abcd"):
    """Answers of two to four of them to each unit, one in four drawn."""
    rng = random.Random(5)
    for unit in range(n):
        for who in rng.sample(annotators, rng.randrange(1, len(annotators) + 1)):
            label = rng.choice(LABELS) if rng.random() < 0.25 else LABELS[unit % 3]
            yield answer(hex_id(unit), who, label, prediction_shown=rng.random() < 0.5, lead_time=rng.uniform(0, 9))


def values(rows):
    """Value, reason and counts of every figure but changes: weeks and sittings are told apart in another way."""
    found = [row for row in rows.to_pylist() if row["scope"] != "change"]
    return {
        (row["scope"], row["who"], row["metric"], row["level"]): (row["value"], row["reason"], *map(row.get, COUNTS))
        for row in found
    }


def assert_same(annotations, known, beside):
    found = values(rows_of_tallies(counted(annotations, known), 0, **SETTINGS))
    wanted = values(agreement_rows(annotations, beside=beside, **SETTINGS))
    assert found.keys() == wanted.keys()
    for name, (value, *rest) in found.items():
        assert value == (None if wanted[name][0] is None else pytest.approx(wanted[name][0], abs=1e-12)), name
        assert rest == list(wanted[name][1:]), name


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(COUNTED))
def test_figures_of_every_kind_that_is_counted_are_those_of_its_answers(kind):
    assert_same(table(answers_of(kind)), Known(), Beside())


def test_units_of_any_number_of_answers_count_as_they_should():
    assert_same(table(crowd()), Known(), Beside())


@pytest.mark.slow
def test_several_choices_make_sets_also_where_they_were_counted_apart():
    rows = list(crowd())
    sets = [answer(hex_id(99), who, "", choices=list(LABELS[:2])) for who in "ab"]
    parts = [counted(table(some), Known()) for some in (rows, sets)]
    found = values(rows_of_tallies(together(parts), 0, **SETTINGS))
    wanted = values(agreement_rows(table(rows + sets), **SETTINGS))
    alpha = ("project", "", "krippendorff_alpha", "masi")
    assert found[alpha] == pytest.approx(wanted[alpha], abs=1e-12)


def test_a_model_is_counted_beside_people():
    said = {"unit": [hex_id(unit) for unit in range(40)], "value": [LABELS[unit % 2] for unit in range(40)]}
    model = pa.table({"annotator": ["model:1"] * 40} | said)
    model = model.append_column("control", [["digit"] * 40])
    assert_same(table(crowd()), Known(model=model), Beside(model=model))


@pytest.mark.parametrize("kind", sorted(set(EVERY_KIND) - set(COUNTED)))
def test_answers_without_categories_are_not_counted(kind):
    found = counted(table(answers_of(kind)), Known())
    assert {kind_of(tally) for tally in found.values()} == {None}


def test_what_is_asked_of_each_region_is_not_counted():
    of_box = {"region_id": "r", "choices": ["cat"], "number": None, "text": None}
    tally = counted(table([answer(hex_id(1), "a", "", choices=None, per_region=[of_box])]), Known())["digit"]
    assert kind_of(tally) is None


def test_a_question_whose_kind_changed_or_that_nobody_planned_to_ask_is_not_counted():
    stars = {"control_type": "rating", "choices": None, "number": 4.0}
    rows = list(crowd()), [answer(hex_id(99), who, "", **stars) for who in "ab"]
    assert kind_of(together(counted(table(some), Known()) for some in rows)["digit"]) is None
    tally = counted(table([answer(hex_id(1), "a", "cat", opinion_reason="adaptive")]), Known())["digit"]
    assert kind_of(tally) is None


def test_rounds_counted_apart_add_up_to_all_of_them_and_survive_the_lake():
    rows, every = list(crowd(60)), range(60)
    chosen = [{"round": 1 + unit % 3, "stratum": ("audit", "explore")[unit % 2]} for unit in every]
    batches = rows_of("batches", [{**row, "inclusion_probability": 0.1} for row in chosen])
    parts = []
    for number in (1, 2, 3):
        own = {hex_id(unit) for unit in every if 1 + unit % 3 == number}
        part = batches.filter(pa.compute.equal(batches["round"], number))
        parts.append(counted(table(row for row in rows if row["unit_id"] in own), Known(part)))
    whole = tally_rows(counted(table(rows), Known(batches)))
    apart = tally_rows(together([together(parts[:2]), *parts[2:]]))
    assert apart.equals(whole)
    assert tally_rows(tallies_of(apart)).equals(whole)
    gone = emptied(apart, apart.slice(3))
    assert gone["tally_id"].to_pylist() == apart["tally_id"].to_pylist()[:3]
    assert tallies_of(gone) == {}


def test_units_of_one_person_are_in_one_group_and_one_person_alone_has_figures():
    rows = table(crowd())
    units = [hex_id(unit) for unit in range(40)]
    two = pa.table({"unit_id": units, "cluster": [str(unit % 2) for unit in range(40)]})
    tally = counted(rows, Known(clusters=two))["digit"]
    groups = sum(n for n in tally.families["given", "project", ""].values())
    assert np.count_nonzero(groups) == 2
    assert len(groups) == GROUPS
    one = pa.table({"unit_id": units, "cluster": ["p"] * 40})
    found = rows_of_tallies(counted(rows, Known(clusters=one)), 0, **SETTINGS).to_pylist()
    alpha = next(row for row in found if row["metric"] == "krippendorff_alpha")
    assert alpha["low"] < alpha["value"] < alpha["high"]


def test_fewer_people_prove_less():
    def width(of_each):
        units = [hex_id(unit) for unit in range(200)]
        people = pa.table({"unit_id": units, "cluster": [str(unit // of_each) for unit in range(200)]})
        labels = random.Random(2).choices(LABELS, k=200)
        said = (
            answer(hex_id(unit), who, labels[unit // of_each] if who == "b" and unit // of_each % 2 else "cat")
            for unit in range(200)
            for who in "ab"
        )
        found = rows_of_tallies(counted(table(said), Known(clusters=people)), 0, **SETTINGS).to_pylist()
        return found[0]["high"] - found[0]["low"]

    assert width(10) > 2 * width(1)


KEPT = Kept(recipe="r", version=4, settled={1: 9, 2: 5}, files={"a": [1], "b": [2, 3]})
NOW_THERE = {"a": [1], "b": [2, 3]}


@pytest.mark.parametrize(
    ("files", "chosen", "recipe", "version", "holds"),
    [
        (NOW_THERE, {1: 9, 2: 5}, "r", 4, True),
        ({**NOW_THERE, "c": [3, 4]}, {1: 9, 2: 5, 3: 2}, "r", 4, True),
        ({**NOW_THERE, "c": [2]}, {1: 9, 2: 5}, "r", 4, False),
        ({"a": [1]}, {1: 9, 2: 5}, "r", 4, False),
        (NOW_THERE, {1: 9, 2: 4}, "r", 4, False),
        (NOW_THERE, {1: 9, 2: 5}, "other", 4, False),
        (NOW_THERE, {1: 9, 2: 5}, "r", 5, False),
    ],
)
def test_settled_rounds_hold_while_no_file_of_theirs_comes_or_goes(files, chosen, recipe, version, holds):
    assert still_settled(KEPT, files, chosen, recipe=recipe, version=version) is holds
