"""The ledger, as a decision: what a lake that was restored from a backup lacks of its suppressions and receipts.

Both only ever grow, and a suppression is lifted once; so of two copies of a request's rows the larger is the newer.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

# Rows of a request, and how many of them are lifted.
Tally = tuple[int, int]


def tallies(rows: pa.Table) -> dict[str, Tally]:
    """Return for each request how many rows it has and how many of them are lifted.

    >>> tallies(pa.table({"request_id": ["a", "a"], "lifted_at": pa.array([None, 1], pa.int64())}))
    {'a': (2, 1)}
    """
    lifted = rows["lifted_at"] if "lifted_at" in rows.column_names else pa.nulls(rows.num_rows, pa.int64())
    counted = pa.table({"request_id": rows["request_id"], "lifted": lifted}).group_by("request_id")
    found = counted.aggregate([([], "count_all"), ("lifted", "count")]).to_pylist()
    return {row["request_id"]: (row["count_all"], row["lifted_count"]) for row in found}


def ahead(ours: Mapping[str, Tally], theirs: Mapping[str, Tally]) -> list[str]:
    """Return the requests of which we know something that they do not.

    >>> ahead({"a": (2, 0), "b": (1, 1), "c": (1, 0)}, {"a": (2, 1), "b": (1, 0)})
    ['b', 'c']
    """
    none = (0, 0)
    return sorted(
        r for r, (n, lifted) in ours.items() if n > theirs.get(r, none)[0] or lifted > theirs.get(r, none)[1]
    )


def lost_rows(kept: pa.Table, present: pa.Table, key: str) -> pa.Table:
    """Return the kept rows that are absent from the table, or not lifted there though they are lifted here.

    Args:
        kept: rows of the ledger.
        present: rows of the lake, in the same schema.
        key: name of their primary key.
    """
    absent = pc.invert(pc.is_in(kept[key], value_set=present[key].combine_chunks()))
    if "lifted_at" not in kept.column_names:
        return kept.filter(absent)
    in_force = present.filter(pc.is_null(present["lifted_at"]))[key].combine_chunks()
    lifted = pc.and_(pc.is_valid(kept["lifted_at"]), pc.is_in(kept[key], value_set=in_force))
    return kept.filter(pc.or_(absent, lifted))
