"""Models that read media themselves: fed as declared, batch by batch, refused with a reason when they do not fit."""

from __future__ import annotations

import io

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from labelloop.errors import InputError, LeaseLost
from labelloop.spec.preprocessing import Preprocessing
from tasks.clients.media_model import MediaModel
from tasks.contracts import commit
from tests.builders.digits import SPEC
from tests.builders.rows import hex_id
from tests.fakes.world import make_world
from tests.stages.test_score import add_references, key, predictions, run

CLASSES = ["0", "1", "2"]
DECLARED = "width: 2, height: 2, mode: RGB, fit: stretch, batch: 4"
ONNX = "source: onnx, uri: 's3://media/models/m.onnx', preprocessing: {%s}"


def dark_or_bright(
    *, kind: int = TensorProto.FLOAT, shape: tuple = ("n", 3, 2, 2), ending: str = "Softmax", embedding: bool = False
) -> bytes:
    """A model that says 0 of dark images, 1 of grey ones, 2 of bright ones, by their mean pixel."""
    ends = [helper.make_tensor_value_info("x", kind, shape)]
    outputs = [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["n", 3])]
    nodes = [
        helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["f"], ["m"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Unsqueeze", ["m", "one"], ["embedding"]),
        helper.make_node("Gemm", ["embedding", "w", "b"], ["logits"]),
        helper.make_node(ending, ["logits"], ["p"]),
    ]
    if embedding:
        outputs.append(helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 1]))
    weights = [
        numpy_helper.from_array(np.array([1], dtype=np.int64), "one"),
        numpy_helper.from_array(np.array([[-20.0, 0.0, 20.0]], dtype=np.float32), "w"),
        numpy_helper.from_array(np.array([8.0, 2.0, -12.0], dtype=np.float32), "b"),
    ]
    graph = helper.make_graph(nodes, "g", ends, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def solid(level: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (level, level, level)).save(buffer, "PNG")
    return buffer.getvalue()


def world_of(tmp_path, model: bytes, *, declared: str = DECLARED, objects: int = 6):
    world = make_world(tmp_path, SPEC.replace("source: trainer", ONNX % declared))
    for number in range(objects):
        world.media.write("media", key(number), solid(number * 51), content_type="image/png")
    world.media.write("media", "models/m.onnx", model, content_type="application/octet-stream")
    add_references(world, range(objects))
    return world


def test_a_model_over_images_speaks_of_each_once_in_batches(tmp_path):
    world = world_of(tmp_path, dark_or_bright())
    counts = run(world)
    assert (counts["scored"], counts["refused"], counts["unreadable"], counts["gone"]) == (6, 0, 0, 0)
    assert [row["predicted"] for row in predictions(world, "model-")] == ["0", "0", "1", "1", "2", "2"]
    assert run(world)["scored"] == 0


def test_without_an_embedding_of_its_own_the_feature_vectors_are_kept_too(tmp_path):
    assert run(world_of(tmp_path, dark_or_bright()))["read"] == 6


def test_an_output_named_embedding_is_kept_and_spares_the_feature_vectors(tmp_path):
    world = world_of(tmp_path, dark_or_bright(embedding=True))
    assert "read" not in run(world)
    assert [row["embedding"] for row in predictions(world, "model-")] == [
        pytest.approx([number * 51 / 255]) for number in range(6)
    ]


def test_logits_become_probabilities_where_the_spec_says_so_and_stop_the_stage_where_not(tmp_path):
    model = dark_or_bright(ending="Identity")
    with pytest.raises(InputError, match=r"no answer of the model is a probability .*declare model\.preprocessing"):
        run(world_of(tmp_path / "undeclared", model))
    world = world_of(tmp_path / "declared", model, declared=f"{DECLARED}, softmax: true")
    run(world)
    honest = world_of(tmp_path / "ending", dark_or_bright())
    run(honest)
    for ours, own in zip(predictions(world, "model-"), predictions(honest, "model-"), strict=True):
        assert ours["probabilities"] == pytest.approx(own["probabilities"], abs=1e-6)


def test_media_of_no_use_is_quarantined_remembered_and_not_read_again(tmp_path):
    world = world_of(tmp_path, dark_or_bright())
    world.media.write("media", key(2), b"no image", content_type="image/png")
    counts = run(world)
    assert (counts["scored"], counts["unreadable"]) == (5, 1)
    assert (
        "the object is no image; upload it again or delete it" in world.table("quarantine").read()["rule"].to_pylist()
    )
    again = run(world)
    assert (again["scored"], again["unreadable"]) == (0, 0)


def test_an_object_that_is_gone_is_counted_and_asked_for_again(tmp_path):
    world = world_of(tmp_path, dark_or_bright())
    add_references(world, [77])
    assert run(world)["gone"] == 1
    assert run(world)["gone"] == 1


def test_another_declaration_is_another_model_and_reads_everything_again(tmp_path):
    world = world_of(tmp_path, dark_or_bright())
    run(world)
    declared = world.spec.model.model_copy(update={"preprocessing": Preprocessing(width=2, height=2, std=(2, 2, 2))})
    object.__setattr__(world, "spec", world.spec.model_copy(update={"model": declared}))
    assert run(world)["scored"] == 6


def test_a_run_killed_between_parts_asks_only_about_what_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.score._ASKED", 2)
    world, written = world_of(tmp_path, dark_or_bright(embedding=True)), []

    def killed(*arguments, **options):
        if len(written) == 2:
            raise LeaseLost("killed")
        written.append(1)
        return commit(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr("tasks.predicting.commit", killed)
        with pytest.raises(LeaseLost):
            run(world)
    assert run(world)["scored"] == 2
    assert [row["ref_id"] for row in predictions(world, "model-")] == [hex_id(n) for n in range(6)]


def test_never_more_than_a_batch_is_held_at_a_time(tmp_path, monkeypatch):
    sizes = []
    say = MediaModel.say
    monkeypatch.setattr(MediaModel, "say", lambda self, prepared: sizes.append(len(prepared)) or say(self, prepared))
    run(world_of(tmp_path, dark_or_bright()))
    assert sizes == [4, 2]


@pytest.mark.parametrize(
    ("model", "changes", "reason"),
    [
        (dark_or_bright(kind=TensorProto.UINT8), {}, r"takes tensor\(uint8\).* the spec declares float32"),
        (dark_or_bright(), {"dtype": "uint8"}, r"takes tensor\(float\)"),
        (dark_or_bright(), {"layout": "NHWC"}, r"takes .*\[n, \(2, 2, 3\)\]"),
        (dark_or_bright(), {"width": 3}, "the spec declares"),
        (dark_or_bright(shape=(1, 3, 2, 2)), {}, "1 object.* at a time"),
    ],
)
def test_a_model_that_takes_something_else_says_what(model, changes, reason):
    declared = Preprocessing(**({"width": 2, "height": 2, "fit": "stretch"} | changes))
    with pytest.raises(InputError, match=reason):
        MediaModel(model, kind="image", declared=declared, classes=CLASSES)


def test_bytes_layout_and_half_precision_reach_the_model():
    image = np.full((2, 2, 3), 255, dtype=np.uint8)
    model = MediaModel(
        dark_or_bright(kind=TensorProto.UINT8, shape=("n", 2, 2, 3)),
        kind="image",
        declared=Preprocessing(width=2, height=2, dtype="uint8", layout="NHWC"),
        classes=CLASSES,
    )
    assert model.say([image]).probabilities.argmax() == 2
    half = MediaModel(
        dark_or_bright(kind=TensorProto.FLOAT16),
        kind="image",
        declared=Preprocessing(width=2, height=2, dtype="float16"),
        classes=CLASSES,
    )
    assert half.say([np.zeros((3, 2, 2), dtype=np.float16)]).probabilities.argmax() == 0


def words(columns: list) -> bytes:
    """A model that knows three texts, one of each class, whether it takes them as a column or as a list."""
    shape = numpy_helper.from_array(np.array([-1, 1], dtype=np.int64), "column")
    weights = numpy_helper.from_array(np.array([[-20.0, 0.0, 20.0]], dtype=np.float32), "w")
    biases = numpy_helper.from_array(np.array([8.0, 2.0, -12.0], dtype=np.float32), "b")
    known = {"keys_strings": ["bad film", "a film", "good film"], "values_floats": [0.0, 0.5, 1.0]}
    nodes = [
        helper.make_node("LabelEncoder", ["x"], ["mood"], domain="ai.onnx.ml", **known),
        helper.make_node("Reshape", ["mood", "column"], ["m"]),
        helper.make_node("Gemm", ["m", "w", "b"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["p"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.STRING, columns)],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["n", 3])],
        [shape, weights, biases],
    )
    sets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=sets, ir_version=8).SerializeToString()


@pytest.mark.parametrize("columns", [["n", 1], ["n"]])
def test_a_model_over_texts_reads_the_words_themselves(tmp_path, columns):
    spec = SPEC.replace("interface:", "interface:\n  media: text").replace("source: trainer", ONNX % "batch: 2")
    world = make_world(tmp_path, spec)
    add_references(world, range(3))
    world.media.write("media", "models/m.onnx", words(columns), content_type="x")
    for number, text in enumerate((b"bad film", b"good film", b"\xff")):
        world.media.write("media", key(number), text, content_type="text/plain")
    counts = run(world)
    assert (counts["scored"], counts["unreadable"]) == (2, 1)
    assert [row["predicted"] for row in predictions(world, "model-")] == ["0", "2", None]


def test_a_model_over_images_cannot_be_declared_for_texts():
    with pytest.raises(InputError, match="not one text for each object"):
        MediaModel(dark_or_bright(), kind="text", declared=Preprocessing(), classes=CLASSES)
