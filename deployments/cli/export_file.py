"""A JSON export of Label Studio as a file, read by DuckDB in passing: its annotations are never held together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from labelloop.conversion import ANNOTATIONS
from labelloop.errors import InputError

_ROWS: Final = 4096  # annotations held at a time
_GLANCE: Final = 4096  # bytes that tell an array from nothing at all
_RECORD: Final = re.compile(r"record/value (\d+)")


def annotations_in(export: Path) -> Iterator[pa.Table]:
    """Yield the annotations of an export, in its order, as `Conversion.read` takes them.

    Memory is bounded by the largest tasks, not by the file.

    Raises:
        InputError: no such file, or it is no whole JSON array of tasks. That may come to light after much of it.
    """
    try:
        with export.open("rb") as file, duckdb.connect(config={"threads": 2}) as db:
            if not file.read(_GLANCE).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
                raise _no_export(export)
            db.execute("SET TimeZone = 'UTC'")
            # By its number: DuckDB would take a name with a star for a pattern, and one with a colon for an address.
            found = db.sql(ANNOTATIONS, params={"export": f"/dev/fd/{file.fileno()}"})
            for batch in found.to_arrow_reader(_ROWS):
                yield pa.Table.from_batches([batch])
    except (duckdb.Error, OSError) as error:
        raise _unreadable(export, error) from None


def _unreadable(export: Path, error: Exception) -> InputError:
    """Say what is wrong with the file; DuckDB's own words would quote it."""
    if isinstance(error, OSError) and error.strerror:
        return InputError(f"{export} cannot be read ({error.strerror.lower()})", remedy="name a file that can")
    record = _RECORD.search(str(error))
    return _no_export(export, f", from task {record[1]} on" if record else "")


def _no_export(export: Path, where: str = "") -> InputError:
    what = f"{export} is no JSON export of Label Studio{where}"
    return InputError(what, remedy="export again, in the format called JSON")
