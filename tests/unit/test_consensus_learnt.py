"""What was learnt of annotators on some units decides others, each by its own opinions."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from labelloop.consensus import resolve
from labelloop.consensus.learnt import decide, learn, learnt_from, learnt_rows
from tests.builders.crowds import crowd

METHODS = ["majority", "dawid-skene", "one-coin", "mace"]
NO_RULINGS = pa.table({"unit": pa.array([], pa.string()), "value": pa.array([], pa.string())})


def ratings(n_units=120):
    _, found = crowd(3, [0.1, 0.1, 0.4], n_units=n_units, n_classes=3)
    columns = {name: pc.cast(pa.array(found[name]), pa.string()) for name in ("unit", "annotator", "value")}
    return pa.table(columns)


def soft(labels):
    return labels.sort_by("unit")["probabilities"].combine_chunks().flatten().to_numpy()


@pytest.mark.parametrize("method", ["majority", "dawid-skene", "one-coin"])
def test_units_are_decided_by_what_was_learnt_on_them_as_by_the_method_itself(method):
    votes = ratings()
    found = decide(votes, NO_RULINGS, method, learn(votes, NO_RULINGS, method)).table
    wanted = resolve(votes, method).table
    assert found["label"].equals(wanted["label"])
    assert np.abs(soft(found) - soft(wanted)).max() < 1e-4


@pytest.mark.parametrize("method", METHODS)
def test_a_unit_is_decided_the_same_whatever_is_decided_with_it(method):
    votes = ratings()
    learnt = learn(votes, NO_RULINGS, method)
    some = votes.filter(pc.is_in(votes["unit"], value_set=pa.array(["3", "7"])))
    together, apart = (decide(given, NO_RULINGS, method, learnt).table for given in (votes, some))
    two = together.filter(pc.is_in(together["unit"], value_set=pa.array(["3", "7"])))
    assert two.sort_by("unit").to_pylist() == apart.sort_by("unit").to_pylist()


def test_whoever_is_not_known_errs_as_the_known_do_on_average():
    votes = ratings()
    learnt = learn(votes, NO_RULINGS, "dawid-skene")
    stranger = pa.table({"unit": ["new"], "annotator": ["stranger"], "value": ["1"]})
    chance = learnt.prior * learnt.confusion.mean(axis=0)[:, learnt.classes.index("1")]
    assert soft(decide(stranger, NO_RULINGS, "dawid-skene", learnt).table) == pytest.approx(chance / chance.sum())


def test_a_ruling_decides_its_unit():
    votes, ruling = ratings(), pa.table({"unit": ["3"], "value": ["2"]})
    found = decide(votes, ruling, "dawid-skene", learn(votes, NO_RULINGS, "dawid-skene")).table
    (row,) = found.filter(pc.equal(found["unit"], "3")).to_pylist()
    assert (row["label"], row["confidence"], row["decided_by"]) == ("2", 1.0, "expert")


@pytest.mark.parametrize("method", METHODS)
def test_what_was_learnt_survives_the_lake(method):
    learnt = learn(ratings(), NO_RULINGS, method)
    found = learnt_from(learnt_rows({"digit": learnt, "other": learnt}))
    assert found.keys() == {"digit", "other"}
    assert (found["digit"].classes, found["digit"].annotators) == (learnt.classes, learnt.annotators)
    assert np.array_equal(found["digit"].confusion, learnt.confusion)
    assert np.array_equal(found["digit"].prior, learnt.prior)


def test_an_answer_that_nobody_gave_before_is_not_known():
    learnt = learn(ratings(), NO_RULINGS, "majority")
    assert [learnt.knows(pa.chunked_array([[value]])) for value in ("1", "moray")] == [True, False]
