"""Skill adjusted for difficulty: who was given the hard units is not taken for careless."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.stats import t

from labelloop.agreement.ratings import FloatArray, IntArray, Ratings, read_ratings
from labelloop.annotators.settled import settled_by_others
from labelloop.consensus.rulings import join_rulings


@dataclass(frozen=True)
class Skill:
    """Accuracy an annotator would have on the units of all, or the reason why it is not given.

    `n` counts the units on which they can be compared with others who answered the same.
    """

    annotator: str
    n: int
    skill: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None


class Compared(NamedTuple):
    """Settled answers, one per entry: whose, whether right (0, 1), how many others, how many of them right."""

    annotator: IntArray
    right: IntArray
    others: IntArray
    others_right: IntArray

    @property
    def ahead(self) -> FloatArray:
        """How much more often right than the others on the same unit; as often where there are none."""
        return np.asarray(self.right - self.others_right / np.maximum(self.others, 1))


def skills(
    ratings: pa.Table | pd.DataFrame | Ratings,
    *,
    rulings: pa.Table | pd.DataFrame | None = None,
    confidence: float = 0.95,
    n_min: int = 20,
) -> list[Skill]:
    """Skill of each annotator with its interval, sorted by name; never a rank.

    Accuracy of all answers, plus how much more often than the others the annotator was right on the same units
    (direct standardisation): a unit that nobody gets right speaks against nobody. What is right is decided as in
    `assess`, without an annotator's own answer. The interval is Student's over units, within 0..1; the accuracy of
    all is taken as known.

    GLAD, which models difficulty, is no substitute: an annotator with hard units alone is drawn to its prior (0.75
    instead of 0.90 for one as able as the others, simulated).

    Args:
        ratings: long table unit, annotator, value; see `labelloop.agreement.read_ratings`.
        rulings: table unit, value of an expert.
        confidence: of the intervals.
        n_min: with fewer such units, a reason takes the place of the figure.

    Raises:
        InputError: ratings or rulings cannot be used.

    >>> table = pd.DataFrame({"unit": [1, 1], "annotator": [*"ab"], "value": ["x", "x"]})
    >>> skills(table)[0].reason
    'units to compare with others on: 1, fewer than 20'
    """
    coded, known = join_rulings(read_ratings(ratings), rulings)
    found = compared(coded, settled_by_others(coded, known))
    n = np.ones(len(found.annotator), dtype=np.int64)
    own = {str(name): (found.annotator == code) for code, name in enumerate(coded.annotators.to_pylist())}
    cases = {name: (Compared(*(part[kept] for part in found)), n[kept]) for name, kept in own.items()}
    return figures_of_skill(cases, confidence=confidence, n_min=n_min)


def compared(ratings: Ratings, settled: IntArray) -> Compared:
    """Return the answers that an expert or the others settled; `settled` is the class of each, -1 without one."""
    own, right = ratings.take(settled >= 0), (settled == ratings.value)[settled >= 0].astype(np.int64)
    total = np.bincount(own.unit, weights=right, minlength=len(own.units)).astype(np.int64)[own.unit]
    return Compared(own.annotator, right, own.per_unit[own.unit] - 1, total - right)


def figures_of_skill(
    cases: Mapping[str, tuple[Compared, IntArray]], *, confidence: float = 0.95, n_min: int = 20
) -> list[Skill]:
    """The figures of `skills` from what was counted: of each annotator, in this order, cases and their times."""
    n_right = sum(int((found.right * n).sum()) for found, n in cases.values())
    everyone = n_right / max(sum(int(n.sum()) for _, n in cases.values()), 1)
    return [_skill(name, everyone, *cases[name], confidence, n_min) for name in cases]


def _skill(name: str, everyone: float, found: Compared, times: IntArray, confidence: float, n_min: int) -> Skill:
    ahead, times = found.ahead[found.others > 0], times[found.others > 0]
    n = int(times.sum())
    if n < max(n_min, 2):
        return Skill(name, n, reason=f"units to compare with others on: {n}, fewer than {max(n_min, 2)}")
    mean = float((ahead * times).sum()) / n
    skill, variance = everyone + mean, float(((ahead - mean) ** 2 * times).sum()) / (n - 1)
    half = float(t.ppf(0.5 + confidence / 2.0, n - 1) * np.sqrt(variance / n))
    skill, low, high = (min(max(end, 0.0), 1.0) for end in (skill, skill - half, skill + half))
    return Skill(name, n, skill, low, high)
