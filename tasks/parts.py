"""Parts of a pool: ranges of reference ids, and what is predicted of the references in one."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.contracts import Refusal


class Range(NamedTuple):
    """Reference ids from `low` up to but not `high`; None has no end."""

    low: str
    high: str | None

    @property
    def condition(self) -> pc.Expression:
        """The rows of a table whose `ref_id` lies within."""
        above = ref_id() >= self.low
        return above if self.high is None else above & (ref_id() < self.high)


class Predicted(NamedTuple):
    """What was predicted of a range: `rows` of the contract `predictions`, and what could not be.

    Media that is `unreadable` is also among the rows, without an answer; answers that are `refused` are not, nor are
    objects that were `gone`.
    """

    rows: pa.Table
    unreadable: list[Refusal]
    refused: list[Refusal]
    gone: int

    @property
    def answered(self) -> int:
        """How many references have got an answer."""
        return self.rows.num_rows - len(self.unreadable)

    @property
    def asked(self) -> int:
        """How many references were looked at."""
        return self.rows.num_rows + len(self.refused) + self.gone


def ref_id() -> pc.Expression:
    """The column `ref_id` of a table in the lake, to compare it with."""
    # Delta's merge writes strings as views, which Arrow 26 cannot compare with a file's statistics; cast, it can.
    return pc.field("ref_id").cast(pa.string())


def ranges_of(ids: pa.ChunkedArray, size: int) -> list[Range]:
    """Return the ranges that hold so many of these ids each, the last one fewer; none for no ids.

    >>> ranges_of(pa.chunked_array([["c", "a", "b"]]), 2)
    [Range(low='', high='c'), Range(low='c', high=None)]
    """
    edges = ids.take(pc.sort_indices(ids)).to_pylist()[::size]
    return [Range(low, high) for low, high in zip(["", *edges[1:]], [*edges[1:], None], strict=True)] if edges else []
