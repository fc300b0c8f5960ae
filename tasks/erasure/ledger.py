"""Keeping lake and ledger level: what one has and the other lacks is copied, so that a restored lake forgets none."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.contracts import contract
from labelloop.erasure.ledger import ahead, lost_rows, tallies
from tasks.clients.ledger import TABLES, Ledger
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.exclusive import erasing


def record_in_ledger(world: World) -> None:
    """Keep in the ledger what the lake has of suppressions and receipts and the ledger has not."""
    ledger = Ledger(world.vault, world.settings.lake_uri)
    for table in TABLES:
        rows = world.table(table).read()
        present, kept = tallies(rows), ledger.tallies(table)
        for request_id in ahead(present, kept):
            mine = rows.filter(pc.equal(rows["request_id"], request_id)).to_pylist()
            ledger.record(table, request_id, present[request_id], mine)


def lost_from_lake(world: World) -> dict[str, pa.Table]:
    """Return what the ledger knows and the lake does not, by table; rows only after the lake was restored."""
    ledger, found = Ledger(world.vault, world.settings.lake_uri), {}
    for table in TABLES:
        rows = world.table(table).read()
        behind = ahead(ledger.tallies(table), tallies(rows))
        (key,) = contract(table).primary_key
        found[table] = lost_rows(ledger.rows(table, behind), rows, key) if behind else rows.slice(0, 0)
    return found


def restore_from_ledger(world: World) -> int:
    """Bring suppressions and receipts back that a restore of the lake has lost, and return how many rows."""
    lost = {table: rows for table, rows in lost_from_lake(world).items() if rows.num_rows}
    if lost:
        with erasing(world) as lease:
            for table, rows in lost.items():
                commit(world, lease, table, rows, stage="erasure")
    return sum(rows.num_rows for rows in lost.values())
