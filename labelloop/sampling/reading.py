"""From a table to the pool a strategy sees: needed columns as arrays, unusable rows left out and counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelloop.acquisition.columns import Masks, distributions
from labelloop.acquisition.table import SCORINGS, score
from labelloop.errors import InputError
from labelloop.sampling.pool import Pool
from labelloop.spec.sampling import Objectives
from labelloop.vectors import in_one_piece, matrix

NO_STRATUM: Final = "(no stratum)"
LARGEST: Final = 1e15  # squared distances of larger coordinates would leave float32
DAY: Final = np.timedelta64(1, "D")


class Needs(NamedTuple):
    """What a strategy cannot do without: `arrays` of the pool, and an acquisition `score`, if any."""

    arrays: frozenset[str]
    score: str | None = None

    @property
    def columns(self) -> frozenset[str]:
        """The columns of the table it takes."""
        return self.arrays | ({SCORINGS[self.score].column} if self.score else frozenset())


class Reading(NamedTuple):
    """A pool as arrays, the rows of the table they come from, and how many others were refused by which rule."""

    pool: Pool
    rows: pa.Table
    refused: dict[str, int]


def has(table: pa.Table, column: str) -> bool:
    """Whether the table has at least one value in this column."""
    return column in table.column_names and table[column].null_count < len(table)


def check(table: pa.Table, columns: frozenset[str], who: str) -> None:
    """Refuse a table that lacks what somebody needs, before any work.

    Raises:
        InputError: a column is absent or empty; the message names it.

    >>> check(pa.table({"ref_id": ["a"]}), frozenset({"ref_id"}), "the strategy")
    """
    for column in sorted(columns):
        if not has(table, column):
            raise InputError(
                f"{who} needs {column}, the pool has none",
                remedy=f"add a column {column} or choose a strategy that does without",
            )


def read(table: pa.Table, needs: Needs, labelled: pa.Table | None, objectives: Objectives) -> Reading:
    """The columns a strategy needs as arrays.

    `table` comes from `candidates`. Rows whose needed columns cannot be used are left out and counted
    (once for each column); a row without a stratum belongs to the stratum `NO_STRATUM`.

    Raises:
        InputError: a needed column is absent or empty, or not one row can be used.
    """
    check(table, needs.columns, "the strategy")
    columns: dict[str, NDArray[Any]] = {}
    faults: Masks = {}
    for name, reader in _READERS.items():
        columns[name], masks = reader(table, needs)
        faults |= masks
    refused = {rule: int(mask.sum()) for rule, mask in faults.items() if mask.any()}
    usable = np.ones(len(table), dtype=bool)
    for mask in faults.values():
        usable &= ~mask
    if not usable.any():
        raise InputError("no row of the pool can be used", remedy="check what the model wrote", **refused)
    if not usable.all():
        table, columns = table.filter(usable), {name: values[usable] for name, values in columns.items()}
    centre = columns["vectors"].mean(axis=0, dtype=np.float64).astype(np.float32)
    pool = Pool(
        ref_ids=in_one_piece(table["ref_id"]),
        centre=centre,
        stratum=_stratum(table, needs),
        labelled=_labelled(labelled, len(centre)) - centre,
        labelled_stratum=_stratum(labelled, needs) if labelled is not None else np.empty(0, dtype=object),
        objectives=objectives,
        **columns,
    )
    return Reading(pool, table, refused)


def _probabilities(table: pa.Table, needs: Needs) -> tuple[NDArray[np.floating], Masks]:
    if "probabilities" not in needs.arrays:
        return np.zeros((len(table), 0)), {}
    values, masks = distributions(table["probabilities"])
    return values, _named("probabilities", masks)


def _uncertainty(table: pa.Table, needs: Needs) -> tuple[NDArray[np.floating], Masks]:
    if needs.score is None:
        return np.broadcast_to(1.0, len(table)), {}
    scores, masks = score(table, needs.score)
    return scores, _named(SCORINGS[needs.score].column, masks)


def _embedding(table: pa.Table, needs: Needs) -> tuple[NDArray[np.float32], Masks]:
    if "embedding" not in needs.arrays:
        return np.zeros((len(table), 0), dtype=np.float32), {}
    values, missing, misshapen = matrix(table["embedding"])
    present = ~(missing | misshapen)
    highest, lowest = values.max(axis=1, initial=0.0), values.min(axis=1, initial=0.0)
    beyond = present & ~((highest <= LARGEST) & (lowest >= -LARGEST))  # NaN is neither
    masks = {"missing": missing, "wrong_width": misshapen, "not_finite": beyond}
    with np.errstate(over="ignore"):  # what leaves float32 is beyond, and left out
        return values.astype(np.float32, copy=False), _named("embedding", masks)


def _cost(table: pa.Table, needs: Needs) -> tuple[NDArray[np.floating], Masks]:
    if "cost" not in needs.arrays:
        return np.broadcast_to(1.0, len(table)), {}
    values = table["cost"].cast(pa.float64()).fill_null(np.nan).to_numpy()
    return values, {"cost not_positive": ~((values > 0) & np.isfinite(values))}


def _age(table: pa.Table, needs: Needs) -> tuple[NDArray[np.floating], Masks]:
    """Days behind the newest row of the table: no clock is asked."""
    if "seen_at" not in needs.arrays:
        return np.broadcast_to(0.0, len(table)), {}
    seen = table["seen_at"]
    if not pa.types.is_timestamp(seen.type):
        raise InputError(f"the column seen_at holds {seen.type}", remedy="give timestamps")
    moments = seen.to_numpy()
    missing = np.isnat(moments)
    behind = (moments[~missing].max() - moments) / DAY
    return np.where(missing, 0.0, behind), {"seen_at missing": missing}


# What reads each array of the pool, and by which rule rows were refused.
_READERS: Final[Mapping[str, Callable[[pa.Table, Needs], tuple[NDArray[Any], Masks]]]] = MappingProxyType(
    {
        "probabilities": _probabilities,
        "vectors": _embedding,
        "uncertainty": _uncertainty,
        "cost": _cost,
        "age": _age,
    }
)


def _stratum(table: pa.Table, needs: Needs) -> NDArray[np.object_]:
    if "stratum" not in needs.arrays or "stratum" not in table.column_names:
        return np.broadcast_to(np.array(NO_STRATUM, dtype=object), len(table))  # takes no memory
    names = table["stratum"].cast(pa.string()).fill_null(NO_STRATUM)
    return np.asarray(names.to_numpy(zero_copy_only=False), dtype=object)


def _labelled(table: pa.Table | None, width: int) -> NDArray[np.float32]:
    """Embedding of the labelled references that can be compared with a pool of this width."""
    if table is None or not width or not has(table, "embedding"):
        return np.zeros((0, width), dtype=np.float32)
    values = matrix(table["embedding"], width=width).values
    inside = np.abs(values).max(axis=1, initial=0.0) <= LARGEST
    return np.asarray(values[inside], dtype=np.float32)


def _named(column: str, masks: Masks) -> Masks:
    return {f"{column} {rule}": mask for rule, mask in masks.items()}
