"""Where references come from, whatever the spec says: one listing, and the ids of what arrives."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.identifiers import source_ids
from tasks.clients.inventory import inventory_listing
from tasks.clients.listing import LISTING
from tasks.clients.reference_file import reference_listing
from tasks.clients.world import World
from tasks.clients.written_ids import written_ids

# Ids are clear text and live in memory only; null where the source does not know them.
SOURCED = pa.schema([*LISTING, pa.field("subject", pa.string()), pa.field("source", pa.string())])


def listing(world: World) -> Iterator[pa.RecordBatch]:
    """Yield the present objects of the project's source in batches of the SOURCED schema, in no order.

    Raises:
        InputError: the bucket, inventory or reference file is not there or cannot be used.
    """
    for batch in _found(world):
        known = {name: batch.column(name) for name in batch.schema.names}
        columns = [known.get(field.name, pa.nulls(batch.num_rows, field.type)).cast(field.type) for field in SOURCED]
        yield pa.RecordBatch.from_arrays(columns, schema=SOURCED)


def _found(world: World) -> Iterator[pa.RecordBatch]:
    media = world.spec.media
    if media.source.kind == "inventory":
        return inventory_listing(world.media, media, world.now())
    present = world.media.list(media.bucket, media.prefix)
    return reference_listing(world.media, media, present) if media.source.kind == "reference_file" else present


def identified(world: World, arriving: pa.Table) -> pa.Table:
    """Return the rows with `subject` and `source` filled in from where the spec says the ids are written.

    Args:
        world: the project's outside.
        arriving: rows with `key`, `subject` and `source`; ids that the listing gave are kept.

    Returns:
        The same rows in the same order, null where an object has no such id, with `lacks_id`: whether the object has
        to wait for an id that should be there.
    """
    media, keys = world.spec.media, arriving["key"].to_pylist()
    subjects = written_ids(world.media, media.bucket, keys, media.subject_id)
    found = written_ids(world.media, media.bucket, keys, media.platform_id)
    platform = media.platform_id.platform if media.platform_id else ""
    sources = zip(source_ids(platform, [one for one, _ in found]), (lacking for _, lacking in found), strict=True)
    lacks = pa.nulls(arriving.num_rows, pa.bool_())
    for name, written in (("subject", subjects), ("source", list(sources))):
        ids, lacking = ([row[part] for row in written] for part in (0, 1))
        known = arriving[name].combine_chunks()
        lacks = pc.or_(pc.fill_null(lacks, False), pc.and_(pc.is_null(known), pa.array(lacking, pa.bool_())))
        filled = pc.coalesce(known, pa.array(ids, pa.string()))
        arriving = arriving.set_column(arriving.column_names.index(name), name, filled)
    return arriving.append_column("lacks_id", lacks)
