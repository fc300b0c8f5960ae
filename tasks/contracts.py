"""The gate to the lake: no row of a stage gets in without its contract.

A refused row goes to quarantine and is counted; a refused table stops the stage before any effect.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from labelloop.contracts import BrokenKey, Contract, broken_keys, contract, expectations, refusals, shaped
from labelloop.errors import ContractError
from labelloop.streams import drawn_apart
from tasks.clients.expectations import RowRules
from tasks.clients.lake import LakeTable
from tasks.clients.lease import Lease
from tasks.clients.quarantine import quarantine
from tasks.clients.world import World

Broken = list[tuple[str, str, list[int]]]


def commit(world: World, lease: Lease, table: str, rows: pa.Table, *, stage: str, compare: bool = True) -> int:
    """Write rows into a table of the lake, in one commit, and return how many rows were refused.

    Args:
        world: the project's world.
        lease: checked before each write.
        table: the table and its contract.
        rows: inserted, or replacing those of the same primary key; rows already there change nothing.
        stage: who writes, named in quarantine.
        compare: False for rows that are known to differ from those that are there, which need not be read then.

    Raises:
        ContractError: wrong columns or types, repeated primary keys, or references to rows that do not exist;
            nothing was written.
    """
    good = _good(world, lease, table, rows, stage)
    world.table(table).upsert(good, fence=lease.check, compare=compare)
    return rows.num_rows - good.num_rows


def commit_new(world: World, lease: Lease, table: str, parts: Iterable[pa.Table], *, stage: str) -> int:
    """Add rows that cannot be there yet, in one commit, and return how many were refused; one part is held at a time.

    Args:
        world: the project's world.
        lease: checked before the first write and before the commit.
        table: the table and its contract.
        parts: rows whose primary keys are new in the table and among themselves.
        stage: who writes, named in quarantine.

    Raises:
        ContractError: as for `commit`; nothing was written.
    """
    counts = Counter[str]()

    def good_parts() -> Iterator[pa.Table]:
        for rows in parts:
            good = _good(world, lease, table, rows, stage)
            counts["refused"] += rows.num_rows - good.num_rows
            yield good

    # Refused rows go to another table, which Delta could not open where it draws what it writes.
    world.table(table).append(drawn_apart(good_parts()), fence=lease.check)
    return counts["refused"]


def _good(world: World, lease: Lease, table: str, rows: pa.Table, stage: str) -> pa.Table:
    """Return the rows that keep their contract; the others go to quarantine."""
    rules = contract(table)
    rows = shaped(rules, rows, strict=False)
    broken = _broken_rules(world.row_rules, rules, rows)
    good = shaped(rules, _without(rows, sorted({number for _, _, failing in broken for number in failing})))
    _refuse_broken_keys(world, rules, good)
    quarantine(world, lease, refusals(table, rows, broken), stage=stage)
    return good


def refuse_unfit(world: World, table: str, rows: pa.Table) -> None:
    """Refuse rows whole that break their contract anywhere: for files, which are published entire or not at all.

    Raises:
        ContractError: wrong columns, types or values, or repeated primary keys.
    """
    rules = contract(table)
    broken = _broken_rules(world.row_rules, rules, shaped(rules, rows))
    if broken:
        told = ", ".join(f"{len(failing)} rows break {rule!r} of {column}" for rule, column, failing in broken)
        raise ContractError(f"{table!r} was refused whole: {told}", remedy="nothing was published", table=table)
    _refuse_broken_keys(world, rules, rows)


def _broken_rules(judge: RowRules, rules: Contract, rows: pa.Table) -> Broken:
    asked = expectations(rules) if rows.num_rows else ()
    found = judge.failing(asked, rows)
    return [(rule.rule, rule.column, failing) for rule, failing in zip(asked, found, strict=True) if failing]


def _without(rows: pa.Table, refused: list[int]) -> pa.Table:
    if not refused:
        return rows
    kept = np.ones(rows.num_rows, dtype=bool)
    kept[refused] = False
    return rows.filter(pa.array(kept))


def _refuse_broken_keys(world: World, rules: Contract, rows: pa.Table) -> None:
    referenced = {key: _column(world.table(key.table), key.key) for key in rules.foreign_keys if rows.num_rows}
    broken = broken_keys(rules, rows, referenced)
    if broken:
        raise ContractError(
            f"table {rules.name!r} was refused whole: " + ", ".join(map(_told, broken)),
            remedy="nothing was written; write the referenced tables first and give one row per key",
            table=rules.name,
        )


def _column(table: LakeTable, name: str) -> pa.RecordBatchReader:
    schema = pa.schema([table.contract.schema.field(name)])
    return pa.RecordBatchReader.from_batches(schema, table.batches(columns=[name]))


def _told(broken: BrokenKey) -> str:
    columns = ", ".join(broken.columns)
    if broken.rule == "unique":
        return f"{broken.count} rows repeat a primary key ({columns})"
    return f"{broken.count} values of {columns} refer to nothing"
