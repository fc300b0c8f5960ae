"""The ledger: copies of suppressions and receipts in the vault, which outlive a restore of the lake.

They hold keyed digests and counts, never an identifier. Lakes that share a vault have a ledger each, told apart by
their addresses. The vault itself is never restored from a backup: that would bring back keys that were shredded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from typing import Any

import pyarrow as pa

from labelloop.contracts import contract
from labelloop.erasure.ledger import Tally
from labelloop.errors import Conflict
from tasks.clients.hot import HotState

TABLES = ("suppressions", "receipts")
_THREADS = 16


class Ledger:
    """One object for each request, table and state of its rows; none is ever changed."""

    def __init__(self, vault: HotState, lake_uri: str) -> None:
        """Keep copies of what the lake at this address has in the vault."""
        self._vault = vault
        self._folder = f"ledger/{hashlib.sha256(lake_uri.rstrip('/').encode()).hexdigest()[:16]}"

    def tallies(self, table: str) -> dict[str, Tally]:
        """Return the newest state of each request that is kept, by one listing."""
        found: dict[str, Tally] = {}
        folder = f"{self._folder}/{table}/"
        for key in self._vault.keys(folder):
            request_id, rows, lifted = key.removeprefix(folder).removesuffix(".json").split("-")
            found[request_id] = max(found.get(request_id, (0, 0)), (int(rows), int(lifted)))
        return found

    def record(self, table: str, request_id: str, tally: Tally, rows: Iterable[dict[str, Any]]) -> None:
        """Keep the rows of a request; the same state is kept once."""
        kept = [{name: _text(value) for name, value in row.items()} for row in rows]
        with suppress(Conflict):  # a run before this one, or beside it, has kept it
            self._vault.create(self._place(table, request_id, tally), {"rows": kept})

    def rows(self, table: str, request_ids: Collection[str]) -> pa.Table:
        """Return the newest rows of these requests, in the schema of the table's contract."""
        states = self.tallies(table)
        places = [self._place(table, request_id, states[request_id]) for request_id in request_ids]
        with ThreadPoolExecutor(_THREADS) as pool:
            found = [record.value["rows"] for record in pool.map(self._vault.get, places) if record]
        schema = contract(table).schema
        moments = {field.name for field in schema if pa.types.is_timestamp(field.type)}
        rows = [{name: _value(v, name in moments) for name, v in row.items()} for rows in found for row in rows]
        return pa.Table.from_pylist(rows, schema=schema)

    def _place(self, table: str, request_id: str, tally: Tally) -> str:
        return f"{self._folder}/{table}/{request_id}-{tally[0]}-{tally[1]}.json"


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _value(value: Any, is_moment: bool) -> Any:
    return datetime.fromisoformat(value) if is_moment and value else value
