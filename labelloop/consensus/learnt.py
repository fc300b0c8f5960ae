"""What a method has learnt of annotators on some units, used to decide other units with it.

A label decided so depends on its own opinions and on what was learnt, not on whatever else is decided with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.ratings import FloatArray, IntArray, Ratings, read_ratings
from labelloop.consensus.label_table import class_table
from labelloop.consensus.posterior import FLOOR, Posterior, Settings, normalised, rule
from labelloop.consensus.rulings import join_rulings
from labelloop.consensus.table import METHODS, Consensus, resolve
from labelloop.contracts import contract


@dataclass(frozen=True)
class Learnt:
    """Of one question the `classes`, the share of each (`prior`), and how each annotator answers.

    `confusion` is (annotators, true class, answer), rows sum to 1; without annotators where the method learns nothing
    of them, such as a vote.
    """

    classes: list[str]
    prior: FloatArray
    annotators: list[str]
    confusion: FloatArray

    def knows(self, values: pa.ChunkedArray) -> bool:
        """Whether every value is one of the classes."""
        return bool(pc.all(pc.is_in(values, value_set=pa.array(self.classes, pa.string())), min_count=0).as_py())


def learn(ratings: pa.Table | Ratings, rulings: pa.Table, method: str) -> Learnt:
    """Return what a method learns from opinions.

    Args:
        ratings: unit, annotator, value; of the median coded, with the values in order.
        rulings: unit, value of an expert.
        method: a name from `METHODS`.

    >>> votes = pa.table({"unit": [1, 1, 2, 2], "annotator": [*"abab"], "value": [*"xxyy"]})
    >>> learn(votes, votes.select(["unit", "value"]).slice(0, 0), "dawid-skene").annotators
    ['a', 'b']
    """
    found = resolve(ratings, method, rulings=rulings)
    classes, confusion = [str(name) for name in found.classes], found.posterior.confusion
    if confusion is None:
        return Learnt(classes, found.posterior.prior, [], np.empty((0, len(classes), len(classes))))
    return Learnt(classes, found.posterior.prior, found.annotators, confusion)


def decide(ratings: pa.Table, rulings: pa.Table, method: str, learnt: Learnt) -> Consensus:
    """Return what `resolve` gives of units, from their own opinions and what was learnt elsewhere.

    The probability of a class is its share times that of each answer, were it true. Who is not known yet is taken to
    err as the known do on average.

    Args:
        ratings: unit, annotator, value; the values are among the classes that were learnt.
        rulings: unit, value of an expert.
        method: the one that learnt.
        learnt: what it did.
    """
    coded, known = join_rulings(read_ratings(ratings, categories=learnt.classes), rulings)
    if learnt.annotators:
        posterior = Posterior(_probabilities(coded, known, learnt), learnt.prior, learnt.confusion)
    else:
        posterior = METHODS[method](coded, known, Settings())
    table = class_table(coded, posterior, known, method, break_ties=False)
    return Consensus(table, posterior, coded.units.to_pylist(), [*learnt.classes], learnt.annotators)


def _probabilities(ratings: Ratings, known: IntArray, learnt: Learnt) -> FloatArray:
    found = pc.index_in(ratings.annotators, value_set=pa.array(learnt.annotators, ratings.annotators.type))
    place = pc.fill_null(found, -1).to_numpy(zero_copy_only=False)
    everybody = np.concatenate([learnt.confusion, learnt.confusion.mean(axis=0, keepdims=True)])
    answered = np.log(np.maximum(everybody[place], FLOOR))
    of_class = [
        np.bincount(ratings.unit, answered[ratings.annotator, true, ratings.value], minlength=len(ratings.units))
        for true in range(len(learnt.classes))
    ]
    return rule(normalised(np.log(np.maximum(learnt.prior, FLOOR)) + np.stack(of_class, axis=1)), known)


def learnt_rows(learnt: Mapping[str, Learnt]) -> pa.Table:
    """Return rows of the contract `confusions`, by question."""
    rows = [row for control, found in sorted(learnt.items()) for row in _rows(control, found)]
    return pa.Table.from_pylist(rows, schema=contract("confusions").schema)


def _rows(control: str, learnt: Learnt) -> Iterator[dict[str, object]]:
    def row(annotator: str | None, truth: str | None, probabilities: FloatArray) -> dict[str, object]:
        name = hashlib.sha256(json.dumps([control, annotator, truth]).encode()).hexdigest()[:32]
        said = {"classes": learnt.classes, "probabilities": probabilities}
        return {"confusion_id": name, "control": control, "annotator": annotator, "truth": truth, **said}

    yield row(None, None, learnt.prior)
    for annotator, of_class in zip(learnt.annotators, learnt.confusion, strict=True):
        for truth, probabilities in zip(learnt.classes, of_class, strict=True):
            yield row(annotator, truth, probabilities)


def learnt_from(rows: pa.Table) -> dict[str, Learnt]:
    """Return what rows of the contract `confusions` say, by question."""
    found: dict[str, Learnt] = {}
    for row in rows.filter(pc.is_null(rows["annotator"])).to_pylist():
        classes, prior = row["classes"], np.array(row["probabilities"])
        own = rows.filter(pc.and_(pc.equal(rows["control"], row["control"]), pc.is_valid(rows["annotator"])))
        said = {(one["annotator"], one["truth"]): one["probabilities"] for one in own.to_pylist()}
        names = sorted({annotator for annotator, _ in said})
        confusion = np.array([said[name, truth] for name in names for truth in classes])
        found[row["control"]] = Learnt(classes, prior, names, confusion.reshape(-1, len(classes), len(classes)))
    return found
