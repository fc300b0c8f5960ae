"""Feature vectors of media, made once for each media version and kept in the lake.

They lie in `predictions` under the version of the extractor, so that no stage reads the same bytes twice. They
are written in `predicting.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.contracts import Refusal, contract
from labelloop.errors import InputError
from labelloop.features import extract, features_version
from labelloop.score import embedding_rows, vectors_for, waiting
from tasks.clients.world import World
from tasks.parts import Predicted, Range

_STORED = ["ref_id", "model_version", "media_version", "embedding"]


def version_of(world: World) -> str:
    """Return the version of the extractor that the spec declares."""
    return features_version(world.spec.interface.media, world.spec.model.features)


def unspoken(world: World, model: str, within: Range | None = None) -> pa.Table:
    """Return `ref_id, key, media_version` of the active references, in a range, a model has not spoken of yet."""
    where, media = within and within.condition, world.spec.media
    known = world.table("predictions").read(columns=["ref_id", "model_version", "media_version"], where=where)
    references = world.table("references").read(where=where)
    return waiting(references, known, bucket=media.bucket, prefix=media.prefix, model=model)


def read_features(world: World, within: Range, advance: Callable[[int], None]) -> Predicted:
    """Return the vectors of media in a range that was not read yet.

    Args:
        world: the project's outside.
        within: which references.
        advance: told of each object that was read.
    """
    spec, unread = world.spec, list[Refusal]()
    todo = unspoken(world, version_of(world), within)
    rows = {row["key"]: row for row in todo.to_pylist()}
    vectors: dict[str, NDArray[np.float32] | None] = {}
    for key, data in world.media.read_many(spec.media.bucket, list(rows)):
        try:
            vectors[key] = extract(spec.interface.media, data, spec.model.features)
        except InputError as error:
            vectors[key] = None
            unread.append(unreadable(rows[key], str(error)))
        advance(1)
    read = todo.filter(pc.is_in(todo["key"], value_set=pa.array(list(vectors), pa.string())))
    ordered = [vectors[key] for key in read["key"].to_pylist()]
    made = embedding_rows(read, ordered, version=version_of(world), at=world.now())
    return Predicted(made, unread, [], gone=todo.num_rows - read.num_rows)


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
