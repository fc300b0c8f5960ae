"""The table of consensus methods, and one label per unit with its confidence and who decided.

Adding a method is one file and one line here. All opinions belong in, the adaptive ones too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from labelloop.agreement.ratings import IntArray, Ratings, read_ratings
from labelloop.consensus.dawid_skene import dawid_skene
from labelloop.consensus.glad import glad
from labelloop.consensus.gold_weighted import gold_weighted
from labelloop.consensus.mace import mace
from labelloop.consensus.majority import majority
from labelloop.consensus.median import median
from labelloop.consensus.one_coin import one_coin
from labelloop.consensus.posterior import Posterior, Settings
from labelloop.consensus.rulings import join_rulings
from labelloop.errors import InputError

METHODS: dict[str, Callable[[Ratings, IntArray, Settings], Posterior]] = {
    "majority": majority,
    "gold-weighted": gold_weighted,
    "median": median,
    "dawid-skene": dawid_skene,
    "one-coin": one_coin,
    "mace": mace,
    "glad": glad,
}
MOST_CELLS = 200_000_000  # probabilities or confusions: 1.6 GB


@dataclass(frozen=True)
class Consensus:
    """The labels (`table`, see `aggregate`), and the posterior they come from with the names of its axes."""

    table: pa.Table
    posterior: Posterior
    units: list[object]
    classes: list[object]
    annotators: list[str]


def aggregate(
    ratings: pa.Table | pd.DataFrame | Ratings,
    method: str = "dawid-skene",
    *,
    rulings: pa.Table | pd.DataFrame | None = None,
    break_ties: bool = False,
    smoothing: float = 10.0,
    max_iter: int = 100,
    tol: float = 1e-6,
) -> pa.Table:
    """One row per unit, ascending: unit, label, confidence, n, probabilities, classes, method, decided_by.

    `label` is null where the best classes tie, unless `break_ties` takes the first of them; `confidence` is the
    probability of the best class, `n` the number of ratings. `decided_by` is "consensus", "expert" for a ruling
    (confidence 1), or null without a label. Empty ratings give an empty table.

    Args:
        ratings: long table unit, annotator, value; see `labelloop.agreement.read_ratings`.
        method: a name from `METHODS`.
        rulings: table unit, value of an expert; a ruling wins and teaches what each annotator confuses.
        break_ties: take the smallest of tied classes instead of none.
        smoothing: of the annotators' confusion; see `Settings`.
        max_iter: most steps of an iterative method.
        tol: mean change of a unit's probabilities below which an iterative method stops.

    Raises:
        InputError: unknown method, or ratings, rulings or settings that cannot be used.

    >>> votes = pd.DataFrame({"unit": [1, 1, 1, 2, 2], "annotator": [*"abcab"], "value": [*"xxyxy"]})
    >>> aggregate(votes, "majority").select(["label", "n", "decided_by"]).to_pylist()[1]
    {'label': None, 'n': 2, 'decided_by': None}
    """
    settings = Settings(smoothing, max_iter, tol)
    return resolve(ratings, method, rulings=rulings, break_ties=break_ties, settings=settings).table


def resolve(
    ratings: pa.Table | pd.DataFrame | Ratings,
    method: str = "dawid-skene",
    *,
    rulings: pa.Table | pd.DataFrame | None = None,
    break_ties: bool = False,
    settings: Settings | None = None,
) -> Consensus:
    """The labels of `aggregate` together with class prior, annotators' confusion matrices and convergence.

    Raises:
        InputError: as for `aggregate`.
    """
    if method not in METHODS:
        raise InputError(f"consensus method {method!r} is unknown", remedy=f"give one of {', '.join(METHODS)}")
    coded, known = join_rulings(read_ratings(ratings), rulings)
    _refuse_too_many(coded)
    posterior = METHODS[method](coded, known, settings or Settings())
    table = _labels(coded, posterior, known, method, break_ties=break_ties)
    annotators = [str(name) for name in coded.annotators.to_pylist()]
    return Consensus(table, posterior, coded.units.to_pylist(), coded.values.to_pylist(), annotators)


def _refuse_too_many(ratings: Ratings) -> None:
    n_classes = len(ratings.values)
    if max(len(ratings.units), len(ratings.annotators) * n_classes) * n_classes > MOST_CELLS:
        raise InputError(
            f"{n_classes} different values are too many classes", remedy="aggregate categories, not text"
        )


def _labels(ratings: Ratings, posterior: Posterior, known: IntArray, method: str, *, break_ties: bool) -> pa.Table:
    probabilities, best = posterior.probabilities, posterior.best
    n_units, n_classes = probabilities.shape
    decided = best.any(axis=1) if break_ties else best.sum(axis=1) == 1
    label = best.argmax(axis=1) if n_classes else np.zeros(n_units, dtype=np.int64)
    confidence = probabilities[np.arange(n_units), label] if n_classes else np.zeros(n_units)
    decider = np.where(known >= 0, "expert", "consensus")
    names = pa.array([str(name) for name in ratings.values.to_pylist()], pa.string())
    every_class = names.take(pa.array(np.tile(np.arange(n_classes), n_units)))
    return pa.table(
        {
            "unit": ratings.units,
            "label": ratings.values.take(pa.array(label, mask=~decided)),
            "confidence": confidence,
            "n": ratings.per_unit,
            "probabilities": _lists(pa.array(probabilities.ravel()), n_units, n_classes),
            "classes": _lists(every_class, n_units, n_classes),
            "method": pa.array([method] * n_units, pa.string()),
            "decided_by": pa.array(decider, pa.string(), mask=~decided),
        }
    )


def _lists(values: pa.Array, n_rows: int, length: int) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(np.arange(n_rows + 1) * length, pa.int32()), values)
