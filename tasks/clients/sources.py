"""Where references come from, whatever the spec says: one listing, and the ids of what arrives."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.identifiers import ids_in_keys, source_ids
from labelloop.spec.media import IdPlace
from tasks.clients.inventory import inventory_listing
from tasks.clients.listing import LISTING
from tasks.clients.world import World

# Ids are clear text and live in memory only; null where the source does not know them.
SOURCED = pa.schema([*LISTING, pa.field("subject", pa.string()), pa.field("source", pa.string())])


def listing(world: World) -> Iterator[pa.RecordBatch]:
    """Yield the present objects of the project's source in batches of the SOURCED schema, in no order.

    Raises:
        InputError: the bucket, inventory or reference file is not there or cannot be used.
    """
    for batch in _present(world):
        unknown = pa.nulls(batch.num_rows, pa.string())
        yield pa.RecordBatch.from_arrays([*batch.columns, unknown, unknown], schema=SOURCED)


def _present(world: World) -> Iterator[pa.RecordBatch]:
    media = world.spec.media
    if media.source.kind == "inventory":
        return inventory_listing(world.media, media, world.now())
    return world.media.list(media.bucket, media.prefix)


def identified(world: World, arriving: pa.Table) -> pa.Table:
    """Return the rows with `subject` and `source` filled in from where the spec says the ids are written.

    Args:
        world: the project's outside.
        arriving: rows with `key` and, if the listing gave them, `subject` and `source`, which are kept.

    Returns:
        The same rows in the same order; null where an object has no such id.
    """
    media, keys = world.spec.media, arriving["key"].to_pylist()
    subjects = _written(media.subject_id, keys)
    sources = source_ids(media.platform_id.platform, _written(media.platform_id, keys)) if media.platform_id else None
    return _filled(_filled(arriving, "subject", subjects), "source", sources or [None] * len(keys))


def _written(place: IdPlace | None, keys: list[str]) -> list[str | None]:
    return ids_in_keys(keys, place.key, group=place.group) if place else [None] * len(keys)


def _filled(rows: pa.Table, name: str, ids: list[str | None]) -> pa.Table:
    found = pa.chunked_array([pa.array(ids, pa.string())])
    if name not in rows.column_names:
        return rows.append_column(name, found)
    known = rows[name]
    return rows.set_column(rows.column_names.index(name), name, pc.coalesce(known, found))
