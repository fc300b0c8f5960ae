"""The rows of an S3 Inventory data file: Parquet or gzipped CSV, as batches of the LISTING schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any
from urllib.parse import unquote_plus

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from labelloop.errors import InputError
from tasks.clients.listing import LISTING

_BATCH = 65_536  # rows of a Parquet file
_BLOCK = 1 << 22  # bytes of a CSV
# Our name of each field; Parquet and CSV spell them in two ways.
_FIELDS = {
    "key": "key",
    "size": "size",
    "etag": "etag",
    "lastmodifieddate": "last_modified",
    "versionid": "version_id",
    "islatest": "is_latest",
    "isdeletemarker": "is_delete_marker",
}
_CONFIGURABLE = {"size": "Size", "etag": "ETag", "last_modified": "Last modified", "key": "Key"}


def rows_of(file: IO[bytes], file_format: str, file_schema: str, prefix: str, which: str) -> Iterator[pa.RecordBatch]:
    """Yield the present objects below the prefix; older versions and delete markers are left out.

    Args:
        file: the data file.
        file_format: as the manifest says.
        file_schema: as the manifest says; the columns of a CSV, which has no header.
        prefix: only keys that start with it.
        which: how to call the file in messages.

    Raises:
        InputError: another format, a field that sync needs is not in the inventory, or the file cannot be read.
    """
    if file_format not in ("CSV", "Parquet"):
        raise InputError(
            f"the inventory is written as {file_format}", remedy="choose Apache Parquet or CSV in its configuration"
        )
    try:
        batches = _parquet(file) if file_format == "Parquet" else _csv(file, file_schema)
        for batch in batches:
            yield _present(batch, prefix, encoded=file_format == "CSV")
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(
            f"{which} cannot be read as {file_format} ({type(error).__name__})", remedy="wait for the next delivery"
        ) from None


def _parquet(file: IO[bytes]) -> Iterator[pa.RecordBatch]:
    table = pq.ParquetFile(file)
    names = _ours(table.schema_arrow.names)
    for batch in table.iter_batches(_BATCH, columns=list(names)):
        yield batch.rename_columns([names[name] for name in batch.schema.names])


def _csv(file: IO[bytes], file_schema: str) -> Iterator[pa.RecordBatch]:
    columns = [name.strip() for name in file_schema.split(",")]
    names = _ours(columns)
    with pa.input_stream(file, compression="gzip") as text:
        yield from pa_csv.open_csv(
            text,
            read_options=pa_csv.ReadOptions(column_names=[names.get(c, c) for c in columns], block_size=_BLOCK),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names.values(), pa.string()),
                include_columns=list(names.values()),
                strings_can_be_null=True,
                null_values=[""],  # by default a key called NA would be null
            ),
        )


def _ours(columns: list[str]) -> dict[str, str]:
    """Return our name for each column that matters."""
    names = {column: _FIELDS.get(column.lower().replace("_", "")) for column in columns}
    lacking = [shown for field, shown in _CONFIGURABLE.items() if field not in names.values()]
    if lacking:
        raise InputError(f"the inventory lacks the fields {lacking}", remedy="add them to its configuration")
    return {column: name for column, name in names.items() if name}


def _present(batch: pa.RecordBatch, prefix: str, *, encoded: bool) -> pa.RecordBatch:
    rows = {name: batch.column(name) for name in batch.schema.names}
    missing = pa.nulls(batch.num_rows, pa.string())
    latest = pc.fill_null(_flag(rows.get("is_latest", missing)), True)
    marker = pc.fill_null(_flag(rows.get("is_delete_marker", missing)), False)
    table = pa.table({**rows, "version_id": rows.get("version_id", missing)})
    kept = _those(table, pc.and_not(latest, marker))
    keys = kept["key"].cast(pa.string())
    if encoded:
        keys = pa.chunked_array([[unquote_plus(key) for key in keys.to_pylist()]], pa.string())
    versions = kept["version_id"].cast(pa.string())
    known = pc.and_(pc.not_equal(versions, "null"), pc.not_equal(versions, ""))
    found = pa.Table.from_arrays(
        [
            keys,
            kept["size"].cast(pa.int64()),
            pc.utf8_trim(kept["etag"].cast(pa.string()), '"'),
            pc.if_else(known, versions, None),
            _utc(kept["last_modified"]),
        ],
        schema=LISTING,
    )
    listed = _those(found, pc.starts_with(keys, pattern=prefix))
    if any(listed[field.name].null_count for field in LISTING if not field.nullable):
        raise pa.ArrowInvalid("a present object lacks key, size, entity tag or time")
    return listed.combine_chunks().to_batches()[0] if listed.num_rows else LISTING.empty_table().to_batches()[0]


def _those(rows: pa.Table, wanted: Any) -> pa.Table:
    return rows if pc.all(wanted).as_py() else rows.filter(wanted)  # which copies every row


def _flag(values: Any) -> Any:
    """Return true and false, which a CSV spells out."""
    return values if pa.types.is_boolean(values.type) else pc.equal(pc.utf8_lower(values), "true")


def _utc(times: Any) -> Any:
    if pa.types.is_timestamp(times.type) and times.type.tz is None:
        times = pc.assume_timezone(times, "UTC")
    return times.cast(pa.timestamp("us", tz="UTC"))
