"""Score: what the model says of every reference, from our own model, an ONNX file or a Parquet file."""

from __future__ import annotations

import io
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
from prefect import task

from labelloop.contracts import Refusal
from labelloop.errors import InputError
from labelloop.features import FEATURED
from labelloop.predictions import screen_predictions
from labelloop.summary import Summary
from tasks.artifacts import publish_table
from tasks.clients.lease import Lease
from tasks.clients.models import digest
from tasks.clients.quarantine import quarantine
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.features import version_of
from tasks.media_scoring import media_model
from tasks.models import class_names, read_model_file
from tasks.policies import OUTSIDE
from tasks.predicting import Across, predict, predict_missing
from tasks.runner import on_task_runner
from tasks.stage import finish, stage
from tasks.vector_scoring import vector_model

_KNOWN = ["ref_id", "model_version", "media_version", "created_at", "confidence"]

# References in one part, which one worker holds and one commit writes. Vectors are asked about in larger ones, the
# shards that are sampled from: the lake is read whole for each part, which beside reading media is little.
_READ = 20_000
_ASKED = 5_000


@task(name="score", description="Ask the model about every reference it has not seen", **OUTSIDE)
def score(project: str) -> dict[str, object]:
    """Bring predictions up to date with references and model."""
    with stage(project, "score") as (world, lease):
        return finish(score_references(world, lease, on_task_runner(predict, project)))


def score_references(world: World, lease: Lease, across: Across | None = None) -> Summary:
    """Write what is missing: vectors of media not read yet, and what the model in force says of them.

    Args:
        world: the project's outside.
        lease: held on (project, score).
        across: who works on the parts of a large pool; by default they are done one after the other.

    Raises:
        InputError: the ONNX or Parquet file of the spec cannot be used, or its model gives no probabilities at all;
            the message says why.
    """
    model, notes = world.spec.model, []
    counts = Counter(scored=0, refused=0)
    if model.source == "parquet":
        counts.update(_take_predictions(world, lease, across))
    elif model.preprocessing:
        counts.update(_score_media(world, lease, across))
    else:
        counts.update(_cache_features(world, lease, across))
        opened = vector_model(world)
        if isinstance(opened, str):
            notes.append(opened)
        elif opened:
            rows = world.settings.shard_rows
            found = predict_missing(world, lease, "vectors", version=opened.version, rows=rows, across=across)
            counts.update(scored=found["scored"], refused=found["refused"])
    publish_table("score", [dict(counts)], "What the model said of what it had not seen")
    return Summary(stage="score", counts=dict(counts), notes=tuple(notes))


def _cache_features(world: World, lease: Lease, across: Across | None) -> dict[str, int]:
    """Keep the vectors of media that was not read yet; count what was `read`, was `unreadable`, and was `gone`.

    Media of no use goes to quarantine with its reason and is not read again before it changes.
    """
    if world.spec.interface.media not in FEATURED:
        return {"read": 0, "unreadable": 0, "gone": 0}
    found = predict_missing(world, lease, "features", version=version_of(world), rows=_READ, across=across)
    read = found["scored"] + found["unreadable"]
    return {"read": read, "unreadable": found["unreadable"], "gone": found["gone"]}


def _score_media(world: World, lease: Lease, across: Across | None) -> dict[str, int]:
    """Write what the model says of the media itself; without embeddings of its own, vectors tell what is alike."""
    version, model, _ = media_model(world)
    embeds = model.embeds
    del model  # or it would be held beside those that work
    counts = predict_missing(world, lease, "media", version=version, rows=_ASKED, across=across)
    if not embeds:
        counts.update(read=_cache_features(world, lease, across)["read"])
    return dict(counts)


def _take_predictions(world: World, lease: Lease, across: Across | None) -> dict[str, int]:
    """Write the predictions of the spec's file; without embeddings of its own, vectors tell what is alike."""
    data, media = read_model_file(world), world.spec.media
    file, given = digest(data), _parquet(data)
    screened = screen_predictions(
        given,
        world.table("references").read(),
        world.table("predictions").read(columns=_KNOWN),
        bucket=media.bucket,
        prefix=media.prefix,
        classes=class_names(world),
        version=f"parquet-{file[:16]}",
        at=world.now(),
    )
    # The file's own keys are not kept: it may name what was erased. Its row number tells its owner enough.
    refused = [
        Refusal("predictions", f"{file}/{row}", rule, payload={"file": file, "row": row})
        for row, rule in screened.refused.items()
    ]
    quarantine(world, lease, refused, stage="score")
    unwritten = commit(world, lease, "predictions", screened.rows, stage="score")
    counts = {"scored": screened.rows.num_rows - unwritten, "refused": len(refused) + unwritten}
    if "embedding" not in given.column_names:
        counts |= _cache_features(world, lease, across)
    return counts


def _parquet(data: bytes) -> pa.Table:
    try:
        return pq.read_table(io.BytesIO(data))
    except (pa.ArrowException, OSError):
        raise InputError("model.uri of the spec names no Parquet file", remedy="write it as Parquet") from None
