"""A judge of rows in Arrow: what Great Expectations finds, without its seconds of import."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.contracts import Expectation


class ArrowRowRules:
    """Judges rows by the same expectations as Great Expectations does."""

    def failing(self, rules: Sequence[Expectation], rows: pa.Table) -> list[list[int]]:
        return [pc.indices_nonzero(_broken(rule, rows.column(rule.column))).to_pylist() for rule in rules]


def _broken(rule: Expectation, column: pa.ChunkedArray) -> pa.ChunkedArray:
    missing = pc.is_null(column, nan_is_null=True) if pa.types.is_floating(column.type) else pc.is_null(column)
    if rule.rule == "required":
        return missing
    given = dict(rule.arguments)
    if rule.rule == "allowed":
        wrong = pc.invert(pc.is_in(column, value_set=pa.array(given["value_set"], column.type)))
    elif rule.rule == "pattern":
        wrong = pc.invert(pc.match_substring_regex(column, given["regex"]))
    else:
        wrong = _outside(column, given["min_value"], given["max_value"])
    return pc.and_(pc.fill_null(wrong, False), pc.invert(missing))


def _outside(column: pa.ChunkedArray, low: float | None, high: float | None) -> pa.ChunkedArray:
    below = pc.less(column, low) if low is not None else pc.and_(pc.is_null(column), False)
    above = pc.greater(column, high) if high is not None else pc.and_(pc.is_null(column), False)
    return pc.or_kleene(below, above)
