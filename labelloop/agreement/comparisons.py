"""Pairwise comparisons: whether one annotator's choices contradict each other, and whether the side decides.

Agreement of annotators on left, right or tie is nominal: `measure`. Items by strength are `labelloop.consensus`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import wilson
from labelloop.agreement.ratings import select_columns
from labelloop.errors import InputError

_CHOICES = ("left", "right", "tie")


@dataclass(frozen=True)
class Triads:
    """Of the triples of items compared with each other without a tie, how many are circular: a > b > c > a."""

    circular: int
    compared: int

    @property
    def consistency(self) -> float:
        """1 without circles, 0 with as many as guessing gives, a quarter; NaN without a triple."""
        return 1.0 - 4.0 * self.circular / self.compared if self.compared else float("nan")


@dataclass(frozen=True)
class Position:
    """Share of decided comparisons that the left item won, with Wilson's interval."""

    left: float
    low: float
    high: float
    n: int

    @property
    def biased(self) -> bool:
        """Whether the interval excludes one half."""
        return not self.low <= 0.5 <= self.high


def circular_triads(choices: pa.Table) -> Triads:
    """How often one annotator's choices contradict each other.

    Args:
        choices: `left`, `right` (items) and `choice` (left, right or tie), of one annotator. Of several choices
            between two items the majority counts.

    The number of circles is trace(A^3) / 3 of the matrix of wins A. Source: Kendall and Babington Smith (1940).

    >>> names = {"left": ["a", "b", "c"], "right": ["b", "c", "a"], "choice": ["left"] * 3}
    >>> circular_triads(pa.table(names))
    Triads(circular=1, compared=1)
    """
    columns = _checked(choices)
    names, codes = np.unique(np.concatenate([columns["left"], columns["right"]]), return_inverse=True)
    left, right = np.split(codes, 2)
    lead = np.select([columns["choice"] == "left", columns["choice"] == "right"], [1.0, -1.0])
    shape = (len(names), len(names))
    balance = sparse.csr_array((lead, (left, right)), shape=shape)
    balance = balance - balance.T
    wins = (balance > 0).astype(np.int64)
    met = wins + wins.T
    return Triads(int((wins @ wins).multiply(wins.T).sum()) // 3, int((met @ met).multiply(met).sum()) // 6)


def position_bias(choices: pa.Table, confidence: float = 0.95) -> Position:
    """Whether the side on which an item is shown decides; ties say nothing.

    Items must have been placed at random.

    Raises:
        InputError: no choice is decided, or a column is missing or has other values.

    >>> names = {"left": ["a"] * 9, "right": ["b"] * 9, "choice": ["left"] * 9}
    >>> position_bias(pa.table(names)).biased
    True
    """
    decided = [choice for choice in _checked(choices)["choice"] if choice != "tie"]
    if not decided:
        raise InputError("every choice is a tie", remedy="give decided comparisons")
    left = sum(choice == "left" for choice in decided)
    return Position(left / len(decided), *wilson(left, len(decided), confidence), len(decided))


def position_figures(
    chosen: Mapping[tuple[str, str], int], *, confidence: float = 0.95, n_min: int = 10
) -> list[tuple[str, Figure]]:
    """Of each annotator how much more often than half of the time the left item wins, -0.5..0.5, sorted by name.

    With Wilson's interval, widened for the number of annotators (Bonferroni). Items must have been placed at random.

    Args:
        chosen: how often each annotator said left, right or something else.
        confidence: of all intervals together.
        n_min: with fewer decided comparisons a reason takes the place of the figure.

    >>> position_figures({("a", "left"): 30, ("a", "right"): 10, ("a", "tie"): 5})[0][1].value
    0.25
    """
    names = sorted({who for who, _ in chosen})
    level = 1.0 - (1.0 - confidence) / max(len(names), 1)
    return [(who, _lean(chosen.get((who, "left"), 0), chosen.get((who, "right"), 0), level, n_min)) for who in names]


def _lean(left: int, right: int, level: float, n_min: int) -> Figure:
    n = left + right
    if n < n_min:
        return Figure("position_bias", "difference", reason=f"decided comparisons: {n}, fewer than {n_min}")
    low, high = wilson(left, n, level)
    return Figure("position_bias", "difference", left / n - 0.5, low - 0.5, high - 0.5, n, 1, n)


def _checked(choices: pa.Table) -> dict[str, NDArray[np.object_]]:
    table = select_columns(choices, ("left", "right", "choice"), "comparisons")
    columns = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
    if unknown := set(columns["choice"]) - set(_CHOICES):
        raise InputError(f"{len(unknown)} choices are neither {', '.join(_CHOICES)}", remedy="map them to these")
    return columns
