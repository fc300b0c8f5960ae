"""Upkeep of Delta tables: what their files and log never hold, few files, and none that nobody needs any more.

When a table is kept up, and who has to wait meanwhile, is said in `lake.py`.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import ColumnProperties, DeltaTable, WriterProperties

# Statistics would copy values into the log, where a deletion does not reach them.
PROPERTIES: Final = {
    "delta.dataSkippingNumIndexedCols": "0",
    "delta.logRetentionDuration": "interval 0 days",
    "delta.deletedFileRetentionDuration": "interval 0 days",
}
# What is rewritten whole: dictionaries of numbers and statistics would take a deletion half its time.
REWRITTEN: Final = WriterProperties(
    compression="SNAPPY",
    default_column_properties=ColumnProperties(dictionary_enabled=False, statistics_enabled="NONE"),
)
_SMALL: Final = 16 * 2**20  # bytes; a file of so many is never rewritten for its size
_MANY: Final = 32  # small files; a reader opens each, and tallies count anew what lies in a new one


def compact(found: DeltaTable) -> None:
    """Put many small files together in one commit that changes no row; few, and large ones, stay as they are.

    Readers of the version before go on: its files lie there until they are destroyed.
    """
    sizes = pa.table(found.get_add_actions())["size_bytes"]
    if len(sizes.filter(pc.less(sizes, _SMALL))) > _MANY:
        found.optimize.compact(target_size=_SMALL, writer_properties=REWRITTEN)


def destroy_old(found: DeltaTable) -> int:
    """Destroy every file and log entry that the table's version does not need, and return how many files went."""
    gone = found.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False, full=True)
    found.create_checkpoint()
    found.cleanup_metadata()
    return len(gone)


def count_old(found: DeltaTable) -> int:
    """Return how many files the table's version does not need."""
    return len(found.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=True, full=True))
