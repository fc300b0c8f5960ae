"""Labels given before: read from three kinds of files, brought to the units of media that is still the same."""

from __future__ import annotations

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labelloop.errors import InputError
from labelloop.imported_labels import opinions_on_units, read_imported
from tests.builders.rows import hex_id, rows_of

COCO = {
    "images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}, {"id": 3, "file_name": "c.png"}],
    "categories": [{"id": 7, "name": "cat"}, {"id": 8, "name": "ant"}],
    "annotations": [{"image_id": 1, "category_id": 7}, {"image_id": 1, "category_id": 7}]
    + [{"image_id": 2, "category_id": number} for number in (7, 8)],
}


def item(kind, value, control="animal"):
    return {"from_name": control, "to_name": "image", "type": kind, "value": {kind: value}}


def task(name, *answers, data=None):
    annotations = [{"result": result, "updated_at": f"2026-01-0{day}"} for day, result in enumerate(answers, 1)]
    return {"data": data or {"text": "x", "image": f"s3://media/{name}"}, "annotations": annotations}


def parquet(**columns):
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def read(data, file_format):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    found = read_imported(data, file_format, control="animal", root="s3://media/").to_pylist()
    return {row["uri"].removeprefix("s3://media/"): row["value"] for row in found}


@pytest.mark.parametrize(
    ("values", "expected"), [(["cat", None], "cat"), ([["ant", "cat"], None], "ant|cat"), ([3, None], "3")]
)
def test_parquet_says_what_its_two_columns_say(values, expected):
    assert read(parquet(key=["a.png", "b.png"], value=values), "parquet") == {"a.png": expected}


def test_coco_says_which_categories_an_image_shows():
    assert read(COCO, "coco") == {"a.png": "cat", "b.png": "ant|cat"}


def test_an_export_of_label_studio_says_what_the_newest_annotation_says():
    tasks = [
        task("a.png", [item("choices", ["ant"])], [item("choices", ["cat"]), item("choices", ["x"], "other")]),
        task("b.png", [item("rating", 4)]),
        task("c.png"),
        task("d.png", [item("choices", ["cat"])], data={"image": "/data/upload/d.png"}),
    ]
    assert read(tasks, "label-studio") == {"a.png": "cat", "b.png": "4"}


def test_a_skipped_annotation_says_nothing():
    skipped = task("a.png", [item("choices", ["ant"])])
    skipped["annotations"][0]["was_cancelled"] = True
    assert read([skipped], "label-studio") == {}


@pytest.mark.parametrize("file_format", ["parquet", "coco", "label-studio"])
@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b'{"images": 3}', parquet(key=["a"])])
def test_another_file_is_refused_by_name(file_format, data):
    with pytest.raises(InputError):
        read(data, file_format)


def test_two_labels_of_one_object_are_refused():
    with pytest.raises(InputError, match="two imported labels"):
        read(parquet(key=["a", "a"], value=["cat", "ant"]), "parquet")
    assert read(parquet(key=["a", "a"], value=["cat", "cat"]), "parquet") == {"a": "cat"}


def test_only_units_whose_media_is_as_it_was_get_the_opinion():
    states, now = ["active", "active", "restricted", "active"], ["v", "new", "v", "v"]
    references = [
        {"bucket": "media", "key": f"{k}.png", "state": state, "media_version": version}
        for k, (state, version) in enumerate(zip(states, now, strict=True))
    ]
    units = [
        {"kind": "pair" if k == 3 else "single", "ref_ids": [hex_id(k)], "media_versions": ["v"]} for k in range(4)
    ]
    said = read_imported(
        parquet(key=[f"{k}.png" for k in range(9)], value=["cat"] * 9),
        "parquet",
        control="animal",
        root="s3://media/",
    )
    tables = (rows_of("references", references), rows_of("units", units))
    found = opinions_on_units(said, *tables, control="animal", annotator="imported:old").to_pylist()
    assert found == [{"control": "animal", "unit": hex_id(0), "annotator": "imported:old", "value": "cat"}]
