"""What counts beside annotators in consensus: labels given before, from files in buckets, and the model in force."""

from __future__ import annotations

from collections.abc import Collection
from functools import reduce
from typing import NamedTuple

import pyarrow as pa

from labelloop.annotators import AnnotatorFigure
from labelloop.beside import Beside, joined
from labelloop.errors import ErasedError, InputError
from labelloop.imported_labels import among, compare, opinions_on_units, read_imported
from labelloop.model_opinions import opinions_of_model
from labelloop.opinions import opinions, split_rulings
from labelloop.pool import scoring_model
from labelloop.spec.consensus import ImportedLabels
from tasks.artifacts import publish_table
from tasks.clients.s3 import split_uri
from tasks.clients.world import World

_PREDICTED = ["ref_id", "model_version", "media_version", "predicted", "probabilities", "created_at"]


class Imported(NamedTuple):
    """Opinions from one file, how many of its labels the question does not have, and how it does as an annotator."""

    opinions: pa.Table
    unknown: int
    figure: AnnotatorFigure


def beside_annotators(world: World, annotations: pa.Table, units: pa.Table, experts: Collection[str]) -> Beside:
    """Return what counts beside annotators, and show how each imported source compares with them.

    Args:
        world: the project's outside.
        annotations: rows of the contract `annotations`.
        units: rows of the contract `units`.
        experts: pseudonyms whose ruling wins.

    Raises:
        InputError: a file of imported labels is not there or cannot be used.
    """
    counted, gold, shown = [Beside().opinions], [Beside().gold], []
    for given in world.spec.consensus.imported:
        found = _imported(world, given, annotations, units, experts)
        if given.policy == "gold":
            gold.append(found.opinions.drop_columns("annotator"))
        elif given.policy == "warm-start":
            counted.append(found.opinions)
        matched = {"matched": found.opinions.num_rows, "unknown": found.unknown}
        shown.append({"policy": given.policy, **found.figure.to_dict(), **matched})
    publish_table("imported-labels", shown, "Labels given before, as one annotator among the others")
    if world.spec.consensus.model:
        counted.append(opinions_of_current_model(world, units))
    return Beside(reduce(joined, counted), reduce(joined, gold))


def _imported(
    world: World, given: ImportedLabels, annotations: pa.Table, units: pa.Table, experts: Collection[str]
) -> Imported:
    bucket, name = split_uri(given.uri)
    try:
        data = world.media.read(bucket, name)
    except ErasedError:
        raise InputError(
            f"consensus.imported {given.source!r} of the spec names no object", remedy="upload the file or mend it"
        ) from None
    root = f"s3://{world.spec.media.bucket}/{given.prefix}"
    said = read_imported(data, given.format, control=given.control, root=root)
    known = among(said, _labels(world, given.control))
    references = world.table("references").read(columns=["ref_id", "bucket", "key", "state", "media_version"])
    annotator = f"imported:{given.source}"
    found = opinions_on_units(known, references, units, control=given.control, annotator=annotator)
    figure = compare(found, *split_rulings(opinions(annotations, given.control), experts))
    return Imported(found, said.num_rows - known.num_rows, figure)


def _labels(world: World, control: str) -> list[str]:
    questions = {question.name: question for question in world.spec.interface.questions}
    return [label.value for label in questions[control].labels]


def opinions_of_current_model(world: World, units: pa.Table) -> pa.Table:
    """Return what the model in force says of the first question, as opinions: control, unit, annotator, value."""
    predictions = world.table("predictions").read(columns=_PREDICTED)
    model = scoring_model(world.table("models").read(), predictions, now=world.now())
    control = world.spec.interface.questions[0].name
    return opinions_of_model(predictions, units, model=model or "", control=control)
