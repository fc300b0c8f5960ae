"""Whether a unit has enough opinions, and what one more would bring: what adaptive redundancy decides by."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.ratings import FloatArray
from labelloop.consensus.table import Consensus
from labelloop.errors import InputError

CELLS: Final = 4_000_000  # of probabilities held at once: 32 MB


def enough_opinions(found: Consensus, *, threshold: float, least: int = 1) -> pa.Table:
    """One row per unit, in its order: unit, n, confidence, enough, chance.

    A unit has enough when an expert ruled it, or when it has `least` opinions, no tie, and the posterior of its label
    reaches the threshold. `chance` is the probability that one more opinion, by an annotator who errs as these do on
    average, makes it enough: the posterior predictive chance of an answer after which some class reaches the
    threshold. Whoever can pay for few opinions asks where it is highest. It is 1 where there is enough, and null when
    the method learns no confusion of annotators (majority, median, GLAD).

    Args:
        found: what `labelloop.consensus.resolve` gave.
        threshold: confidence from which a label stands, in 0..1.
        least: opinions that every unit gets, however sure its label is.

    Raises:
        InputError: the threshold lies outside 0..1, or `least` is below 1.

    >>> from labelloop.consensus import resolve
    >>> votes = pa.table({"unit": [1, 1, 2, 2], "annotator": [*"abab"], "value": [*"xxxy"]})
    >>> enough_opinions(resolve(votes, "majority"), threshold=0.9)["enough"].to_pylist()
    [True, False]
    """
    if not 0.0 <= threshold <= 1.0:
        raise InputError(f"the threshold is {threshold}", remedy="give a number from 0 to 1")
    if least < 1:
        raise InputError(f"least is {least}", remedy="give a number of opinions from 1")
    table, posterior = found.table, found.posterior
    sure = pc.and_(pc.is_valid(table["label"]), pc.greater_equal(table["confidence"], threshold))
    ruled = pc.fill_null(pc.equal(table["decided_by"], "expert"), False)
    enough = pc.or_(ruled, pc.and_(sure, pc.greater_equal(table["n"], least)))
    chance = pa.nulls(table.num_rows, pa.float64())
    if posterior.confusion is not None:
        next_one = posterior.confusion.mean(axis=0) if len(posterior.confusion) else np.eye(len(posterior.prior))
        chance = pa.array(_chance(posterior.probabilities, next_one, threshold))
    return (
        table.select(["unit", "n", "confidence"])
        .append_column("enough", enough)
        .append_column("chance", pc.if_else(enough, 1.0, chance))
    )


def _chance(probabilities: FloatArray, next_one: FloatArray, threshold: float) -> FloatArray:
    """Probability of an answer after which some class reaches the threshold; `next_one` is (true class, answer)."""
    n_units, n_classes = probabilities.shape
    at_once, chance = max(1, CELLS // max(n_classes, 1) ** 2), np.zeros(n_units)
    for start in range(0, n_units, at_once):
        joint = probabilities[start : start + at_once, :, None] * next_one
        answer = joint.sum(axis=1)
        chance[start : start + at_once] = (answer * (joint.max(axis=1) >= threshold * answer)).sum(axis=1)
    return np.minimum(chance, 1.0)
