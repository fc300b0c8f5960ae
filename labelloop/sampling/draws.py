"""The random parts of a round's batch: audit, explore, and what is asked again.

No strategy and no limit has a say in them; that is what makes their inclusion probabilities true.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.sampling.audit import lowest, permanent_numbers
from labelloop.sampling.selection import select

PERMANENT: Final = "permanent_random"  # the strategy that chose an audit reference


class Again(NamedTuple):
    """References (`ref_id`, those asked about before) of which a `share` of the batch is asked once more."""

    rows: pa.Table
    share: float


def groups(table: pa.Table) -> pa.ChunkedArray:
    """What membership in the audit is decided by: the group, or the reference itself without one.

    >>> groups(pa.table({"ref_id": ["a", "b"], "group": ["s", None]})).to_pylist()
    ['s', 'b']
    """
    if "group" not in table.column_names:
        return table["ref_id"]
    return pc.coalesce(table["group"].cast(pa.string()), table["ref_id"].cast(pa.string()))


def audited(pool: pa.Table, salt: str, rate: float) -> NDArray[np.bool_]:
    """Which rows of a pool belong to the audit, by their group: the same rows that `compose_batch` keeps for it."""
    return permanent_numbers(groups(pool), salt) < rate


def audit_draw(eligible: pa.Table, n: int, salt: str, rate: float) -> pa.Table:
    """The eligible references with the lowest permanent numbers, in the shape `select` gives."""
    rows = lowest(groups(eligible), n, salt)
    frame = select(eligible.select(["ref_id"]), 0)
    columns = {
        "ref_id": eligible["ref_id"].take(rows),
        "rank": np.arange(len(rows)),
        "acquisition_score": pa.nulls(len(rows), pa.float64()),
        "inclusion_probability": np.full(len(rows), rate),
        "reason": [f"permanent random number below the audit rate {rate:g}"] * len(rows),
    }
    return pa.table(columns).cast(frame.schema)


def explore_draw(pool: pa.Table, n: int, seed: int, open_rows: int | None) -> pa.Table:
    """An even draw from the pool, or from the even draw that the short lists of its shards hold."""
    if open_rows is None:
        return select(pool, n, "random", seed=seed)
    drawn = pool.filter(pool["drawn"])
    chosen = select(drawn, n, "random", seed=seed)
    chances = pc.multiply(chosen["inclusion_probability"], len(drawn) / max(open_rows, 1))
    place = chosen.schema.get_field_index("inclusion_probability")
    reasons = pa.array([f"random draw of {len(chosen)} from {open_rows}"] * len(chosen), pa.string())
    return chosen.set_column(place, "inclusion_probability", chances).set_column(place + 1, "reason", reasons)


def again_draw(stratum: str, again: Again, size: int, seed: int) -> pa.Table:
    """An even draw from what was asked about before, with its reason."""
    drawn = select(again.rows.select(["ref_id"]), share_of(size, again.share), "random", seed=seed)
    reasons = [f"{stratum}: {reason}" for reason in drawn["reason"].to_pylist()]
    column = drawn.schema.get_field_index("reason")
    return drawn.set_column(column, "reason", pa.array(reasons, pa.string()))


def share_of(size: int, share: float) -> int:
    """A share of a batch, halves rounded up.

    >>> share_of(25, 0.1)
    3
    """
    return int(np.floor(size * share + 0.5))
