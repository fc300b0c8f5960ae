"""Uniqueness and references: the rules that no single row can break, as SQL in memory.

Their failure refuses the whole table, since it means that a stage is wrong and not a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import duckdb
import pyarrow as pa

from labelloop.contracts.contract import Contract, ForeignKey
from labelloop.sql import session

Rows: TypeAlias = pa.Table | pa.RecordBatchReader


@dataclass(frozen=True)
class BrokenKey:
    """A key rule and how many values break it."""

    rule: str
    columns: tuple[str, ...]
    count: int


def broken_keys(rules: Contract, rows: pa.Table, referenced: Mapping[ForeignKey, Rows]) -> tuple[BrokenKey, ...]:
    """Return the broken key rules of the rows.

    Args:
        rules: the contract.
        rows: in the contract's schema.
        referenced: for each foreign key, rows that hold the referenced column; read once, streaming.

    Returns:
        `unique` with the number of surplus rows, and `reference` with the number of distinct values that the other
        table does not hold. Items of a list column are looked up one by one; null values refer to nothing.

    >>> from labelloop.contracts import contract
    >>> broken_keys(contract("datasets"), contract("datasets").schema.empty_table(), {})
    ()
    """
    with session() as db:
        db.register("incoming", rows)
        checks = [BrokenKey("unique", rules.primary_key, _surplus(db, rules.primary_key))]
        for key, others in referenced.items():
            checks.append(BrokenKey("reference", (key.column,), _dangling(db, key, rows, others)))
    return tuple(check for check in checks if check.count)


def _surplus(db: duckdb.DuckDBPyConnection, key: tuple[str, ...]) -> int:
    columns = ", ".join(f'"{name}"' for name in key)
    distinct = f"SELECT count(*) FROM (SELECT DISTINCT {columns} FROM incoming)"  # noqa: S608 - names of a contract
    return _number(db, "SELECT count(*) FROM incoming") - _number(db, distinct)


def _dangling(db: duckdb.DuckDBPyConnection, key: ForeignKey, rows: pa.Table, others: Rows) -> int:
    value = f'unnest("{key.column}")' if pa.types.is_list(rows.schema.field(key.column).type) else f'"{key.column}"'
    db.register("referenced", others)
    wanted = f"SELECT DISTINCT v FROM (SELECT {value} AS v FROM incoming) WHERE v IS NOT NULL"  # noqa: S608 - names of a contract
    # The other table may be large: it is streamed past the few values that are looked for.
    found = f'SELECT count(DISTINCT "{key.key}") FROM referenced WHERE "{key.key}" IN ({wanted})'  # noqa: S608
    return _number(db, f"SELECT count(*) FROM ({wanted})") - _number(db, found)  # noqa: S608


def _number(db: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(db.sql(query).fetchall()[0][0])
