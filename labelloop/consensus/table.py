"""The table of consensus methods, and one label per unit with its confidence and who decided.

Adding a method is one file and one line here. All opinions belong in, the adaptive ones too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from labelloop.agreement.ratings import IntArray, Ratings, read_ratings
from labelloop.consensus.bradley_terry import bradley_terry
from labelloop.consensus.dawid_skene import dawid_skene
from labelloop.consensus.glad import glad
from labelloop.consensus.gold_weighted import gold_weighted
from labelloop.consensus.label_table import class_table
from labelloop.consensus.mace import mace
from labelloop.consensus.majority import majority
from labelloop.consensus.median import median
from labelloop.consensus.one_coin import one_coin
from labelloop.consensus.plackett_luce import plackett_luce
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
METHODS_OF_ITEMS = {"bradley-terry": bradley_terry, "plackett-luce": plackett_luce}
MOST_CELLS = 200_000_000  # probabilities or confusions: 1.6 GB


@dataclass(frozen=True)
class Consensus:
    """The labels (`table`, see `aggregate`), and the posterior they come from with the names of its axes."""

    table: pa.Table
    posterior: Posterior
    units: list[object]
    classes: list[object]
    annotators: list[str]

    @property
    def converged(self) -> bool:
        """Whether the fit came to rest."""
        return self.posterior.converged

    @property
    def steps(self) -> int:
        """How many steps it took."""
        return self.posterior.steps


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

    `label` is null where the best classes tie, unless `break_ties` takes one of them; `confidence` is the
    probability of the best class, `n` the number of ratings. `decided_by` is "consensus", "expert" for a ruling
    (confidence 1), or null without a label. Empty ratings give an empty table.

    Args:
        ratings: long table unit, annotator, value; see `labelloop.agreement.read_ratings`. What methods that compare
            items want: see `bradley_terry` and `plackett_luce`.
        method: a name from `METHODS` or `METHODS_OF_ITEMS`.
        rulings: table unit, value of an expert; a ruling wins and teaches what each annotator confuses.
        break_ties: take the smallest of tied classes instead of none; of a majority first that whose voters agree
            with the vote more often.
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
    if method not in METHODS_OF_ITEMS:
        return resolve(ratings, method, rulings=rulings, break_ties=break_ties, settings=settings).table
    if isinstance(ratings, Ratings):
        raise InputError(f"{method} compares items, which coded ratings do not name", remedy="give the table")
    return METHODS_OF_ITEMS[method](ratings, rulings=rulings, break_ties=break_ties, settings=settings).table


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
        names = ", ".join((*METHODS, *METHODS_OF_ITEMS))
        raise InputError(f"consensus method {method!r} is unknown", remedy=f"give one of {names}")
    coded, known = join_rulings(read_ratings(ratings), rulings)
    _refuse_too_many(coded)
    posterior = METHODS[method](coded, known, settings or Settings())
    table = class_table(coded, posterior, known, method, break_ties=break_ties)
    annotators = [str(name) for name in coded.annotators.to_pylist()]
    return Consensus(table, posterior, coded.units.to_pylist(), coded.values.to_pylist(), annotators)


def _refuse_too_many(ratings: Ratings) -> None:
    n_classes = len(ratings.values)
    if max(len(ratings.units), len(ratings.annotators) * n_classes) * n_classes > MOST_CELLS:
        raise InputError(
            f"{n_classes} different values are too many classes", remedy="aggregate categories, not text"
        )
