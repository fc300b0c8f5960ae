"""Scoring by a model that reads the media itself: batch by batch from the bucket, so that memory stays bounded.

How media becomes what the model takes is decided in `labelloop.preprocessing`; no tensor is kept. Models over our own
feature vectors are asked in `score.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.contracts import Refusal, contract
from labelloop.errors import InputError
from labelloop.predictions import screen_answers
from labelloop.preprocessing import Prepared, prepare, preprocessing_version
from labelloop.score import embedding_rows
from labelloop.spec.preprocessing import Preprocessing
from tasks.artifacts import Progress, progress
from tasks.clients.lease import Lease
from tasks.clients.media_model import MediaModel
from tasks.clients.models import model_version
from tasks.clients.quarantine import quarantine
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.features import cache_features, unreadable, unspoken
from tasks.models import answer_refusals, class_names, read_model_file, refuse_if_none

# One commit each; bounds how much a killed run has to repeat.
_ROWS = 5_000

# The key of an object, and what the model takes or the reason why it cannot be read.
Read = tuple[str, Prepared | InputError]


def score_media(world: World, lease: Lease, declared: Preprocessing) -> dict[str, int]:
    """Write what the spec's model says of the media it has not read yet, and its embeddings if it gives any.

    Media that cannot be read goes to quarantine with its reason and is not read again before it changes. Without
    embeddings of its own, the spec's feature vectors tell how alike media are.

    Returns:
        How many objects were `scored`, how many answers `refused`, and how many objects `unreadable` or `gone`.

    Raises:
        InputError: the model does not fit the spec, fails on the media, or gives no probabilities at all.
    """
    kind, data = world.spec.interface.media, read_model_file(world)
    model = MediaModel(data, kind=kind, declared=declared, classes=class_names(world))
    version = f"{model_version(data)}-{preprocessing_version(kind, declared)}"
    todo = unspoken(world, version)
    counts = Counter(scored=0, refused=0, unreadable=0, gone=0)
    with progress(todo.num_rows, "scoring media") as bar:
        for start in range(0, todo.num_rows, _ROWS):
            part = todo.slice(start, _ROWS)
            read = _read(world, part, declared, bar)
            counts.update(_score_part(world, lease, part, read, version=version, model=model))
    if not model.embeds:
        counts.update(read=cache_features(world, lease)["read"])
    return dict(counts)


def _read(world: World, part: pa.Table, declared: Preprocessing, bar: Progress) -> Iterator[Read]:
    kind = world.spec.interface.media
    for key, data in world.media.read_many(world.spec.media.bucket, part["key"].to_pylist()):
        try:
            yield key, prepare(kind, data, declared)
        except InputError as error:
            yield key, error
        bar.advance()


def _score_part(
    world: World, lease: Lease, part: pa.Table, read: Iterator[Read], *, version: str, model: MediaModel
) -> dict[str, int]:
    said, refused, found = [contract("predictions").schema.empty_table()], [], 0
    while some := list(islice(read, model.batch)):
        rows, bad = _judged(world, part, some, version, model)
        said.append(rows)
        refused += bad
        found += len(some)
    whole = pa.concat_tables(said)
    unread = [refusal for refusal in refused if refusal.contract == "references"]
    refuse_if_none(whole.num_rows - len(unread), [r for r in refused if r not in unread])
    quarantine(world, lease, refused, stage="score")
    refused_answers = len(refused) - len(unread) + commit(world, lease, "predictions", whole, stage="score")
    return {
        "scored": found - len(unread) - refused_answers,
        "refused": refused_answers,
        "unreadable": len(unread),
        "gone": part.num_rows - found,
    }


def _judged(
    world: World, part: pa.Table, some: list[Read], version: str, model: MediaModel
) -> tuple[pa.Table, list[Refusal]]:
    """Return one batch as rows, unreadable media as rows without an answer, and what was refused of it."""
    place = pc.index_in(pa.array([key for key, _ in some]), part["key"].combine_chunks())
    there = part.take(place)
    whole = [not isinstance(prepared, InputError) for _, prepared in some]
    damaged = there.filter(pa.array([not good for good in whole]))
    reasons = [str(prepared) for _, prepared in some if isinstance(prepared, InputError)]
    refused = [unreadable(row, reason) for row, reason in zip(damaged.to_pylist(), reasons, strict=True)]
    rows = [embedding_rows(damaged, [None] * damaged.num_rows, version=version, at=world.now())]
    if any(whole):
        spoken = there.filter(pa.array(whole))
        told = model.say([prepared for _, prepared in some if not isinstance(prepared, InputError)])
        found = screen_answers(
            spoken,
            told.probabilities,
            classes=model.classes,
            version=version,
            at=world.now(),
            embedding=told.embedding,
        )
        rows.append(found.rows)
        refused += answer_refusals(spoken, version, found.refused)
    return pa.concat_tables(rows), refused
