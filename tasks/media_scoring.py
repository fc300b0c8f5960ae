"""Scoring by a model that reads the media itself: batch by batch from the bucket, so that memory stays bounded.

How media becomes what the model takes is decided in `labelloop.preprocessing`; no tensor is kept. Models over our own
feature vectors are asked in `vector_scoring.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.contracts import Refusal, contract
from labelloop.errors import InputError
from labelloop.predictions import screen_answers
from labelloop.preprocessing import Prepared, prepare, preprocessing_version
from labelloop.score import embedding_rows
from labelloop.spec.preprocessing import Preprocessing
from tasks.clients.media_model import MediaModel
from tasks.clients.models import model_version
from tasks.clients.world import World
from tasks.features import unreadable, unspoken
from tasks.models import answer_refusals, class_names, read_model_file
from tasks.parts import Predicted, Range

# The key of an object, and what the model takes or the reason why it cannot be read.
Read = tuple[str, Prepared | InputError]


class OpenedMediaModel(NamedTuple):
    """A model ready to read media, how they are prepared for it, and the version its predictions are kept under."""

    version: str
    model: MediaModel
    declared: Preprocessing


def media_model(world: World) -> OpenedMediaModel:
    """Return the model that the spec names and declares.

    Raises:
        InputError: there is no such file, or it does not fit the spec.
    """
    kind, data, declared = world.spec.interface.media, read_model_file(world), world.spec.model.preprocessing
    if declared is None:
        raise InputError("the spec declares no model.preprocessing", remedy="declare it, or score feature vectors")
    version = f"{model_version(data)}-{preprocessing_version(kind, declared)}"
    return OpenedMediaModel(
        version, MediaModel(data, kind=kind, declared=declared, classes=class_names(world)), declared
    )


def ask_about_media(world: World, within: Range, advance: Callable[[int], None]) -> Predicted:
    """Return what the spec's model says of the media in a range that it has not read yet, and its embeddings if any.

    Args:
        world: the project's outside.
        within: which references.
        advance: told of each object that was read.

    Raises:
        InputError: the model does not fit the spec, or fails on the media.
    """
    opened = media_model(world)
    todo = unspoken(world, opened.version, within)
    read = _read(world, todo, opened.declared, advance)
    parts = [Predicted(contract("predictions").schema.empty_table(), [], [], gone=0)]
    while some := list(islice(read, opened.model.batch)):
        parts.append(_judged(world, todo, some, opened))
    rows = pa.concat_tables([part.rows for part in parts])
    unread = [one for part in parts for one in part.unreadable]
    refused = [one for part in parts for one in part.refused]
    return Predicted(rows, unread, refused, gone=todo.num_rows - rows.num_rows - len(refused))


def _read(world: World, todo: pa.Table, declared: Preprocessing, advance: Callable[[int], None]) -> Iterator[Read]:
    kind = world.spec.interface.media
    for key, data in world.media.read_many(world.spec.media.bucket, todo["key"].to_pylist()):
        try:
            yield key, prepare(kind, data, declared)
        except InputError as error:
            yield key, error
        advance(1)


def _judged(world: World, todo: pa.Table, some: list[Read], opened: OpenedMediaModel) -> Predicted:
    """Return one batch as rows, unreadable media as rows without an answer, and what was refused of it."""
    there = todo.take(pc.index_in(pa.array([key for key, _ in some]), todo["key"].combine_chunks()))
    whole = [not isinstance(prepared, InputError) for _, prepared in some]
    damaged = there.filter(pa.array([not good for good in whole]))
    reasons = [str(prepared) for _, prepared in some if isinstance(prepared, InputError)]
    unread = [unreadable(row, reason) for row, reason in zip(damaged.to_pylist(), reasons, strict=True)]
    rows = embedding_rows(damaged, [None] * damaged.num_rows, version=opened.version, at=world.now())
    if not any(whole):
        return Predicted(rows, unread, [], gone=0)
    prepared = [each for _, each in some if not isinstance(each, InputError)]
    answered, refused = _answers(world, there.filter(pa.array(whole)), prepared, opened)
    return Predicted(pa.concat_tables([rows, answered]), unread, refused, gone=0)


def _answers(
    world: World, spoken: pa.Table, prepared: list[Prepared], opened: OpenedMediaModel
) -> tuple[pa.Table, list[Refusal]]:
    told = opened.model.say(prepared)
    found = screen_answers(
        spoken,
        told.probabilities,
        classes=opened.model.classes,
        version=opened.version,
        at=world.now(),
        embedding=told.embedding,
    )
    return found.rows, answer_refusals(spoken, opened.version, found.refused)
