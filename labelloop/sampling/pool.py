"""The pool as a strategy sees it: rows in a fixed order, columns as arrays, unusable rows left out.

Filling it from a table, and refusing what cannot be used, is done once in `reading.py`, so that strategies hold
nothing but their own idea.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.errors import InputError
from labelloop.spec.sampling import Objectives


@dataclass(frozen=True)
class Pool:
    """n candidates in ascending order of `ref_id`; a column the strategy did not ask for is neutral.

    `probabilities` (n, k) and `vectors` (n, d) then have width 0, `stratum` (n,) is one name, `uncertainty` and
    `cost` (n,) are ones, `age` (n,) in days behind the newest is zero. `vectors` are float32 as the table holds them,
    not copied, with their mean `centre` (d,). `labelled` (m, d), centred, and the names `labelled_stratum` (m',) are
    what has a label already; empty when nothing has.
    """

    ref_ids: pa.Array
    probabilities: NDArray[np.floating]
    vectors: NDArray[np.float32]
    centre: NDArray[np.float32]
    stratum: NDArray[np.object_]
    labelled: NDArray[np.float32]
    labelled_stratum: NDArray[np.object_]
    uncertainty: NDArray[np.floating]
    age: NDArray[np.floating]
    cost: NDArray[np.floating]
    objectives: Objectives

    def __len__(self) -> int:
        return len(self.ref_ids)

    @cached_property
    def embedding(self) -> NDArray[np.float32]:
        """(n, d) float32 centred, in the coordinates of `labelled`: a copy, for strategies that need one."""
        return self.vectors - self.centre

    def left(self, rows: NDArray[np.intp], chosen: NDArray[np.intp]) -> Pool:
        """The pool of these rows alone, in their order, with the chosen rows counted among the labelled."""
        return replace(
            self,
            ref_ids=self.ref_ids.take(pa.array(rows)),
            probabilities=self.probabilities[rows],
            vectors=self.vectors[rows],
            stratum=self.stratum[rows],
            labelled=np.concatenate([self.labelled, self.vectors[chosen] - self.centre]),
            labelled_stratum=np.concatenate([self.labelled_stratum, self.stratum[chosen]]),
            uncertainty=self.uncertainty[rows],
            age=self.age[rows],
            cost=self.cost[rows],
        )


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
    ascending = _ascending(ids)
    if not ascending and (repeated := len(ids) - pc.count_distinct(ids).as_py()):
        raise InputError(f"{repeated} rows of the pool repeat a ref_id", remedy="give each reference one row")
    if labelled is not None and len(labelled):
        known = labelled["ref_id"].cast(ids.type).combine_chunks()
        pool = pool.filter(pc.invert(pc.is_in(ids, value_set=known)))
    return pool if ascending else pool.take(pc.sort_indices(pool["ref_id"]))


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


def _ascending(ids: pa.ChunkedArray) -> bool:
    """Whether the ids are sorted without repetition: then neither sorting nor copying is needed."""
    return len(ids) < 2 or bool(pc.all(pc.less(ids.slice(0, len(ids) - 1), ids.slice(1))).as_py())
