"""The lake: Delta tables shaped by their contracts, one commit per write.

Joins belong to `labelloop/`; rows are checked against their contract before they come here.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import ColumnProperties, DeltaTable, Field, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

from labelloop.contracts import Contract, contract, missing_columns, shaped
from labelloop.errors import Conflict, ErasedError, InputError
from labelloop.streams import reader_of
from tasks.clients.open_tables import OpenTables, delta_errors
from tasks.clients.table_files import table_files
from tasks.clients.table_rows import STREAMED, changed_rows, fenced, is_in, only, scanned

# Statistics would copy values into the log, where a deletion does not reach them.
_PROPERTIES = {
    "delta.dataSkippingNumIndexedCols": "0",
    "delta.logRetentionDuration": "interval 0 days",
    "delta.deletedFileRetentionDuration": "interval 0 days",
}
# A deletion rewrites whole files: dictionaries of numbers and statistics would take it half the time.
_REWRITTEN = WriterProperties(
    compression="SNAPPY",
    default_column_properties=ColumnProperties(dictionary_enabled=False, statistics_enabled="NONE"),
)
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


class LakeTable:
    """One Delta table and the contract it keeps.

    Columns that came into the contract after the table was written are null to readers; the next write adds them.
    Whatever else differs is a ContractError of every call.
    """

    def __init__(self, rules: Contract, uri: str, tables: OpenTables) -> None:
        """Name a table; it is created by its first write."""
        self.contract, self.uri, self._tables = rules, uri, tables

    def version(self) -> int | None:
        """Return the newest version, or None while nothing was ever written."""
        found = self._open()
        return self._done_with(found) if found else None

    def read(
        self,
        *,
        columns: Sequence[str] | None = None,
        where: ds.Expression | None = None,
        version: int | None = None,
        parts: Collection[str] | None = None,
    ) -> pa.Table:
        """Return rows in the contract's schema, of these data files if `parts` are named; an absent table is empty.

        Raises:
            ErasedError: the version is not the newest and was purged.
            Conflict: a part belongs to the newest version no longer.
        """
        schema, found = self._schema(columns), self._open()
        if found is None and version is None:
            return schema.empty_table()
        if found is None or version not in (None, found.version()):
            return self._read_old(version, schema, where)
        with delta_errors("reading"):
            files = self._files(found) if parts is None else only(self._files(found), parts)
            return files.to_table(columns=schema.names, filter=where).cast(schema)

    def parts(self) -> dict[str, int]:
        """Return the data files of the newest version and their rows, 1 if unknown; names never come again."""
        found = self._open()
        if found is None:
            return {}
        with delta_errors("reading"):
            files = pa.table(found.get_add_actions(flatten=True)).to_pylist()
        self._done_with(found)
        return {one["path"]: 1 if one["num_records"] is None else one["num_records"] for one in files}

    def batches(self, *, columns: Sequence[str] | None = None, rows: int = STREAMED) -> Iterator[pa.RecordBatch]:
        """Yield the table in batches of at most `rows` rows, without holding it in memory."""
        found = self._open()
        if found is not None:
            schema = self._schema(columns)
            with delta_errors("reading"):
                yield from scanned(self._files(found), schema, rows=rows)

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
        if found and compare:
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
            configuration=_PROPERTIES,
            storage_options=self._tables.options,
        )

    def _widened(self, found: DeltaTable, fence: Fence) -> DeltaTable:
        """Return the table with every column of its contract; adding some is a commit of its own."""
        if missing := missing_columns(self.contract, _schema_of(found)):
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
            answer = found.delete(f"{column} IN ({listed})", writer_properties=_REWRITTEN)
        self._done_with(found)
        return int(answer["num_deleted_rows"])

    def purge(self, *, fence: Fence) -> int:
        """Destroy every file and log entry that the newest version does not need; return how many files went.

        Readers of older versions are cut off: hold an exclusive lease.
        """
        found = self._open()
        if found is None:
            return 0
        fence()
        with delta_errors("purging"):
            gone = found.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False, full=True)
            found.create_checkpoint()
            found.cleanup_metadata()
        self._done_with(found)
        return len(gone)

    def leftovers(self) -> int:
        """Return how many files a purge would destroy."""
        found = self._open()
        if found is None:
            return 0
        with delta_errors("looking for old files of"):
            left = found.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=True, full=True)
        self._done_with(found)
        return len(left)

    def _open(self) -> DeltaTable | None:
        try:
            with delta_errors("opening"):
                found = self._tables.take(self.uri)
        except TableNotFoundError:
            return None
        missing_columns(self.contract, _schema_of(found))
        return found

    def _done_with(self, found: DeltaTable) -> int:
        """Give an opened table back for the next call, and return its version."""
        self._tables.give_back(self.uri, found)
        return int(found.version())

    def _files(self, found: DeltaTable) -> ds.Dataset:
        """Return the files of a table that is needed for nothing else."""
        files = self._dataset(found)
        self._done_with(found)
        return files

    def _dataset(self, found: DeltaTable) -> ds.Dataset:
        """Return the files of the table; columns that they lack are null."""
        stored = _schema_of(found)
        schema = pa.schema([*stored, *missing_columns(self.contract, stored)])
        return found.to_pyarrow_dataset(filesystem=table_files(self.uri, self._tables.options), schema=schema)

    def _read_old(self, version: int | None, schema: pa.Schema, where: ds.Expression | None) -> pa.Table:
        with delta_errors("reading"):
            try:
                found = DeltaTable(self.uri, version=version, storage_options=self._tables.options)
                return self._dataset(found).to_table(columns=schema.names, filter=where).cast(schema)
            except (DeltaError, FileNotFoundError):  # a purge takes the log of a version, its files, or both
                raise ErasedError(
                    f"version {version} of table {self.contract.name!r} was purged", remedy="read the newest version"
                ) from None

    def _schema(self, columns: Sequence[str] | None) -> pa.Schema:
        schema = self.contract.schema
        return schema if columns is None else pa.schema([schema.field(name) for name in columns])


def _schema_of(found: DeltaTable) -> pa.Schema:
    return pa.schema(found.schema())
