"""What a batch may not hold: the limits as they are asked for, and as rules while a batch grows.

How a strategy is made to keep them is in `admission.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.sampling.likeness import Likeness, likenesses
from labelloop.sampling.reading import check
from labelloop.spec.sampling import NearDuplicates, Quotas

# The column of a pool in which each quota counts.
_QUOTA_COLUMNS = {"stratum": "stratum", "subject": "group", "source": "source"}
_NOTHING_IS_LIKE, _NO_QUOTAS = NearDuplicates(exact=False), Quotas()


@dataclass(frozen=True)
class Limits:
    """What a batch may not hold: near-duplicates, more than quotas or `hours` allow; by default anything goes."""

    near: NearDuplicates = _NOTHING_IS_LIKE
    quotas: Quotas = _NO_QUOTAS
    hours: float | None = None

    @property
    def columns(self) -> frozenset[str]:
        """The columns of the pool without which these limits cannot be kept."""
        named = {
            "perceptual_hash": self.near.perceptual_bits,
            "embedding": self.near.radius,
            "cost": self.hours,
            **{column: getattr(self.quotas, quota) for quota, column in _QUOTA_COLUMNS.items()},
        }
        return frozenset(column for column, limit in named.items() if limit is not None)

    def left(self, spent: float) -> Limits:
        """These limits with hours already spent."""
        return self if self.hours is None else replace(self, hours=max(0.0, self.hours - spent))


class Rule(Protocol):
    """One limit while a batch grows; `name` is how refusals are counted."""

    name: str

    def admits(self, row: int) -> bool:
        """Whether the row may join what was taken."""

    def take(self, row: int) -> None:
        """Count the row as taken."""

    def closed(self) -> NDArray[np.bool_]:
        """Mask of the rows that can never be admitted any more."""


class NoNearDuplicates:
    """Nothing like what is labelled or taken."""

    name = "near_duplicate"

    def __init__(self, likeness: Likeness, n: int, known: int) -> None:
        """Take a likeness over n candidates and, behind them, the known ones."""
        self._likeness, self._n = likeness, n
        self._taken: list[int] = list(range(n, n + known))
        self._settled, self._closed = 0, np.zeros(n, dtype=bool)

    def admits(self, row: int) -> bool:
        """Whether the row is like nothing taken since `closed` was last asked."""
        return not self._likeness.between(row, self._taken[self._settled :]).any()

    def take(self, row: int) -> None:
        """Count the row as taken."""
        self._taken.append(row)

    def closed(self) -> NDArray[np.bool_]:
        """Mask of the rows like anything labelled or taken."""
        self._closed |= self._likeness.near(self._taken[self._settled :])[: self._n]
        self._settled = len(self._taken)
        return self._closed


class Quota:
    """At most so many of one name."""

    def __init__(self, name: str, column: pa.ChunkedArray, limit: int | Mapping[str, int]) -> None:
        """Take the name of each row, null for none, and the limit of all names or of each."""
        self.name = f"quota {name}"
        encoded = pc.dictionary_encode(column.cast(pa.string())).combine_chunks()
        self._codes = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)
        names = [*encoded.dictionary.to_pylist(), None]
        limits = [limit if isinstance(limit, int) else limit.get(name, len(column)) for name in names[:-1]]
        self._left = np.array([*limits, len(column)])

    def admits(self, row: int) -> bool:
        """Whether the row's name has a place left."""
        return bool(self._left[self._codes[row]] > 0)

    def take(self, row: int) -> None:
        """Use up a place of the row's name."""
        self._left[self._codes[row]] -= 1

    def closed(self) -> NDArray[np.bool_]:
        """Mask of the rows whose name has no place left."""
        return np.asarray(self._left[self._codes] <= 0)


class Hours:
    """Not more than so many hours in all; a row without a cost cannot be admitted."""

    name = "budget"

    def __init__(self, cost: pa.ChunkedArray, hours: float) -> None:
        """Take the hours each row costs, and those there are."""
        self._cost = cost.cast(pa.float64()).fill_null(np.inf).to_numpy()
        self._left = hours * (1 + 1e-9)  # a sum of shares may exceed the whole by rounding

    def admits(self, row: int) -> bool:
        """Whether the hours left pay the row."""
        return bool(self._cost[row] <= self._left)

    def take(self, row: int) -> None:
        """Pay the row."""
        self._left -= self._cost[row]

    def closed(self) -> NDArray[np.bool_]:
        """Mask of the rows that cost more than is left."""
        return np.asarray(~(self._cost <= self._left))


def rules_of(limits: Limits, rows: pa.Table, labelled: pa.Table | None) -> list[Rule]:
    """The rules that keep these limits among these rows.

    Raises:
        InputError: a column is absent that a limit needs.
    """
    check(rows, limits.columns, "a limit of the batch")
    known = 0 if labelled is None else labelled.num_rows
    both = rows if labelled is None else _together(rows, labelled)
    found: list[Rule] = [NoNearDuplicates(like, rows.num_rows, known) for like in likenesses(both, limits.near)]
    for quota, column in _QUOTA_COLUMNS.items():
        if (limit := getattr(limits.quotas, quota)) is not None:
            found.append(Quota(quota, rows[column], limit))
    if limits.hours is not None:
        found.append(Hours(rows["cost"], limits.hours))
    return found


def _together(rows: pa.Table, labelled: pa.Table) -> pa.Table:
    """Rows and labelled below each other, in the columns by which they can be alike."""
    names = [name for name in ("digest", "perceptual_hash", "embedding") if name in rows.column_names]
    known = labelled.select([name for name in names if name in labelled.column_names])
    if not known.num_columns:
        known = pa.table({name: pa.nulls(labelled.num_rows, rows.schema.field(name).type) for name in names})
    return pa.concat_tables([rows.select(names), known], promote_options="permissive")
