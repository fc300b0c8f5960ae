"""How far annotators agree: chance-corrected coefficients with intervals, or the reason why there is none.

`measure` for everyone, `pairwise` for each two, `per_annotator` for each against the others. Pure: tables in, figures
out. Which opinions count is decided by the caller.
"""

from __future__ import annotations

from labelloop.agreement.all_pairs import PairKappas, pair_kappas
from labelloop.agreement.figure import Figure
from labelloop.agreement.ratings import Ratings, read_ratings
from labelloop.agreement.scope import measure, pairwise, per_annotator
from labelloop.agreement.similarity import LEVELS
from labelloop.agreement.table import METRICS

__all__ = [
    "LEVELS",
    "METRICS",
    "Figure",
    "PairKappas",
    "Ratings",
    "measure",
    "pair_kappas",
    "pairwise",
    "per_annotator",
    "read_ratings",
]
