"""The score stage on a world in memory: media is read once, models and files are believed by rule."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from onnx import TensorProto, helper
from PIL import Image

from labelloop.errors import InputError, LeaseLost
from tasks.clients.models import model_version
from tasks.contracts import commit
from tasks.sample import choose_batch
from tasks.score import score_references
from tests.builders.digits import SPEC
from tests.builders.onnx_models import CLASSES, model_of_greys
from tests.builders.rows import hex_id, write
from tests.fakes.world import lease_of, make_world, under_lease


def png(level: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (16, 16), level).save(buffer, "PNG")
    return buffer.getvalue()


def key(number: int) -> str:
    return f"digits/w{number}/digit.png"


def add_references(world, numbers, *, media_version="v1") -> None:
    row = {"bucket": "media", "media_type": "image/png", "media_version": media_version}
    write(world, "references", [row | {"ref_id": hex_id(n), "key": key(n)} for n in numbers])


def world_of(tmp_path, model: str, objects: int = 6, spec: str = SPEC):
    world = make_world(tmp_path, spec.replace("source: trainer", model))
    for number in range(objects):
        world.media.write("media", key(number), png(number * 40), content_type="image/png")
    add_references(world, range(objects))
    return world


def run(world):
    return under_lease(world, "score", score_references).counts


def predictions(world, prefix: str) -> list[dict]:
    rows = world.table("predictions").read().sort_by("ref_id")
    return rows.filter(pc.starts_with(rows["model_version"], prefix)).to_pylist()


@pytest.fixture
def onnx_file():
    return model_of_greys()


def test_vectors_are_made_once_for_each_media_version(tmp_path):
    world = world_of(tmp_path, "source: none")
    assert run(world)["read"] == 6
    first = predictions(world, "features-")
    assert first[1]["embedding"] == pytest.approx([40 / 255] * 64)
    assert run(world)["read"] == 0
    world.media.write("media", key(1), png(255), content_type="image/png")
    add_references(world, [1], media_version="v2")
    assert run(world)["read"] == 1
    assert predictions(world, "features-")[1]["embedding"] == pytest.approx([1.0] * 64)


def test_media_of_no_use_is_quarantined_with_its_reason_and_not_read_again(tmp_path):
    world = world_of(tmp_path, "source: none")
    world.media.write("media", key(2), b"", content_type="image/png")
    world.media.write("media", key(3), b"no image", content_type="image/png")
    counts = run(world)
    assert (counts["read"], counts["unreadable"]) == (6, 2)
    assert sorted(world.table("quarantine").read()["rule"].to_pylist()) == [
        "the object is empty; upload it again or delete it",
        "the object is no image; upload it again or delete it",
    ]
    assert run(world)["read"] == 0


def test_an_object_that_is_gone_is_counted_and_asked_for_again(tmp_path):
    world = world_of(tmp_path, "source: none")
    add_references(world, [77])
    assert run(world)["gone"] == 1
    assert run(world)["gone"] == 1


def test_an_onnx_model_speaks_of_every_reference_once(tmp_path, onnx_file):
    world = world_of(tmp_path, "source: onnx, uri: 's3://media/models/m.onnx'")
    world.media.write("media", "models/m.onnx", onnx_file, content_type="application/octet-stream")
    assert run(world)["scored"] == 6
    said = predictions(world, "model-")
    assert {row["model_version"] for row in said} == {model_version(onnx_file)}
    assert [row["predicted"] for row in said] == ["0", "0", "0", "1", "1", "2"]
    assert all(sum(row["probabilities"]) == pytest.approx(1) for row in said)
    assert run(world)["scored"] == 0


def test_answers_about_older_bytes_are_asked_again(tmp_path, onnx_file):
    world = world_of(tmp_path, "source: onnx, uri: 's3://media/models/m.onnx'")
    world.media.write("media", "models/m.onnx", onnx_file, content_type="application/octet-stream")
    run(world)
    world.media.write("media", key(0), png(255), content_type="image/png")
    add_references(world, [0], media_version="v2")
    assert run(world)["scored"] == 1
    said = predictions(world, "model-")[0]
    assert (said["predicted"], said["media_version"]) == ("2", "v2")


def test_a_model_whose_answers_are_no_probabilities_stops_the_stage(tmp_path):
    spec = SPEC.replace("width: 8, height: 8", "width: 3, height: 1")
    world = world_of(tmp_path, "source: onnx, uri: 's3://media/models/m.onnx'", spec=spec)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3]) for name in ("x", "y")]
    pixels = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "pixels", ends[:1], ends[1:])
    model = helper.make_model(pixels, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    world.media.write("media", "models/m.onnx", model.SerializeToString(), content_type="x")
    with pytest.raises(InputError, match="not_summing_to_one"):
        run(world)
    assert predictions(world, "model-") == []


def test_a_missing_model_file_is_named_by_its_field(tmp_path):
    world = world_of(tmp_path, "source: onnx, uri: 's3://media/models/none.onnx'")
    with pytest.raises(InputError, match=r"model\.uri"):
        run(world)


def put_parquet(world, **columns) -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    world.media.write("media", "said.parquet", buffer.getvalue(), content_type="x")


def test_predictions_from_parquet_come_in_once_and_refused_rows_are_counted(tmp_path):
    world = world_of(tmp_path, "source: parquet, uri: 's3://media/said.parquet'")
    sound = [0.2, 0.3, 0.5]
    put_parquet(world, key=[key(0), key(1), "digits/unknown"], probabilities=[sound, [1.0, 1.0, 1.0], sound])
    counts = run(world)
    assert (counts["scored"], counts["refused"]) == (1, 2)
    assert predictions(world, "parquet-")[0]["predicted"] == "2"
    rules = world.table("quarantine").read()["rule"].to_pylist()
    assert sorted(rules) == ["not_summing_to_one", "unknown_reference"]
    run(world)
    assert (world.table("quarantine").read().num_rows, len(predictions(world, "parquet-"))) == (2, 1)


def test_a_file_with_embeddings_spares_the_reading_of_media(tmp_path):
    world = world_of(tmp_path, "source: parquet, uri: 's3://media/said.parquet'")
    put_parquet(world, key=[key(0)], probabilities=[[0.2, 0.3, 0.5]], embedding=[[1.0, 2.0]])
    assert "read" not in run(world)
    assert predictions(world, "parquet-")[0]["embedding"] == [1.0, 2.0]


def test_a_file_that_is_no_parquet_is_refused_by_name(tmp_path):
    world = world_of(tmp_path, "source: parquet, uri: 's3://media/said.parquet'")
    world.media.write("media", "said.parquet", b"ref_id,probabilities", content_type="x")
    with pytest.raises(InputError, match="no Parquet file"):
        run(world)


def test_without_a_model_of_ours_the_summary_says_so(tmp_path):
    world = world_of(tmp_path, "source: trainer")
    assert score_references(world, lease_of(world, "score")).notes == ("no model yet",)


def test_a_run_killed_between_parts_reads_only_what_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.score._READ", 2)
    world = world_of(tmp_path, "source: none")
    written = []

    def killed(*arguments, **options):
        if len(written) == 2:
            raise LeaseLost("killed")
        written.append(commit(*arguments, **options))
        return written[-1]

    with monkeypatch.context() as patch:
        patch.setattr("tasks.predicting.commit", killed)
        with pytest.raises(LeaseLost):
            run(world)
    assert run(world)["read"] == 2
    assert len(predictions(world, "features-")) == 6


def test_texts_become_vectors_too(tmp_path):
    spec = SPEC.replace("interface:", "interface:\n  media: text").replace("source: trainer", "source: none")
    world = make_world(tmp_path, spec)
    add_references(world, range(2))
    for number, text in enumerate((b"a cat sat", b"\xff")):
        world.media.write("media", key(number), text, content_type="text/plain")
    counts = run(world)
    assert (counts["read"], counts["unreadable"]) == (2, 1)
    assert len(predictions(world, "features-")[0]["embedding"]) == 512


def test_a_model_file_that_was_changed_since_is_not_used(tmp_path, onnx_file):
    world = world_of(tmp_path, "source: trainer")
    row = {"model_version": "model-1", "digest": "0" * 64, "promoted": True, "classes": CLASSES}
    write(world, "models", [row])
    world.published.write("models/model-1/model.onnx", onnx_file, "application/octet-stream")
    with pytest.raises(InputError, match="not the one that was published"):
        run(world)


def test_recordings_have_no_vectors_and_are_neither_read_nor_quarantined(tmp_path):
    spec = SPEC.replace("interface:", "interface:\n  media: audio").replace("source: trainer", "source: none")
    world = make_world(tmp_path, spec)
    add_references(world, range(2))
    assert run(world)["read"] == 0
    assert world.table("quarantine").read().num_rows == 0
    chosen = under_lease(world, "sample", lambda world, lease: choose_batch(world, lease, {}))
    assert chosen.counts["chosen"] > 0
