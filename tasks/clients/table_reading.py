"""Reading one Delta table in the shape of its contract, the newest version or an old one; writing is in `lake.py`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from labelloop.contracts import Contract, missing_columns
from labelloop.errors import Conflict, ErasedError
from tasks.clients.open_tables import OpenTables, delta_errors
from tasks.clients.table_files import table_files
from tasks.clients.table_rows import STREAMED, only, scanned


class ReadableTable:
    """One Delta table and the contract it keeps.

    Columns that came into the contract after the table was written are null. Whatever else differs is a ContractError
    of every call.
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
        schema = self._schema(columns)
        with suppress(Conflict):  # a purge meanwhile: the newest version has other files now, and every row
            return self._read(schema, where, version, parts)
        return self._read(schema, where, version, parts)

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
        """Yield the table in batches of at most `rows` rows, without holding it in memory.

        Raises:
            Conflict: a purge took its files meanwhile.
        """
        found = self._open()
        if found is not None:
            schema = self._schema(columns)
            with delta_errors("reading"):
                yield from scanned(self._files(found), schema, rows=rows)

    def _read(
        self, schema: pa.Schema, where: ds.Expression | None, version: int | None, parts: Collection[str] | None
    ) -> pa.Table:
        found = self._open()
        if found is None and version is None:
            return schema.empty_table()
        if found is None or version not in (None, found.version()):
            return self._read_old(version, schema, where)
        with delta_errors("reading"):
            files = self._files(found) if parts is None else only(self._files(found), parts)
            return files.to_table(columns=schema.names, filter=where).cast(schema)

    def _read_old(self, version: int | None, schema: pa.Schema, where: ds.Expression | None) -> pa.Table:
        with delta_errors("reading"):
            try:
                found = DeltaTable(self.uri, version=version, storage_options=self._tables.options)
                return self._dataset(found).to_table(columns=schema.names, filter=where).cast(schema)
            except (DeltaError, FileNotFoundError):  # a purge takes the log of a version, its files, or both
                raise ErasedError(
                    f"version {version} of table {self.contract.name!r} was purged", remedy="read the newest version"
                ) from None

    def _open(self) -> DeltaTable | None:
        try:
            with delta_errors("opening"):
                found = self._tables.take(self.uri)
        except TableNotFoundError:
            return None
        missing_columns(self.contract, schema_of(found))
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
        stored = schema_of(found)
        schema = pa.schema([*stored, *missing_columns(self.contract, stored)])
        return found.to_pyarrow_dataset(filesystem=table_files(self.uri, self._tables.options), schema=schema)

    def _schema(self, columns: Sequence[str] | None) -> pa.Schema:
        schema = self.contract.schema
        return schema if columns is None else pa.schema([schema.field(name) for name in columns])


def schema_of(found: DeltaTable) -> pa.Schema:
    """Return the schema that a table was written in."""
    return pa.schema(found.schema())
