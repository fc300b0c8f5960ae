"""What counts beside annotators in consensus: labels given before, from files in buckets, and the model in force."""

from __future__ import annotations

from collections.abc import Collection
from functools import reduce
from typing import NamedTuple

import pyarrow as pa

from labelloop.agreement import Figure
from labelloop.beside import Beside, joined
from labelloop.errors import ErasedError, InputError
from labelloop.imported_labels import among, compare, opinions_on_units, read_imported
from labelloop.imported_regions import compare_regions, labelled_among, read_imported_regions
from labelloop.model_opinions import MARKED, marks_of_model, opinions_of_model
from labelloop.opinions import answers_to, opinions, split_rulings
from labelloop.pool import scoring_model
from labelloop.spec.consensus import ImportedLabels
from labelloop.spec.question import MARKS, Question
from tasks.artifacts import publish_table
from tasks.clients.s3 import split_uri
from tasks.clients.world import World

_OF_MODEL = ["ref_id", "model_version", "media_version", "created_at"]
_PREDICTED = [*_OF_MODEL, "predicted", "probabilities"]


class Imported(NamedTuple):
    """Opinions from one file, how many of its labels the question does not have, and how it does as an annotator."""

    opinions: pa.Table
    unknown: int
    figures: dict[str, object]


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
    counted, gold = [Beside().opinions], [Beside().gold]
    shown: dict[str, list[dict[str, object]]] = {"imported-labels": [], "imported-regions": []}
    for given in world.spec.consensus.imported:
        question = next(one for one in world.spec.interface.questions if one.name == given.control)
        found = _imported(world, given, question, annotations, units, experts)
        if given.policy == "gold":
            gold.append(found.opinions)
        elif given.policy == "warm-start":
            counted.append(found.opinions)
        matched = {"matched": found.opinions.num_rows, "unknown": found.unknown}
        key = "imported-regions" if question.type in MARKS else "imported-labels"
        shown[key].append({"policy": given.policy, **found.figures, **matched})
    for key, rows in shown.items():
        publish_table(key, rows, "Labels given before, as one annotator among the others")
    if world.spec.consensus.model:
        counted.append(_said_by_model(world, units))
    return Beside(reduce(joined, counted), reduce(joined, gold))


def _imported(
    world: World,
    given: ImportedLabels,
    question: Question,
    annotations: pa.Table,
    units: pa.Table,
    experts: Collection[str],
) -> Imported:
    said, known = _read(world, given, question)
    references = world.table("references").read(columns=["ref_id", "bucket", "key", "state", "media_version"])
    annotator = f"imported:{given.source}"
    found = opinions_on_units(known, references, units, control=given.control, annotator=annotator)
    if question.type in MARKS:
        people = answers_to(annotations, given.control).rename_columns({"unit_id": "unit"})
        figures = {"annotator": annotator} | _told(compare_regions(found, people, question.type))
        found = found.append_column("control_type", pa.repeat(question.type, found.num_rows))
    else:
        figures = compare(found, *split_rulings(opinions(annotations, given.control), experts)).to_dict()
    return Imported(found, said.num_rows - known.num_rows, figures)


def _told(figures: list[Figure]) -> dict[str, object]:
    """Return the figures by metric, each with its interval, or the reason why there is none."""
    given = ((one.metric, one) for one in figures)
    return {name: one.reason or f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]" for name, one in given}


def _read(world: World, given: ImportedLabels, question: Question) -> tuple[pa.Table, pa.Table]:
    """Return what the file says, and that part of it that the question can have for an answer."""
    bucket, name = split_uri(given.uri)
    try:
        data = world.media.read(bucket, name)
    except ErasedError:
        raise InputError(
            f"consensus.imported {given.source!r} of the spec names no object", remedy="upload the file or mend it"
        ) from None
    root = f"s3://{world.spec.media.bucket}/{given.prefix}"
    labels = [label.value for label in question.labels]
    if question.type in MARKS:
        said = read_imported_regions(data, given.format, question=question, root=root)
        return said, labelled_among(said, labels)
    said = read_imported(data, given.format, control=given.control, root=root)
    return said, among(said, labels)


def _said_by_model(world: World, units: pa.Table) -> pa.Table:
    question = world.spec.interface.questions[0]
    column = MARKED.get((world.spec.interface.media, question.type))
    if column is None:
        return opinions_of_current_model(world, units)
    predictions = world.table("predictions").read(columns=[*_OF_MODEL, column])
    return marks_of_model(predictions, units, column=column, question=question)


def opinions_of_current_model(world: World, units: pa.Table) -> pa.Table:
    """Return what the model in force says of the first question, as opinions: control, unit, annotator, value."""
    predictions = world.table("predictions").read(columns=_PREDICTED)
    model = scoring_model(world.table("models").read(), predictions, now=world.now())
    control = world.spec.interface.questions[0].name
    return opinions_of_model(predictions, units, model=model or "", control=control)
