"""The table of labels that every method of consensus gives."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.ratings import FloatArray, IntArray, Ratings
from labelloop.consensus.posterior import Posterior


def label_table(
    ratings: Ratings,
    known: IntArray,
    method: str,
    *,
    label: pa.Array,
    confidence: FloatArray,
    probabilities: pa.ListArray,
    classes: pa.ListArray,
) -> pa.Table:
    """One row per unit with what was found of it, and who decided; nobody where there is no label.

    Args:
        ratings: give the units and how many rated each.
        known: -1 where no expert ruled.
        method: name of the method.
        label: of each unit, null for a tie.
        confidence: of the label.
        probabilities: of the classes.
        classes: which those are.
    """
    decider = pa.array(np.where(known >= 0, "expert", "consensus"), pa.string())
    return pa.table(
        {
            "unit": ratings.units,
            "label": label,
            "confidence": confidence,
            "n": ratings.per_unit,
            "probabilities": probabilities,
            "classes": classes,
            "method": pa.repeat(method, len(ratings.units)),
            "decided_by": pc.if_else(pc.is_valid(label), decider, None),
        }
    )


def class_table(
    ratings: Ratings, posterior: Posterior, known: IntArray, method: str, *, break_ties: bool
) -> pa.Table:
    """The labels where every unit has the same classes."""
    probabilities, best = posterior.probabilities, posterior.best
    n_units, n_classes = probabilities.shape
    decided = best.any(axis=1) if break_ties else best.sum(axis=1) == 1
    label = posterior.chosen if n_classes else np.zeros(n_units, dtype=np.int64)
    names = pa.array([str(name) for name in ratings.values.to_pylist()], pa.string())
    return label_table(
        ratings,
        known,
        method,
        label=ratings.values.take(pa.array(label, mask=~decided)),
        confidence=probabilities[np.arange(n_units), label] if n_classes else np.zeros(n_units),
        probabilities=_equal_lists(pa.array(probabilities.ravel()), n_units, n_classes),
        classes=_equal_lists(names.take(pa.array(np.tile(np.arange(n_classes), n_units))), n_units, n_classes),
    )


def _equal_lists(values: pa.Array, n_rows: int, length: int) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(np.arange(n_rows + 1) * length, pa.int32()), values)
