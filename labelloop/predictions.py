"""Predictions that others bring: which can be believed, and by which rule the others are refused.

Rows of our own models are made in `score.py`; reading the file is the business of `tasks/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.acquisition.probabilities import RULES, screen
from labelloop.answers import read_answers
from labelloop.errors import InputError
from labelloop.score import answer_rows, prediction_rows
from labelloop.sql import session
from labelloop.vectors import lists_of, matrix


@dataclass(frozen=True)
class Screened:
    """What is left of given predictions: `rows` of the contract, and the rule each refused row number broke."""

    rows: pa.Table
    refused: dict[int, str]
    present: int


# Of every given row: whose it is, whether others say the same, and what the lake already holds of it.
# A model version is superseded once another was first heard of later.
_LOCATED = """
WITH heard AS (SELECT model_version, min(created_at) AS since FROM present WHERE confidence IS NOT NULL GROUP BY ALL)
SELECT g.row, r.ref_id, r.media_version, g.model_version,
       count(*) OVER (PARTITION BY r.ref_id, g.model_version) > 1 AS twice,
       coalesce(g.media_version, p.media_version, r.media_version) <> r.media_version AS stale,
       h.since < (SELECT max(since) FROM heard) AS superseded,
       p.media_version IS NOT NULL AND p.media_version = r.media_version AS present
FROM given g
LEFT JOIN heard h ON h.model_version = g.model_version
LEFT JOIN refs r ON {join} AND r.state = 'active' AND r.bucket = $bucket AND starts_with(r.key, $prefix)
LEFT JOIN present p ON p.ref_id = r.ref_id AND p.model_version = g.model_version
ORDER BY g.row
"""


def screen_predictions(
    given: pa.Table,
    references: pa.Table,
    predictions: pa.Table,
    *,
    bucket: str,
    prefix: str,
    classes: Sequence[str],
    version: str,
    at: datetime,
) -> Screened:
    """Return the given predictions that can be believed, and by which rule the others were refused.

    A row is refused by the first rule it breaks: `missing_model_version`, `unknown_reference`, `duplicate` (every row
    of the pair reference and model version), `stale_media_version` (it names another media version, or was taken in
    before the media changed), `stale_model_version` (another model was first heard of later), those of
    `labelloop.answers`, `unusable_embedding` (another length than most, or not finite). A row that is in the lake
    already is neither accepted nor refused.

    Args:
        given: `ref_id` or `key`, what `labelloop.answers.read_answers` takes, optionally `embedding`,
            `model_version`, `media_version`.
        references: rows of the contract `references`.
        predictions: at least `ref_id, model_version, media_version, created_at, confidence` of the contract
            `predictions`.
        bucket: the source's bucket.
        prefix: the source's prefix.
        classes: what the probabilities stand for, in their order, or the labels regions may have.
        version: model version of rows that name none because there is no such column.
        at: when they are taken in.

    Raises:
        InputError: there is neither `ref_id` nor `key`, or not one kind of answer, or a column is of a wrong type.
    """
    located = _locate(_shaped(given, version), references, predictions, bucket=bucket, prefix=prefix)
    said, broken = read_answers(given, classes)
    embedding = given["embedding"] if "embedding" in given.column_names else None
    refused = _first_broken(
        {
            "missing_model_version": pc.is_null(located["model_version"]),
            "unknown_reference": pc.is_null(located["ref_id"]),
            "duplicate": located["twice"],
            "stale_media_version": pc.fill_null(located["stale"], False),
            "stale_model_version": pc.and_(pc.fill_null(located["superseded"], False), pc.invert(located["present"])),
            **broken,
            "unusable_embedding": _unusable(embedding, given.num_rows),
        }
    )
    good = np.ones(given.num_rows, dtype=bool)
    good[list(refused)] = False
    known = good & np.asarray(located["present"])
    new = pa.array(np.flatnonzero(good & ~known))
    columns = {name: column.take(new) for name, column in said.items()}
    if embedding is not None:
        columns["embedding"] = embedding.take(new)
    rows = answer_rows(located.take(new), columns, version=located["model_version"].take(new), at=at)
    return Screened(rows, refused, int(known.sum()))


def screen_answers(
    references: pa.Table,
    probabilities: NDArray[np.floating],
    *,
    classes: Sequence[str],
    version: str,
    at: datetime,
    embedding: NDArray[np.floating] | None = None,
) -> Screened:
    """Return what a model just said, as rows, and by which rule of `probabilities` the others were refused.

    Args:
        references: `ref_id, media_version` of what was scored.
        probabilities: (n, k) as the model gave them.
        classes: what they stand for, in their order.
        version: of the model.
        at: when it spoke.
        embedding: (n, width) finite, if it gave any.
    """
    screening = screen(probabilities, n_classes=len(classes))
    kept = np.flatnonzero(screening.accepted)
    rows = prediction_rows(
        references.take(pa.array(kept)),
        probabilities[kept],
        classes=classes,
        version=pa.repeat(version, len(kept)),
        at=at,
        embedding=None if embedding is None else lists_of(embedding[kept]).cast(pa.list_(pa.float32())),
    )
    return Screened(rows, {int(row): RULES[screening.codes[row] - 1] for row in np.flatnonzero(screening.codes)}, 0)


def _first_broken(masks: dict[str, object]) -> dict[int, str]:
    """Return, by row number, the first rule in the order of `masks` that the row breaks."""
    refused: dict[int, str] = {}
    for rule, mask in masks.items():
        for row in np.flatnonzero(np.asarray(mask)):
            refused.setdefault(int(row), rule)
    return dict(sorted(refused.items()))


def _shaped(given: pa.Table, version: str) -> pa.Table:
    names = set(given.column_names)
    if not names & {"ref_id", "key"}:
        raise InputError(f"the predictions have the columns {sorted(names)}", remedy="give ref_id or key")
    text = [name for name in ("ref_id", "key", "model_version", "media_version") if name in names]
    try:
        columns = {name: given[name].cast(pa.string()) for name in text}
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise InputError(f"the columns {text} of the predictions are not text", remedy="write them as text") from None
    columns.setdefault("model_version", pa.repeat(version, given.num_rows))
    columns.setdefault("media_version", pa.nulls(given.num_rows, pa.string()))
    return pa.table({"row": pa.array(np.arange(given.num_rows)), **columns})


def _locate(given: pa.Table, references: pa.Table, predictions: pa.Table, *, bucket: str, prefix: str) -> pa.Table:
    join = "r.ref_id = g.ref_id" if "ref_id" in given.column_names else "r.key = g.key"
    with session() as db:
        db.register("given", given)
        db.register("refs", references)
        db.register("present", predictions)
        return db.sql(_LOCATED.format(join=join), params={"bucket": bucket, "prefix": prefix}).to_arrow_table()


def _unusable(embedding: pa.ChunkedArray | None, rows: int) -> NDArray[np.bool_]:
    if embedding is None:
        return np.zeros(rows, dtype=bool)
    values, missing, misshapen = matrix(embedding)
    infinite = ~missing & ~np.isfinite(values.sum(axis=1, dtype=np.float64))
    mask: NDArray[np.bool_] = misshapen | infinite
    return mask
