"""Consensus in a world in memory: imported labels by policy, a model as an annotator, files that are not there."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labelloop.errors import InputError
from labelloop.spec import load_spec
from tasks.clients.world import World
from tasks.consensus import resolve_labels
from tests.builders.annotating import answer, collect, pushed
from tests.builders.digits import SPEC
from tests.builders.rows import hex_id, write
from tests.fakes.world import under_lease


def disputed(tmp_path: Path, consensus: str) -> World:
    """Two annotators disagree on unit 0 and agree on unit 1."""
    world = pushed(tmp_path, n=3)
    for name, value in (("ann", "1"), ("bob", "2")):
        answer(world, 0, name, value)
        answer(world, 1, name, "1")
    collect(world)
    world.spec = load_spec(f"{SPEC}\nconsensus: {consensus}\n")
    return world


def bring(world: World, labels: dict[str, str]) -> None:
    """Put a file of imported labels into the bucket, one line for each object."""
    out = io.BytesIO()
    pq.write_table(pa.table({"key": list(labels), "value": list(labels.values())}), out)
    world.media.write("media", "old/labels.parquet", out.getvalue(), content_type="application/octet-stream")


def imported(policy: str) -> str:
    given = f"source: old, uri: s3://media/old/labels.parquet, format: parquet, control: digit, policy: {policy}"
    return f"{{method: majority, imported: [{{{given}}}]}}"


def keys(world: World) -> list[str]:
    units = world.table("units").read().sort_by("unit_id").to_pylist()
    key = {row["ref_id"]: row["key"] for row in world.table("references").read().to_pylist()}
    return [key[unit["ref_ids"][0]] for unit in units]


def resolved(world: World) -> tuple[dict[str, int], dict[str, dict[str, Any]]]:
    counts = under_lease(world, "consensus", resolve_labels).counts
    return counts, {row["unit_id"]: row for row in world.table("labels").read().to_pylist()}


@pytest.mark.parametrize(
    ("policy", "label", "decided_by", "n"),
    [("compare", None, "consensus", 2), ("warm-start", "2", "consensus", 3), ("gold", "2", "gold", 2)],
)
def test_imported_labels_count_as_the_policy_says(tmp_path: Path, policy: str, label: str, decided_by: str, n: int):
    world = disputed(tmp_path, imported(policy))
    bring(world, dict.fromkeys(keys(world), "2"))
    _, labels = resolved(world)
    found = labels[hex_id(0)]
    assert (found["label"], found["decided_by"], found["n"]) == (label, decided_by, n)


def test_gold_alone_labels_a_unit_that_nobody_answered_yet(tmp_path: Path):
    world = disputed(tmp_path, imported("gold"))
    bring(world, {keys(world)[2]: "0", "digits/elsewhere.png": "1"})
    counts, labels = resolved(world)
    assert (labels[hex_id(2)]["label"], labels[hex_id(2)]["n"]) == ("0", 0)
    assert counts["imported"] == 1


def test_a_label_that_the_question_does_not_have_is_left_out(tmp_path: Path):
    world = disputed(tmp_path, imported("gold"))
    bring(world, {keys(world)[0]: "nine", keys(world)[1]: "2"})
    counts, labels = resolved(world)
    assert counts["imported"] == 1
    assert (labels[hex_id(0)]["label"], labels[hex_id(1)]["label"]) == (None, "2")


def test_the_same_file_changes_nothing_the_next_night(tmp_path: Path):
    world = disputed(tmp_path, imported("warm-start"))
    bring(world, dict.fromkeys(keys(world), "2"))
    first = resolved(world)[1]
    world.now.advance(days=1)
    assert resolved(world)[1] == first


BOXES = SPEC.replace("name: digit, type: choices", "name: box, type: rectangle").replace(
    "source: trainer", "source: none"
)


def box(left: float, label: str = "1") -> list[dict[str, Any]]:
    place = {"x": left, "y": 0.0, "width": 20.0, "height": 20.0, "rotation": 0, "rectanglelabels": [label]}
    return [{"id": "r", "from_name": "box", "to_name": "image", "type": "rectanglelabels", "value": place}]


def boxed(tmp_path: Path, *left: float, policy: str = "compare") -> World:
    """Annotators draw boxes with these left edges on unit 0; a file has one at 0 for each object."""
    consensus = imported(policy).replace("digit", "box").replace("format: parquet", "format: coco")
    spec = f"{BOXES}\nconsensus: {consensus}\nquality: {{accept_confidence: 0.6}}\n"
    world = pushed(tmp_path, n=3, spec=spec)
    for name, place in zip(("ann", "bob"), left, strict=False):
        answer(world, 0, name, result=box(place))
    collect(world)
    images = [{"id": name, "file_name": name, "width": 100, "height": 50} for name in keys(world)[:2]]
    marks = [{"image_id": image["id"], "category_id": 1, "bbox": [0, 0, 20, 10]} for image in images]
    coco = {"images": images, "categories": [{"id": 1, "name": "1"}], "annotations": marks}
    world.media.write("media", "old/labels.parquet", json.dumps(coco).encode(), content_type="application/json")
    return world


@pytest.mark.parametrize(
    ("policy", "left", "decided_by", "n"),
    [("compare", None, "consensus", 2), ("warm-start", 1.0, "consensus", 3), ("gold", 0.0, "gold", 2)],
)
def test_imported_boxes_count_as_the_policy_says(
    tmp_path: Path, policy: str, left: float | None, decided_by: str, n: int
):
    counts, labels = resolved(boxed(tmp_path, 2.0, 60.0, policy=policy))
    found = labels[hex_id(0)]
    assert (found["decided_by"], found["n"]) == (decided_by, n)
    assert (found["state"] == "conflict") == (left is None)
    if left is not None:
        assert found["regions"][0]["points"] == [left, 0.0, 20.0, 20.0]
        assert labels[hex_id(1)]["label"] == '["1"]'
    assert counts.get("imported") == (0 if policy == "compare" else 2)


def test_a_file_that_is_not_there_stops_the_stage_and_names_the_source(tmp_path: Path):
    with pytest.raises(InputError, match="'old'"):
        resolved(disputed(tmp_path, imported("gold")))


def test_the_model_in_force_counts_where_the_spec_says_so(tmp_path: Path):
    world = disputed(tmp_path, "{method: majority, model: true}")
    unit = world.table("units").read().sort_by("unit_id").to_pylist()[0]
    version = {"model_version": "m1", "media_version": unit["media_versions"][0], "probabilities": [0.1, 0.1, 0.8]}
    write(world, "predictions", [{"ref_id": unit["ref_ids"][0], "predicted": "2", "confidence": 0.8, **version}])
    found = resolved(world)[1][hex_id(0)]
    assert (found["label"], found["n"]) == ("2", 3)


def with_boxes(tmp_path: Path, *boxes: tuple[float, float], side: float = 20.0) -> World:
    """Annotators draw boxes far apart on unit 0; a model that counts has these: left edge and score."""
    world = boxed(tmp_path, 2.0, 60.0)
    world.spec = load_spec(f"{BOXES}\nconsensus: {{model: true}}\nquality: {{accept_confidence: 0.6}}\n")
    unit = world.table("units").read().sort_by("unit_id").to_pylist()[0]
    place = {"label": "1", "y": 0.0, "width": side, "height": side}
    marks = [{**place, "x": left, "score": score} for left, score in boxes]
    row = {"ref_id": unit["ref_ids"][0], "media_version": unit["media_versions"][0], "boxes": marks}
    write(world, "predictions", [{**row, "model_version": "m1"}])
    return world


def test_boxes_of_a_model_count_where_the_spec_says_so_and_weak_ones_do_not(tmp_path: Path):
    found = resolved(with_boxes(tmp_path, (0.0, 0.9), (60.0, 0.4)))[1][hex_id(0)]
    assert (found["n"], [region["points"] for region in found["regions"]]) == (3, [[1.0, 0.0, 20.0, 20.0]])


def test_a_model_that_marks_nothing_says_so(tmp_path: Path):
    found = resolved(with_boxes(tmp_path))[1][hex_id(0)]
    assert (found["n"], found["label"]) == (3, "[]")


@pytest.mark.parametrize(("left", "side"), [(90.0, 20.0), (0.1, 0.2)])
def test_boxes_of_a_model_in_another_unit_are_refused(tmp_path: Path, left: float, side: float):
    with pytest.raises(InputError, match="percent"):
        resolved(with_boxes(tmp_path, (left, 0.9), side=side))
