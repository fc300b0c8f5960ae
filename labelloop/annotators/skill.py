"""Skill adjusted for difficulty: who was given the hard units is not taken for careless."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.stats import t

from labelloop.agreement.ratings import FloatArray, Ratings, read_ratings
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
    settled = settled_by_others(coded, known)
    coded, right = coded.take(settled >= 0), (settled == coded.value)[settled >= 0].astype(np.float64)
    others = coded.per_unit[coded.unit] - 1
    total = np.bincount(coded.unit, weights=right, minlength=len(coded.units))[coded.unit]
    ahead = right - (total - right) / np.maximum(others, 1)
    who, ahead = coded.annotator[others > 0], ahead[others > 0]
    everyone = float(right.mean()) if len(right) else 0.0
    return [
        _skill(str(name), everyone, ahead[who == code], confidence, n_min)
        for code, name in enumerate(coded.annotators.to_pylist())
    ]


def _skill(name: str, everyone: float, ahead: FloatArray, confidence: float, n_min: int) -> Skill:
    n = len(ahead)
    if n < max(n_min, 2):
        return Skill(name, n, reason=f"units to compare with others on: {n}, fewer than {max(n_min, 2)}")
    skill = everyone + float(ahead.mean())
    half = float(t.ppf(0.5 + confidence / 2.0, n - 1) * ahead.std(ddof=1) / np.sqrt(n))
    skill, low, high = (min(max(end, 0.0), 1.0) for end in (skill, skill - half, skill + half))
    return Skill(name, n, skill, low, high)
