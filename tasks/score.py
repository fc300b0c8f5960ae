"""Score: what the model says of every reference, from our own model, an ONNX file or a Parquet file."""

from __future__ import annotations

import io
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from prefect import task

from labelloop.contracts import Refusal, contract
from labelloop.errors import InputError
from labelloop.predictions import screen_answers, screen_predictions
from labelloop.summary import Summary
from tasks.artifacts import progress, publish_table
from tasks.clients.lease import Lease
from tasks.clients.models import digest
from tasks.clients.quarantine import quarantine
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.features import cache_features, stored_features, unspoken
from tasks.media_scoring import score_media
from tasks.models import (
    OpenedModel,
    answer_refusals,
    brought_model,
    class_names,
    read_model_file,
    refuse_if_none,
    trained_model,
)
from tasks.policies import OUTSIDE
from tasks.stage import finish, stage

_KNOWN = ["ref_id", "model_version", "media_version", "created_at", "confidence"]


@task(name="score", description="Ask the model about every reference it has not seen", **OUTSIDE)
def score(project: str) -> dict[str, object]:
    """Bring predictions up to date with references and model."""
    with stage(project, "score") as (world, lease):
        return finish(score_references(world, lease))


def score_references(world: World, lease: Lease) -> Summary:
    """Write what is missing: vectors of media not read yet, and what the model in force says of them.

    Raises:
        InputError: the ONNX or Parquet file of the spec cannot be used; the message says why.
    """
    model, notes = world.spec.model, []
    counts = Counter(scored=0, refused=0)
    if model.source == "parquet":
        counts.update(_take_predictions(world, lease))
    elif model.preprocessing:
        counts.update(score_media(world, lease, model.preprocessing))
    else:
        counts.update(cache_features(world, lease))
        opened = _opened(world)
        if isinstance(opened, str):
            notes.append(opened)
        elif opened:
            counts.update(_score_with(world, lease, opened))
    publish_table("score", [dict(counts)], "What the model said of what it had not seen")
    return Summary(stage="score", counts=dict(counts), notes=tuple(notes))


def _opened(world: World) -> OpenedModel | str | None:
    """Return the model over feature vectors, why there is none, or None where the spec wants none."""
    if world.spec.model.source == "trainer":
        return trained_model(world)
    return brought_model(world) if world.spec.model.source == "onnx" else None


def _score_with(world: World, lease: Lease, opened: OpenedModel) -> dict[str, int]:
    todo = unspoken(world, opened.version)
    found, refused = [contract("predictions").schema.empty_table()], []
    with progress(todo.num_rows, "scoring") as bar:
        for rows, vectors in stored_features(world, todo):
            said, unusable = _said(world, opened, rows, vectors)
            found.append(said)
            refused += unusable
            bar.advance(rows.num_rows)
    said = pa.concat_tables(found)
    refuse_if_none(said.num_rows, refused)
    quarantine(world, lease, refused, stage="score")
    unwritten = commit(world, lease, "predictions", said, stage="score")
    return {"scored": said.num_rows - unwritten, "refused": len(refused) + unwritten}


def _said(
    world: World, opened: OpenedModel, rows: pa.Table, vectors: NDArray[np.float32]
) -> tuple[pa.Table, list[Refusal]]:
    probabilities = opened.model.probabilities(vectors)
    said = screen_answers(rows, probabilities, classes=opened.model.classes, version=opened.version, at=world.now())
    return said.rows, answer_refusals(rows, opened.version, said.refused)


def _take_predictions(world: World, lease: Lease) -> dict[str, int]:
    data, media = read_model_file(world), world.spec.media
    try:
        given = pq.read_table(io.BytesIO(data))
    except (pa.ArrowException, OSError):
        raise InputError("model.uri of the spec names no Parquet file", remedy="write it as Parquet") from None
    screened = screen_predictions(
        given,
        world.table("references").read(),
        world.table("predictions").read(columns=_KNOWN),
        bucket=media.bucket,
        prefix=media.prefix,
        classes=class_names(world),
        version=f"parquet-{digest(data)[:16]}",
        at=world.now(),
    )
    # The file's own keys are not kept: it may name what was erased. Its row number tells its owner enough.
    refused = [
        Refusal("predictions", f"{digest(data)}/{row}", rule, payload={"file": digest(data), "row": row})
        for row, rule in screened.refused.items()
    ]
    quarantine(world, lease, refused, stage="score")
    unwritten = commit(world, lease, "predictions", screened.rows, stage="score")
    counts = {"scored": screened.rows.num_rows - unwritten, "refused": len(refused) + unwritten}
    if "embedding" not in given.column_names:
        counts |= cache_features(world, lease)
    return counts
