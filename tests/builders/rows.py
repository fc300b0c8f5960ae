"""Rows that keep their contract, for tests that need some."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from labelloop.contracts import Column, contract
from tests.builders.digits import START

if TYPE_CHECKING:
    from tasks.clients.world import World


def hex_id(number: int) -> str:
    return f"{number:032x}"


def rows_of(table: str, given: Sequence[dict[str, Any]]) -> pa.Table:
    """Return one valid row per dict; columns that are not given get the plainest valid value.

    Opaque ids take the number of the row, so that rows of two tables refer to each other.
    """
    columns = contract(table).columns
    rows = [
        {c.name: row[c.name] if c.name in row else _plain(c, number) for c in columns}
        for number, row in enumerate(given)
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema([pa.field(c.name, c.arrow_type) for c in columns]))


def write(world: World, table: str, given: Sequence[dict[str, Any]]) -> None:
    """Put rows into the lake of a world without asking its contract; see `rows_of`."""
    world.table(table).upsert(rows_of(table, given), fence=lambda: None)


def _plain(column: Column, number: int) -> Any:
    kind = column.arrow_type
    if not column.required:
        return None
    if pa.types.is_string(kind):
        return _text(column, number)
    if pa.types.is_timestamp(kind):
        return START
    if pa.types.is_list(kind):
        return [hex_id(number)] if pa.types.is_string(kind.value_type) else [1.0]
    return max(column.minimum or 0, 0) if not pa.types.is_boolean(kind) else False


def _text(column: Column, number: int) -> str:
    if column.allowed:
        return column.allowed[0]
    if column.pattern:
        length = re.search(r"\{(\d+)\}", column.pattern)
        return f"{number:0{length[1] if length else 32}x}"
    return f"{column.name}-{number}"
