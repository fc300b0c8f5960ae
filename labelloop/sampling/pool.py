"""The pool as a strategy sees it: rows in a fixed order, columns as arrays, unusable rows left out.

Reading and refusing happens here once, so that strategies hold nothing but their own idea.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.acquisition.probabilities import screen_lists
from labelloop.errors import InputError
from labelloop.vectors import matrix

Column = Literal["probabilities", "embedding", "stratum"]
NO_STRATUM: Final = "(no stratum)"
LARGEST: Final = 1e15  # squared distances of larger coordinates would leave float32


@dataclass(frozen=True)
class Pool:
    """n candidates in ascending order of `ref_id`; a column the strategy did not ask for has width 0.

    `probabilities` (n, k); `embedding` (n, d) float32, centred; `stratum` (n,) names; `labelled` (m, d) float32
    in the same coordinates: what has a label already, m = 0 when nothing has.
    """

    ref_ids: pa.Array
    probabilities: NDArray[np.floating]
    embedding: NDArray[np.float32]
    stratum: NDArray[np.object_]
    labelled: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.ref_ids)


class Picks(NamedTuple):
    """What a strategy chose, best first: `rows` of the pool and one line of reason each.

    `scores` is None for random draws, which value nothing; `inclusion` holds the true inclusion
    probabilities and is None when the choice was greedy.
    """

    rows: NDArray[np.intp]
    scores: NDArray[np.floating] | None
    inclusion: NDArray[np.floating] | None
    reasons: list[str]


def candidates(pool: pa.Table, labelled: pa.Table | None) -> pa.Table:
    """The rows of the pool without a label, ascending by `ref_id`: the order given cannot matter.

    Raises:
        InputError: `ref_id` is absent, null or not unique.

    >>> candidates(pa.table({"ref_id": ["b", "a"]}), pa.table({"ref_id": ["b"]}))["ref_id"].to_pylist()
    ['a']
    """
    if "ref_id" not in pool.column_names:
        raise InputError("the pool has no column ref_id", remedy="name each reference in a column ref_id")
    ids = pool["ref_id"]
    if ids.null_count:
        raise InputError(f"{ids.null_count} rows of the pool have no ref_id", remedy="leave them out")
    if repeated := len(ids) - pc.count_distinct(ids).as_py():
        raise InputError(f"{repeated} rows of the pool repeat a ref_id", remedy="give each reference one row")
    if labelled is not None and len(labelled):
        known = labelled["ref_id"].cast(ids.type).combine_chunks()
        pool = pool.filter(pc.invert(pc.is_in(ids, value_set=known)))
    order = pc.sort_indices(pool["ref_id"]).to_numpy()
    return pool if np.array_equal(order, np.arange(len(order))) else pool.take(order)


def has(table: pa.Table, column: Column) -> bool:
    """Whether the table has at least one value in this column."""
    return column in table.column_names and table[column].null_count < len(table)


def read(table: pa.Table, needs: frozenset[Column], labelled: pa.Table | None = None) -> tuple[Pool, dict[str, int]]:
    """The columns a strategy needs as arrays, and how many rows were refused by which rule.

    `table` comes from `candidates`. Rows whose needed columns cannot be used are left out and counted
    (once for each column); a row without a stratum belongs to the stratum `NO_STRATUM`.

    Raises:
        InputError: a needed column is absent or empty, or not one row can be used.
    """
    for column in sorted(needs):
        if not has(table, column):
            raise InputError(
                f"the strategy needs {column}, the pool has none",
                remedy=f"add a column {column} or choose a strategy that does without",
            )
    probabilities, faults = _probabilities(table, "probabilities" in needs)
    embedding, more = _embedding(table, "embedding" in needs)
    faults |= more
    refused = {rule: int(mask.sum()) for rule, mask in faults.items() if mask.any()}
    usable = ~np.logical_or.reduce([np.zeros(len(table), dtype=bool), *faults.values()])
    if not usable.any():
        raise InputError("no row of the pool can be used", remedy="check what the model wrote", **refused)
    if not usable.all():
        table, probabilities, embedding = table.filter(usable), probabilities[usable], embedding[usable]
    stratum = _stratum(table, "stratum" in needs)
    centre = embedding.mean(axis=0, dtype=np.float64).astype(np.float32)
    known = _labelled(labelled, embedding.shape[1]) - centre
    ids = table["ref_id"].combine_chunks()
    return Pool(ids, probabilities, embedding - centre, stratum, known), refused


def refused_rows(table: pa.Table) -> dict[str, int]:
    """How many rows of the pool a selection left out, by rule: what `select` wrote beside its result.

    >>> refused_rows(pa.table({"ref_id": ["a"]}))
    {}
    """
    prefix = b"refused "
    found = table.schema.metadata or {}
    return {k.removeprefix(prefix).decode(): int(v) for k, v in found.items() if k.startswith(prefix)}


def with_refused(table: pa.Table, refused: dict[str, int]) -> pa.Table:
    """The table with the counts of refused rows written beside it, in its schema metadata."""
    return table.replace_schema_metadata({f"refused {rule}": str(count) for rule, count in refused.items()})


def _probabilities(table: pa.Table, needed: bool) -> tuple[NDArray[np.floating], dict[str, NDArray[np.bool_]]]:
    if not needed:
        return np.zeros((len(table), 0)), {}
    values, screening = screen_lists(table["probabilities"])
    return values, {f"probabilities {rule}": screening.broken(rule) for rule in screening.refused}


def _embedding(table: pa.Table, needed: bool) -> tuple[NDArray[np.float32], dict[str, NDArray[np.bool_]]]:
    if not needed:
        return np.zeros((len(table), 0), dtype=np.float32), {}
    values, missing, misshapen = matrix(table["embedding"])
    present = ~(missing | misshapen)
    beyond = present & ~(np.abs(values).max(axis=1, initial=0.0) <= LARGEST)
    faults = {
        "embedding missing": missing,
        "embedding wrong_width": misshapen,
        "embedding not_finite": beyond,
    }
    with np.errstate(over="ignore"):  # what leaves float32 is beyond, and left out
        return values.astype(np.float32, copy=False), faults


def _stratum(table: pa.Table, needed: bool) -> NDArray[np.object_]:
    if not needed:
        return np.empty((len(table), 0), dtype=object)
    names = table["stratum"].cast(pa.string()).fill_null(NO_STRATUM)
    return np.asarray(names.to_numpy(zero_copy_only=False), dtype=object)


def _labelled(table: pa.Table | None, width: int) -> NDArray[np.float32]:
    """Embedding of the labelled references that can be compared with a pool of this width."""
    if table is None or not width or not has(table, "embedding"):
        return np.zeros((0, width), dtype=np.float32)
    values = matrix(table["embedding"], width=width).values
    inside = np.abs(values).max(axis=1, initial=0.0) <= LARGEST
    return np.asarray(values[inside], dtype=np.float32)
