"""Which rows of class probabilities can be used, and why the others cannot.

Scores are in `uncertainty.py`; they trust that their rows passed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelloop.acquisition.blocks import in_blocks
from labelloop.errors import InputError
from labelloop.vectors import matrix

RULES: Final = ("missing", "wrong_class_count", "not_finite", "negative", "not_summing_to_one")
SUM_TOLERANCE: Final = 1e-3  # float16 predictions over a thousand classes stay inside it


@dataclass(frozen=True)
class Screening:
    """What screening found: `codes` (n,) is 0 for an accepted row, else 1 + the index into `RULES`."""

    codes: NDArray[np.int8]

    @property
    def accepted(self) -> NDArray[np.bool_]:
        """Mask of the rows that can be used."""
        return np.equal(self.codes, 0)

    @property
    def refused(self) -> dict[str, int]:
        """Number of refused rows by the first rule each broke; rules nobody broke are left out."""
        counts = np.bincount(self.codes, minlength=len(RULES) + 1)[1:]
        return {rule: int(count) for rule, count in zip(RULES, counts, strict=True) if count}

    def broken(self, rule: str) -> NDArray[np.bool_]:
        """Mask of the rows refused by this rule."""
        return np.equal(self.codes, _code(rule))


def screen(probabilities: NDArray[np.floating], *, n_classes: int | None = None) -> Screening:
    """Tell for each row of an (n, k) array whether it is a probability distribution.

    A row is refused by the first rule it breaks, in the order of `RULES`; a sum may be off by 0.001.
    With `n_classes` other than k every row has the wrong class count. An empty array is fine.

    Raises:
        InputError: the array is not two-dimensional.

    >>> screen(np.array([[0.5, 0.5], [np.nan, 1.0], [0.9, 0.9]])).refused
    {'not_finite': 1, 'not_summing_to_one': 1}
    """
    if probabilities.ndim != 2:
        raise InputError(
            f"probabilities have {probabilities.ndim} dimensions", remedy="give one row for each reference"
        )
    if n_classes is not None and probabilities.shape[1] != n_classes:
        return Screening(np.full(len(probabilities), _code("wrong_class_count"), dtype=np.int8))
    return Screening(_codes(probabilities))


@in_blocks
def _codes(probabilities: NDArray[np.floating]) -> NDArray[np.int8]:
    codes = np.zeros(len(probabilities), dtype=np.int8)
    with np.errstate(invalid="ignore"):
        total = probabilities.sum(axis=1, dtype=np.float64)
    codes[np.abs(total - 1.0) > SUM_TOLERANCE] = _code("not_summing_to_one")
    codes[probabilities.min(axis=1, initial=0.0) < 0] = _code("negative")
    # a sum is finite exactly when all its terms are: opposite infinities give NaN
    codes[~np.isfinite(total)] = _code("not_finite")
    return codes


def screen_lists(
    column: pa.ChunkedArray | pa.Array, *, n_classes: int | None = None
) -> tuple[NDArray[np.floating], Screening]:
    """A list column of probabilities as an (n, k) array, and what screening found.

    Refused rows stay in place. Without `n_classes` the most frequent length is the class count.

    Raises:
        InputError: the column holds no lists of numbers.

    >>> screen_lists(pa.array([[0.2, 0.8], None, [1.0]]), n_classes=2)[1].refused
    {'missing': 1, 'wrong_class_count': 1}
    """
    values, missing, misshapen = matrix(column, width=n_classes)
    codes = screen(values).codes
    codes[misshapen] = _code("wrong_class_count")
    codes[missing] = _code("missing")
    return values, Screening(codes)


def _code(rule: str) -> int:
    return RULES.index(rule) + 1
