"""Regions marked before: read from three kinds of files, refused by name, compared with annotators' regions."""

from __future__ import annotations

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labelloop.contracts import contract
from labelloop.errors import InputError
from labelloop.imported_regions import compare_regions, labelled_among, read_imported_regions
from labelloop.spec.question import Question

COCO = {
    "images": [{"id": number, "file_name": f"{number}.png", "width": 200, "height": 100} for number in (1, 2, 3)],
    "categories": [{"id": 7, "name": "cat"}],
    "annotations": [
        {"image_id": 1, "category_id": 7, "bbox": [20, 10, 40, 50], "segmentation": [[0, 0, 200, 0, 200, 100]]},
        {"image_id": 2, "category_id": 7, "bbox": [0, 0, 200, 100], "iscrowd": 1, "segmentation": {"counts": []}},
    ],
}
BOX = {"x": 10.0, "y": 10.0, "width": 20.0, "height": 50.0}


def question(kind="rectangle"):
    return Question(name="place", type=kind, prompt="Where?", labels=[{"value": "cat"}, {"value": "dog"}])


def parquet(**columns):
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def exported(kind, value, control="place"):
    item = {"id": "r1", "from_name": control, "to_name": "x", "type": kind, "value": value}
    return [{"data": {"image": "s3://media/1.png"}, "annotations": [{"result": [item], "updated_at": "2026"}]}]


def read(data, file_format, kind="rectangle"):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    found = read_imported_regions(data, file_format, question=question(kind), root="s3://media/")
    return {row["uri"].removeprefix("s3://media/"): row for row in found.to_pylist()}


@pytest.mark.parametrize(
    ("data", "file_format"),
    [
        (COCO, "coco"),
        (parquet(key=["1.png"], boxes=[[BOX | {"label": "cat"}]]), "parquet"),
        (exported("rectanglelabels", BOX | {"rectanglelabels": ["cat"]}), "label-studio"),
    ],
    ids=["coco", "parquet", "label-studio"],
)
def test_a_box_is_read_in_percent_of_its_image(data, file_format):
    ((name, row),) = read(data, file_format).items()
    (region,) = row["regions"]
    assert (name, region["labels"], region["points"]) == ("1.png", ["cat"], [10.0, 10.0, 20.0, 50.0])


def test_polygons_of_coco_answer_a_question_for_polygons():
    (row,) = read(COCO, "coco", "polygon").values()
    assert row["regions"][0]["points"] == [0.0, 0.0, 100.0, 0.0, 100.0, 100.0]


def test_an_empty_list_of_boxes_says_that_there_is_nothing_and_none_says_nothing():
    kind = pa.list_(pa.struct([("label", pa.string()), *((side, pa.float64()) for side in BOX)]))
    found = read(parquet(key=["1.png", "2.png"], boxes=pa.array([[], None], kind)), "parquet")
    assert {name: row["regions"] for name, row in found.items()} == {"1.png": []}


def test_spans_and_masks_come_from_an_export_of_label_studio():
    span = {"start": 1, "end": 4, "text": "abc", "labels": ["cat"]}
    assert read(exported("labels", span), "label-studio", "span")["1.png"]["regions"][0]["start"] == 1.0
    mask = exported(
        "brushlabels", {"format": "rle", "rle": [0, 0, 0, 8, 57, 27, 252, 255, 224], "brushlabels": ["cat"]}
    )
    mask[0]["annotations"][0]["result"][0] |= {"original_width": 2, "original_height": 1}
    assert json.loads(read(mask, "label-studio", "mask")["1.png"]["raw"])[0]["id"] == "r1"


@pytest.mark.parametrize(
    ("data", "file_format", "kind"),
    [
        (COCO, "coco", "keypoint"),
        (parquet(key=["1.png"], boxes=[[BOX | {"label": "cat"}]]), "parquet", "polygon"),
        (exported("rectanglelabels", BOX | {"rectanglelabels": ["cat"]}), "label-studio", "polygon"),
        (parquet(key=["1.png"], boxes=[[BOX | {"label": "cat", "width": -1.0}]]), "parquet", "rectangle"),
        (
            parquet(key=["1.png"] * 2, boxes=[[BOX | {"label": name}] for name in ("cat", "dog")]),
            "parquet",
            "rectangle",
        ),
        ({**COCO, "images": [{"id": 1, "file_name": "1.png"}]}, "coco", "rectangle"),
        ({**COCO, "annotations": [COCO["annotations"][0] | {"segmentation": [[0, 0], [1, 1]]}]}, "coco", "polygon"),
        (b"{", "label-studio", "rectangle"),
        (exported("rectanglelabels", {"rectanglelabels": ["cat"]}), "label-studio", "rectangle"),
    ],
    ids=[
        "no kind of coco",
        "no kind of parquet",
        "another kind",
        "no extent",
        "two",
        "no size",
        "two rings",
        "no file",
        "no place",
    ],
)
def test_what_cannot_be_an_answer_is_refused_by_name(data, file_format, kind):
    with pytest.raises(InputError):
        read(data, file_format, kind)


def drawn(*rows):
    """Rows unit, annotator, left edge of a box; None for no box."""
    said = [
        {
            "unit": unit,
            "annotator": who,
            "raw": "[]",
            "regions": [] if left is None else [{"labels": ["cat"], "points": [left, 0.0, 20.0, 20.0]}],
        }
        for unit, who, left in rows
    ]
    text = [(name, pa.string()) for name in ("unit", "annotator", "raw")]
    return pa.Table.from_pylist(said, pa.schema([*text, contract("annotations").schema.field("regions")]))


def test_a_source_is_compared_with_each_annotator_and_they_are_not_with_each_other():
    source = drawn(*((str(unit), "imported:old", 0.0) for unit in range(6)))
    people = drawn(*((str(unit), who, left) for unit in range(6) for who, left in (("a", 0.0), ("b", 50.0))))
    figures = {figure.metric: figure.value for figure in compare_regions(source, people, "rectangle")}
    assert figures == {"mean_iou": 0.5, "f1": 0.5, "missed_objects": 0.5}
    assert all(figure.reason for figure in compare_regions(source, people[:0], "rectangle"))


def test_marks_with_a_label_that_the_question_does_not_have_are_left_out_whole():
    said = drawn(("1", "x", 0.0), ("2", "x", None))
    assert labelled_among(said, ["dog"])["unit"].to_pylist() == ["2"]
    assert labelled_among(said, ["cat", "dog"]).num_rows == 2
