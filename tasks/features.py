"""Feature vectors of media, made once for each media version and kept in the lake.

They lie in `predictions` under the version of the extractor, so that no stage reads the same bytes twice.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.contracts import Refusal, contract
from labelloop.errors import InputError
from labelloop.features import extract, features_version
from labelloop.score import embedding_rows, vectors_for, waiting
from tasks.artifacts import Progress, progress
from tasks.clients.lease import Lease
from tasks.clients.quarantine import quarantine
from tasks.clients.world import World
from tasks.contracts import commit

# Bounds memory, and how much reading a killed run has to repeat.
_ROWS = 20_000
_STORED = ["ref_id", "model_version", "media_version", "embedding"]


def version_of(world: World) -> str:
    """Return the version of the extractor that the spec declares."""
    return features_version(world.spec.interface.media, world.spec.model.features)


def unspoken(world: World, model: str) -> pa.Table:
    """Return `ref_id, key, media_version` of the active references a model has not spoken of yet."""
    known = world.table("predictions").read(columns=["ref_id", "model_version", "media_version"])
    media = world.spec.media
    return waiting(world.table("references").read(), known, bucket=media.bucket, prefix=media.prefix, model=model)


def cache_features(world: World, lease: Lease) -> dict[str, int]:
    """Read the media that was not read yet and keep its vectors.

    Media of no use goes to quarantine with its reason and is not read again before it changes.

    Returns:
        How many objects were `read`, were `unreadable`, and were `gone` from the bucket.
    """
    todo = unspoken(world, version_of(world))
    counts = {"read": 0, "unreadable": 0, "gone": 0}
    with progress(todo.num_rows, "reading media") as bar:
        for start in range(0, todo.num_rows, _ROWS):
            part = todo.slice(start, _ROWS)
            read, unreadable = _cache_part(world, lease, part, bar)
            counts["read"] += read
            counts["unreadable"] += unreadable
            counts["gone"] += part.num_rows - read
    return counts


def _cache_part(world: World, lease: Lease, part: pa.Table, bar: Progress) -> tuple[int, int]:
    spec, refused = world.spec, []
    rows = {row["key"]: row for row in part.to_pylist()}
    vectors: dict[str, NDArray[np.float32] | None] = {}
    for key, data in world.media.read_many(spec.media.bucket, list(rows)):
        try:
            vectors[key] = extract(spec.interface.media, data, spec.model.features)
        except InputError as error:
            vectors[key] = None
            refused.append(unreadable(rows[key], str(error)))
        bar.advance()
    quarantine(world, lease, refused, stage="score")
    read = part.filter(pc.is_in(part["key"], value_set=pa.array(list(vectors), pa.string())))
    ordered = [vectors[key] for key in read["key"].to_pylist()]
    commit(
        world,
        lease,
        "predictions",
        embedding_rows(read, ordered, version=version_of(world), at=world.now()),
        stage="score",
    )
    return len(vectors), len(refused)


def unreadable(row: dict[str, str], reason: str) -> Refusal:
    """Return what is kept of media that cannot be read; `row` has `ref_id` and `media_version`."""
    return Refusal("references", f"{row['ref_id']}/{row['media_version']}", reason, payload={"ref_id": row["ref_id"]})


def stored_features(world: World, wanted: pa.Table) -> Iterator[tuple[pa.Table, NDArray[np.float32]]]:
    """Yield the kept vectors of the wanted references part by part, with the rows they belong to.

    Args:
        world: the project's outside.
        wanted: `ref_id, media_version`; a vector of another media version is not given out.
    """
    schema = pa.schema([contract("predictions").schema.field(name) for name in _STORED])
    for batch in world.table("predictions").batches(columns=_STORED):
        found, vectors = vectors_for(wanted, pa.Table.from_batches([batch]).cast(schema), version_of(world))
        if found.num_rows:
            yield found, vectors


def features_of(world: World, rows: pa.Table) -> tuple[pa.Table, NDArray[np.float32]]:
    """Return the rows whose media has a vector, in their order, and the vectors.

    Args:
        world: the project's outside.
        rows: at least `ref_id, media_version`, one row for each reference.
    """
    parts = list(stored_features(world, rows.select(["ref_id", "media_version"])))
    if not parts:
        return rows.slice(0, 0), np.empty((0, 0), dtype=np.float32)
    stored = pa.concat_arrays([chunk for found, _ in parts for chunk in found["ref_id"].chunks])
    place = pc.index_in(rows["ref_id"], stored)
    vectors = np.concatenate([part for _, part in parts])
    return rows.filter(pc.is_valid(place)), vectors[place.drop_null().to_numpy()]
