"""ONNX models: equal to the pipeline they came from, and refused with a reason when they do not fit."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pytest
from onnx import TensorProto, helper

from labelloop.errors import InputError
from labelloop.retrain import fit
from tasks.clients.models import OnnxModel, export_onnx, facts_of, model_version

CLASSES = ("a", "b", "c")


@pytest.fixture(scope="module")
def pipeline():
    random = np.random.default_rng(0)
    features = random.random((300, 6)).astype(np.float32)
    labels = np.array(CLASSES)[(features[:, 0] * 3).astype(int)]
    return fit(features, labels.tolist(), seed=0)


@pytest.fixture(scope="module")
def onnx_file(pipeline):
    return export_onnx(pipeline, 6, {"features": "features-1"})


def test_onnx_gives_the_probabilities_of_scikit_learn(pipeline, onnx_file):
    features = np.random.default_rng(1).random((5000, 6)).astype(np.float32)
    ours = OnnxModel(onnx_file, width=6, classes=CLASSES).probabilities(features)
    assert ours == pytest.approx(pipeline.predict_proba(features), abs=1e-6)


def test_the_same_pipeline_gives_the_same_file_and_name(pipeline, onnx_file):
    again = export_onnx(pipeline, 6, {"features": "features-1"})
    assert model_version(again) == model_version(onnx_file)
    assert model_version(export_onnx(pipeline, 6, {"features": "features-2"})) != model_version(onnx_file)


def test_a_file_carries_its_classes_and_facts(onnx_file):
    assert facts_of(onnx_file) == {"features": "features-1", "classes": '["a", "b", "c"]'}


def test_no_objects_give_no_probabilities(onnx_file):
    model = OnnxModel(onnx_file, width=6, classes=CLASSES)
    assert model.probabilities(np.empty((0, 6), np.float32)).shape == (0, 3)


@pytest.mark.parametrize(
    ("width", "classes", "reason"),
    [(7, CLASSES, "takes 6 features, but .* 7"), (6, ("a", "b"), "knows 3 classes, but 2")],
)
def test_a_model_that_does_not_fit_the_spec_says_how(onnx_file, width, classes, reason):
    with pytest.raises(InputError, match=reason):
        OnnxModel(onnx_file, width=width, classes=classes)


class Exploding:
    def __reduce__(self):
        return open, ("exploded", "w")


@pytest.mark.parametrize("data", [b"", b"no model", pickle.dumps(Exploding())])
def test_anything_but_onnx_is_refused_and_never_executed(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="cannot be opened"):
        OnnxModel(data, width=6, classes=CLASSES)
    assert not (tmp_path / "exploded").exists()


def graph(inputs, outputs, nodes) -> bytes:
    model = helper.make_model(
        helper.make_graph(nodes, "g", inputs, outputs),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    buffer = io.BytesIO(model.SerializeToString())
    return buffer.getvalue()


def same(kind: int, shape: list) -> bytes:
    ends = [helper.make_tensor_value_info(name, kind, shape) for name in ("x", "y")]
    return graph(ends[:1], ends[1:], [helper.make_node("Identity", ["x"], ["y"])])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (same(TensorProto.FLOAT, ["n", 3, 8, 8]), "not one float32 matrix"),
        (same(TensorProto.INT64, ["n", 3]), "not one float32 matrix"),
        (same(TensorProto.FLOAT, [1, 3]), "1 object.* at a time"),
    ],
)
def test_an_input_of_another_shape_or_type_is_named(data, reason):
    with pytest.raises(InputError, match=reason):
        OnnxModel(data, width=3, classes=CLASSES)


def test_an_output_that_breaks_its_own_declaration_is_noticed():
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", "k"]) for name in ("x", "y")]
    data = graph(ends[:1], ends[1:], [helper.make_node("Identity", ["x"], ["y"])])
    with pytest.raises(InputError, match=r"gives \(2, 5\) for 2 objects and 3 classes"):
        OnnxModel(data, width=5, classes=CLASSES).probabilities(np.zeros((2, 5), np.float32))
