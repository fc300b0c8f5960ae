"""Regions that somebody marked before, read from a file, and how far they are those that annotators mark."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import Precision
from labelloop.agreement.ratings import select_columns
from labelloop.agreement.region_figures import METRICS_OF_REGIONS, pair_figure
from labelloop.agreement.regions import read_regions
from labelloop.agreement.seen_objects import THRESHOLD
from labelloop.beside import joined
from labelloop.contracts import contract
from labelloop.errors import InputError
from labelloop.imported_files import annotated_images, by_object, newest_answers, reading
from labelloop.interface import parse
from labelloop.interface.region import Region
from labelloop.spec.question import Question

COMPARED: Final = ("mean_iou", "f1", "missed_objects")
_ANSWERS: Final = contract("annotations").schema
_SAID: Final = pa.schema([("uri", pa.string()), _ANSWERS.field("regions"), ("raw", pa.string())])
_SIDES: Final = ("x", "y", "width", "height")
Marked = tuple[list[Region], str]  # regions and raw, as `annotations` have them


def read_imported_regions(data: bytes, file_format: str, *, question: Question, root: str) -> pa.Table:
    """What a file marks in each object: uri (s3://bucket/key), regions, raw; sorted by uri, without duplicates.

    Args:
        data: the file. `parquet`: columns key, boxes (a list of label, x, y, width, height in percent of the image;
            an empty one says that there is nothing). `coco`: boxes, or polygons where the question asks for them,
            of each image that has some; crowds are left out. `label-studio`: the newest annotation of a task, marks
            of any kind; the object is the first s3:// address in the task's data.
        file_format: one of these three.
        question: what they answer.
        root: s3://bucket/ and what stands before keys and file names.

    Raises:
        InputError: the file is not of this format, marks what the question does not ask for, or something twice.
        NotEstimable: nobody knows where the marks are.

    >>> import json
    >>> coco = {"images": [{"id": 1, "file_name": "a.png", "width": 200, "height": 100}], "categories": [{"id": 7,
    ...     "name": "cat"}], "annotations": [{"id": 3, "image_id": 1, "category_id": 7, "bbox": [20, 10, 40, 50]}]}
    >>> boxes = Question(name="box", type="rectangle", prompt="Where?", labels=[{"value": "cat"}])
    >>> read = read_imported_regions(json.dumps(coco).encode(), "coco", question=boxes, root="s3://media/")
    >>> read["regions"][0][0]["points"].as_py()
    [10.0, 10.0, 20.0, 50.0]
    """
    with reading(file_format):
        rows = by_object(_READERS[file_format](data, question, root))
        columns = [uri for uri, _ in rows], [said[0] for _, said in rows], [said[1] for _, said in rows]
        found = pa.table([pa.array(column, field.type) for column, field in zip(columns, _SAID, strict=True)], _SAID)
    read_regions(
        found.rename_columns(["unit", "regions", "raw"]).append_column("annotator", found["uri"]), question.type
    )
    return found


def labelled_among(said: pa.Table, labels: Collection[str]) -> pa.Table:
    """What was marked with labels that the question has, of whole objects."""
    known = [
        set(labels).issuperset(label for region in regions for label in region["labels"])
        for regions in said["regions"].to_pylist()
    ]
    return said.filter(pa.array(known, pa.bool_()))


def compare_regions(source: pa.Table, people: pa.Table, kind: str) -> list[Figure]:
    """How far a source marks what annotators mark: `COMPARED`, means over the units they share, or the reason.

    Args:
        source: unit, annotator (of one name), regions, raw; more columns do not matter.
        people: the same of annotators.
        kind: control type of both.
    """
    names = ["unit", "annotator", "regions", "raw"]
    regions = read_regions(joined(source.select(names), people.select(names)), kind)
    who = regions.ratings.annotators.take(pa.array(regions.ratings.annotator))
    is_source = np.asarray(pc.is_in(who, value_set=source["annotator"].combine_chunks()))
    with_it = is_source[regions.pairs.first] | is_source[regions.pairs.second]
    found = {name: np.where(with_it, METRICS_OF_REGIONS[name](regions, THRESHOLD), np.nan) for name in COMPARED}
    return [pair_figure(name, kind, regions, values, Precision()) for name, values in found.items()]


def _parquet(data: bytes, question: Question, root: str) -> Iterator[tuple[str, Marked]]:
    _refuse_unless(question, "rectangle")
    table = select_columns(pq.read_table(io.BytesIO(data)), ("key", "boxes"), "imported labels")
    for row in table.filter(pc.is_valid(table["boxes"])).to_pylist():
        boxes = [([box["label"]], [float(box[side]) for side in _SIDES]) for box in row["boxes"]]
        yield f"{root}{row['key']}", _marked(boxes)


def _coco(data: bytes, question: Question, root: str) -> Iterator[tuple[str, Marked]]:
    _refuse_unless(question, "rectangle", "polygon")
    place = _polygon if question.type == "polygon" else _box
    for image, given in annotated_images(data):
        single = [(name, one) for name, one in given if not one.get("iscrowd")]
        if single:
            size = np.array([image["width"], image["height"]], dtype=np.float64)
            marks = [([name], place(one, size).tolist()) for name, one in single]
            yield f"{root}{image['file_name']}", _marked(marks)


def _label_studio(data: bytes, question: Question, root: str) -> Iterator[tuple[str, Marked]]:
    del root
    for uri, result in newest_answers(data):
        answers, refused = parse(result, {})
        if wrong := [reason for control, reason in refused if control == question.name]:
            raise InputError(f"the imported labels of {question.name} cannot be read: {wrong[0]}", remedy="mend them")
        for answer in answers:
            if answer.control == question.name:
                _refuse_unless(question, answer.control_type)
                yield uri, (answer.value, answer.raw)


def _box(annotation: Mapping[str, Any], size: Any) -> Any:
    return np.array(annotation["bbox"], dtype=np.float64) / np.tile(size, 2) * 100.0


def _polygon(annotation: Mapping[str, Any], size: Any) -> Any:
    (ring,) = annotation["segmentation"]  # of several no polygon can tell
    corners = np.array(ring, dtype=np.float64).reshape(-1, 2)
    return (corners / size * 100.0).ravel()


def _marked(marks: list[tuple[list[str], list[float]]]) -> Marked:
    return [Region(str(place), labels, points) for place, (labels, points) in enumerate(marks)], "[]"


def _refuse_unless(question: Question, *kinds: str) -> None:
    if question.type not in kinds:
        raise InputError(
            f"the file marks {' or '.join(kinds)}, but {question.name} asks for {question.type}",
            remedy="import what the question asks for; a JSON export of Label Studio holds any kind",
        )


_READERS: Final[Mapping[str, Callable[[bytes, Question, str], Iterator[tuple[str, Marked]]]]] = MappingProxyType(
    {"parquet": _parquet, "coco": _coco, "label-studio": _label_studio}
)
