"""Scores: which references still lack a prediction, and predictions as rows of their contract.

Predictions that others bring are judged in `predictions.py`; what they are worth to a batch, in
`labelloop.acquisition`. Reading media and running models is the business of `tasks/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.contracts import contract
from labelloop.sql import session
from labelloop.vectors import lists_of, matrix

_WAITING = """
SELECT r.ref_id, r.key, r.media_version
FROM refs r
WHERE r.state = 'active' AND r.bucket = $bucket AND starts_with(r.key, $prefix)
  AND NOT EXISTS (SELECT 1 FROM present p WHERE p.ref_id = r.ref_id AND p.model_version = $model
                  AND p.media_version = r.media_version)
ORDER BY r.ref_id
"""


def waiting(references: pa.Table, predictions: pa.Table, *, bucket: str, prefix: str, model: str) -> pa.Table:
    """Return the active references of a source about whose present bytes a model has said nothing yet.

    Args:
        references: rows of the contract `references`.
        predictions: at least `ref_id, model_version, media_version` of the contract `predictions`.
        bucket: the source's bucket.
        prefix: the source's prefix.
        model: version of the model or feature extractor.

    Returns:
        `ref_id, key, media_version`, by ref_id.
    """
    with session() as db:
        db.register("refs", references)
        db.register("present", predictions)
        given = {"bucket": bucket, "prefix": prefix, "model": model}
        return db.sql(_WAITING, params=given).to_arrow_table()


def embedding_rows(
    references: pa.Table, vectors: Sequence[NDArray[np.float32] | None], *, version: str, at: datetime
) -> pa.Table:
    """Return rows of the contract `predictions` that hold nothing but an embedding.

    Args:
        references: `ref_id, media_version` of what was read.
        vectors: one for each; None where the media could not be read, which is remembered as an empty embedding so
            that it is not read again before it changes.
        version: of the feature extractor.
        at: when they were made.
    """
    embedding = pa.array(list(vectors), pa.list_(pa.float32()))
    return answer_rows(references, {"embedding": embedding}, version=pa.repeat(version, len(embedding)), at=at)


def prediction_rows(
    references: pa.Table,
    probabilities: NDArray[np.floating],
    *,
    classes: Sequence[str],
    version: pa.Array,
    at: datetime,
    embedding: pa.ChunkedArray | pa.Array | None = None,
) -> pa.Table:
    """Return rows of the contract `predictions` for class probabilities.

    Args:
        references: `ref_id, media_version` of what was scored.
        probabilities: (n, k), one row for each reference.
        classes: the k classes in the order of the columns; of equally probable ones the first is predicted.
        version: model version of each row.
        at: when they were made.
        embedding: one vector for each, if the model gave any.
    """
    columns = class_columns(probabilities, classes)
    if embedding is not None:
        columns["embedding"] = embedding
    return answer_rows(references, columns, version=version, at=at)


def class_columns(probabilities: NDArray[np.floating], classes: Sequence[str]) -> dict[str, pa.Array]:
    """Return class probabilities (n, k) as columns of the contract `predictions`.

    >>> class_columns(np.array([[0.25, 0.75]]), ["cat", "dog"])["predicted"].to_pylist()
    ['dog']
    """
    best = probabilities.argmax(axis=1) if len(probabilities) else np.empty(0, dtype=np.int64)
    return {
        "predicted": pa.array(list(classes), pa.string()).take(pa.array(best)),
        "confidence": pa.array(probabilities.max(axis=1, initial=0.0).clip(0, 1), pa.float64()),
        "classes": pa.array([list(classes)] * len(best), pa.list_(pa.string())),
        "probabilities": lists_of(probabilities).cast(pa.list_(pa.float64())),
    }


def answer_rows(
    references: pa.Table, columns: Mapping[str, pa.Array], *, version: pa.Array, at: datetime
) -> pa.Table:
    """Return rows of the contract `predictions`; columns that are not given are empty.

    Args:
        references: `ref_id, media_version` of what was scored.
        columns: what was said, by column of the contract.
        version: model version of each row.
        at: when it was said.
    """
    n, schema = references.num_rows, contract("predictions").schema
    same = {
        "ref_id": references["ref_id"],
        "media_version": references["media_version"],
        "model_version": version,
        "created_at": pa.repeat(pa.scalar(at, pa.timestamp("us", "UTC")), n),
    }
    empty = {f.name: pa.nulls(n, f.type) for f in schema}
    return pa.table({**empty, **columns, **same}).select(schema.names).cast(schema)


def vectors_for(wanted: pa.Table, stored: pa.Table, version: str) -> tuple[pa.Table, NDArray[np.float32]]:
    """Return which of the wanted references have a stored vector of their present bytes, and the vectors.

    Args:
        wanted: `ref_id, media_version`, one row for each reference.
        stored: `ref_id, model_version, media_version, embedding` of the contract `predictions`.
        version: of the feature extractor.

    Returns:
        The rows of `stored` that fit, and their vectors, (n, width).
    """
    place = pc.index_in(stored["ref_id"], wanted["ref_id"].combine_chunks())
    fits = pc.and_(
        pc.and_(pc.equal(stored["model_version"], version), pc.is_valid(stored["embedding"])),
        pc.equal(stored["media_version"], wanted["media_version"].take(place)),
    )
    found = stored.filter(pc.fill_null(fits, False))
    return found, matrix(found["embedding"]).values.astype(np.float32, copy=False)
