"""The lake: Delta tables shaped by their contracts, one commit per write.

Joins belong to `labelloop/`; rows are checked against their contract before they come here.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, Field, write_deltalake

from labelloop.contracts import contract, missing_columns, shaped
from labelloop.errors import Conflict, InputError
from labelloop.streams import reader_of
from tasks.clients.open_tables import OpenTables, delta_errors
from tasks.clients.table_reading import ReadableTable, schema_of
from tasks.clients.table_rows import changed_rows, fenced, is_in, scanned
from tasks.clients.table_upkeep import PROPERTIES, REWRITTEN, compact, count_old, destroy_old

Fence = Callable[[], None]
_ATTEMPTS = 8  # a lost race is run again on the newest version
_NAMED = 10_000  # rows at most whose keys stand in a predicate
_PAUSE = 0.05  # seconds at most before the second attempt, doubled before each later one


class Lake:
    """All tables below one address."""

    def __init__(self, uri: str, options: Mapping[str, str] | None = None) -> None:
        """Open the lake at `uri` (s3:// or a local folder); nothing is read yet."""
        self.uri = uri.rstrip("/")
        self._tables = OpenTables(options or {})

    def table(self, name: str, project: str | None = None) -> LakeTable:
        """Return one table; `project` is needed for the tables that belong to projects.

        Raises:
            InputError: a project table without a project.
        """
        rules = contract(name)
        if rules.scope == "lake":
            return LakeTable(rules, f"{self.uri}/{name}", self._tables)
        if not project:
            raise InputError(f"table {name!r} belongs to a project", remedy="name the project")
        return LakeTable(rules, f"{self.uri}/projects/{project}/{name}", self._tables)


class LakeTable(ReadableTable):
    """One Delta table and the contract it keeps; its next write adds columns that came into the contract since."""

    def upsert(self, rows: pa.Table, *, fence: Fence, compare: bool = True) -> int | None:
        """Insert new rows and replace those of the same primary key, in one commit; no change commits nothing.

        Rows that are known to differ from those that are there need no `compare`, which reads the whole table.

        Returns:
            The version that holds the rows.

        Raises:
            InputError: two of the rows share a primary key.
            Conflict: another writer changed the same rows.
        """
        keys, rows = self.contract.primary_key, shaped(self.contract, rows)
        if rows.group_by(list(keys)).aggregate([]).num_rows != rows.num_rows:
            raise InputError(f"rows for {self.contract.name!r} repeat a primary key", remedy="one row per key")
        for attempt in range(_ATTEMPTS - 1):
            with suppress(Conflict):
                return self._merge(rows, keys, fence, compare)
            time.sleep(random.uniform(0, _PAUSE * 2**attempt))  # noqa: S311 - keeps two losers from meeting again
        return self._merge(rows, keys, fence, compare)

    def _merge(self, rows: pa.Table, keys: Sequence[str], fence: Fence, compare: bool) -> int | None:
        found = self._open()
        if found and compare and rows.num_rows:
            with delta_errors("reading"):
                rows = changed_rows(rows, self._dataset(found), keys)
        if rows.num_rows == 0:
            return self._done_with(found) if found else None
        fence()
        with delta_errors("writing to"):
            found = self._widened(found, fence) if found else self._create()
            if len(keys) == 1 and pc.all(pc.utf8_is_alnum(rows[keys[0]])).as_py():
                self._replace(found, rows, keys[0])
            else:
                match = " AND ".join(f"target.{key} = source.{key}" for key in keys)
                merge = found.merge(rows, match, source_alias="source", target_alias="target")
                merge.when_matched_update_all().when_not_matched_insert_all().execute()
        return self._done_with(found)

    def _replace(self, found: DeltaTable, rows: pa.Table, key: str) -> None:
        """Write rows in the place of those of the same opaque key; a merge would hold the whole table in memory.

        A few are named in the predicate, which the log keeps; for many the table is streamed into new files. Either
        predicate lets Delta refuse the commit if another writer came first.
        """
        if rows.num_rows <= _NAMED:
            named = ", ".join(f"'{one}'" for one in rows[key].to_pylist())
            write_deltalake(found, rows, mode="overwrite", predicate=f"{key} IN ({named})")
            return
        staying = scanned(self._dataset(found), rows.schema, where=~is_in(rows, key))
        with reader_of(rows.schema, chain(staying, rows.to_batches())) as reader:
            write_deltalake(found, reader, mode="overwrite", predicate=f"{key} IS NOT NULL")

    def append(self, batches: Iterable[pa.Table], *, fence: Fence) -> int | None:
        """Add rows whose primary keys are new for certain, in one commit, without holding them together.

        Args:
            batches: in the contract's schema; drawn while they are written.
            fence: asked before the first effect and again when all are drawn.

        Returns:
            The version that holds the rows; none are no commit.

        Raises:
            Conflict: the table was replaced meanwhile.
        """
        drawn = (batch for rows in batches for batch in shaped(self.contract, rows).to_batches())
        first = next(drawn, None)
        if first is None:
            return self.version()
        with delta_errors("writing to"), reader_of(self.contract.schema, fenced(first, drawn, fence)) as reader:
            found = self._open()
            found = self._widened(found, fence) if found else self._create()
            write_deltalake(found, reader, mode="append")
        return self._done_with(found)

    def _create(self) -> DeltaTable:
        return DeltaTable.create(
            self.uri,
            self.contract.schema,
            mode="ignore",
            configuration=PROPERTIES,
            storage_options=self._tables.options,
        )

    def _widened(self, found: DeltaTable, fence: Fence) -> DeltaTable:
        """Return the table with every column of its contract; adding some is a commit of its own."""
        if missing := missing_columns(self.contract, schema_of(found)):
            fence()
            found.alter.add_columns([Field.from_arrow(field) for field in missing])
        return found

    def delete(self, column: str, keys: Sequence[str], *, fence: Fence) -> int:
        """Delete the rows whose opaque key column is one of `keys` and return how many went.

        The predicate is written into the Delta log, so only keys that mean nothing outside may be used here.
        """
        found = self._open() if keys else None
        if found is None:
            return 0
        if not all(key.isalnum() for key in keys):
            raise InputError("rows are deleted by opaque keys only", remedy="delete by ref_id or unit_id")
        fence()
        listed = ", ".join(f"'{key}'" for key in sorted(set(keys)))
        with delta_errors("deleting from"):
            answer = found.delete(f"{column} IN ({listed})", writer_properties=REWRITTEN)
        self._done_with(found)
        return int(answer["num_deleted_rows"])

    def purge(self, *, fence: Fence) -> int:
        """Put many small files together, destroy what the newest version does not need, return how many files went.

        Readers of older versions are cut off: hold an exclusive lease. Killed in between, the next purge ends it.
        """
        found = self._open()
        if found is None:
            return 0
        with delta_errors("purging"):
            fence()
            compact(found)
            fence()
            gone = destroy_old(found)
        self._done_with(found)
        return gone

    def leftovers(self) -> int:
        """Return how many files a purge would destroy."""
        found = self._open()
        if found is None:
            return 0
        with delta_errors("looking for old files of"):
            left = count_old(found)
        self._done_with(found)
        return left
