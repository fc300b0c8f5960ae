"""A reference file as a source: the objects another job brought in, with whose they are and where they came from.

The file says which objects count and their ids; the live bucket says what they are now. No platform is ever called.
"""

from __future__ import annotations

import csv
import json
import logging
import tempfile
from collections.abc import Iterable, Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from labelloop.errors import ErasedError, InputError
from labelloop.reference_rows import COLUMNS, ROWS, ReferenceRows
from labelloop.spec.media import Media
from labelloop.sql import workspace
from tasks.clients.media_store import MediaStore
from tasks.clients.s3 import split_uri

_log = logging.getLogger(__name__)
_BATCH = 50_000  # rows
_MEMORY_MIB = 1_000  # what is beyond goes to the temporary folder


def reference_listing(store: MediaStore, media: Media, present: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the present objects that the reference file names, with `subject` and `source` in clear text.

    Args:
        store: where the file lies.
        media: the source, with the address of the file: .parquet, .csv or .jsonl.
        present: the live listing of the source's bucket and prefix.

    Raises:
        InputError: the file is not there, cannot be read, has other columns, or has rows that cannot be used.
    """
    # The folder is readable by this user only and holds ids: it goes with the run.
    with tempfile.TemporaryDirectory(prefix="labelloop-references-") as folder:
        file = _fetched(store, str(media.source.uri), Path(folder))
        with workspace(folder, _MEMORY_MIB) as db:
            rows = ReferenceRows(db, media)
            for part in _rows_in(file):
                rows.take(part)
            rows.check()
            for batch in present:
                rows.listed(batch)
            yield from rows.named()
            if absent := rows.absent():
                _log.warning("%d of the objects that the reference file names are not in the bucket", absent)


def _fetched(store: MediaStore, uri: str, folder: Path) -> Path:
    bucket, key = split_uri(uri)
    file = folder / f"file{Path(key).suffix.lower()}"
    if file.suffix not in _READERS:
        raise InputError(f"a reference file ends with {file.suffix!r}", remedy=f"give one of {sorted(_READERS)}")
    with file.open("wb") as copy:
        try:
            copy.writelines(store.pieces(bucket, key))
        except ErasedError:
            raise InputError("the reference file is not there", remedy="mend media.source.uri") from None
    return file


def _rows_in(file: Path) -> Iterator[pa.Table]:
    try:
        yield from _READERS[file.suffix](file)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError) as error:
        raise InputError(
            f"the reference file cannot be read as {file.suffix[1:]} ({type(error).__name__})",
            remedy="write it again",
        ) from None


def _parquet(file: Path) -> Iterator[pa.Table]:
    table = pq.ParquetFile(file)
    columns, numbers = _known(table.schema_arrow.names), count(1)
    for batch in table.iter_batches(_BATCH, columns=columns):
        yield _rows({name: batch.column(name).cast(pa.string()) for name in columns}, batch.num_rows, numbers)


def _csv(file: Path) -> Iterator[pa.Table]:
    with file.open(encoding="utf-8-sig", newline="") as text:
        columns = _known([name.strip() for name in next(csv.reader(text), [])])
    torn: dict[int, None] = {}

    def note(row: Any) -> str:
        torn[row.number - 1] = None
        return "skip"

    batches = pa_csv.open_csv(
        file,
        read_options=pa_csv.ReadOptions(column_names=columns, skip_rows=1, use_threads=False),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=note),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=True, null_values=[""]
        ),
    )
    numbers = (number for number in count(1) if number not in torn)
    for batch in batches:
        yield _rows({name: batch.column(name) for name in columns}, batch.num_rows, numbers)
    unreadable = ["the row has another number of fields than the header"] * len(torn)
    yield _rows({"unreadable": pa.array(unreadable, pa.string())}, len(torn), iter(torn))


def _jsonl(file: Path) -> Iterator[pa.Table]:
    with file.open(encoding="utf-8") as lines:
        numbered = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
        while part := list(islice(numbered, _BATCH)):
            yield pa.Table.from_pylist([{"number": number, **_object(line)} for number, line in part], schema=ROWS)


def _object(line: str) -> dict[str, str | None]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {"unreadable": "the line is no JSON"}
    if not isinstance(found, dict):
        return {"unreadable": "the line is no JSON object"}
    if not found.keys() <= set(COLUMNS):
        return {"unreadable": f"the line has other fields than {', '.join(COLUMNS)}"}
    if "metadata" in found and found["metadata"] is not None:
        found["metadata"] = json.dumps(found["metadata"])
    if any(isinstance(value, bool) or not isinstance(value, str | int | None) for value in found.values()):
        return {"unreadable": "a field is neither text nor a whole number"}
    return {name: None if value is None else str(value) for name, value in found.items()}


def _known(columns: list[str]) -> list[str]:
    unknown = sorted(set(columns) - set(COLUMNS))
    if unknown or "uri" not in columns or len(set(columns)) < len(columns):
        raise InputError(
            f"the reference file has {len(columns)} columns, of which {len(unknown)} have no meaning here",
            remedy=f"give uri and any of {', '.join(COLUMNS[1:])}, each once",
        )
    return columns


def _rows(columns: dict[str, Any], size: int, numbers: Iterator[int]) -> pa.Table:
    given = {"number": pa.array(list(islice(numbers, size)), pa.int64()), **columns}
    return pa.table([given.get(f.name, pa.nulls(size, f.type)) for f in ROWS], schema=ROWS)


_READERS = {".parquet": _parquet, ".csv": _csv, ".jsonl": _jsonl}
