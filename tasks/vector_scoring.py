"""Scoring by a model over our own feature vectors: one we trained, or one that is brought.

Models that read the media themselves are asked in `media_scoring.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from labelloop.contracts import contract
from labelloop.predictions import screen_answers
from tasks.clients.world import World
from tasks.features import stored_features, unspoken
from tasks.models import OpenedModel, answer_refusals, brought_model, trained_model
from tasks.parts import Predicted, Range


def vector_model(world: World) -> OpenedModel | str | None:
    """Return the model over feature vectors, why there is none, or None where the spec wants none."""
    if world.spec.model.source == "trainer":
        return trained_model(world)
    return brought_model(world) if world.spec.model.source == "onnx" else None


def ask_about_vectors(world: World, within: Range, advance: Callable[[int], None]) -> Predicted:
    """Return what the model in force says of the references in a range whose vectors are kept.

    Args:
        world: the project's outside.
        within: which references.
        advance: told how many were scored.
    """
    found, refused, opened = [contract("predictions").schema.empty_table()], [], vector_model(world)
    if isinstance(opened, OpenedModel):  # none, if it was withdrawn since the stage began
        for rows, vectors in stored_features(world, unspoken(world, opened.version, within)):
            said = opened.model.probabilities(vectors)
            screened = screen_answers(
                rows, said, classes=opened.model.classes, version=opened.version, at=world.now()
            )
            found.append(screened.rows)
            refused += answer_refusals(rows, opened.version, screened.refused)
            advance(rows.num_rows)
    return Predicted(pa.concat_tables(found), [], refused, gone=0)
