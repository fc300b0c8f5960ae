"""Models as ONNX files: made from a scikit-learn pipeline, opened with onnxruntime, never unpickled.

A file is opened from memory, so it cannot pull in other files. What its answers are worth is judged in `labelloop`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx.helper import set_model_props
from onnxruntime.capi import onnxruntime_pybind11_state as failures
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType

from labelloop.errors import InputError

# Fixed, so that the same pipeline gives the same bytes whatever the newest operator set is.
_OPSET = 17
_ROWS = 4096
EMBEDDING = "embedding"  # an output of this name is no probability
_REAL = ("tensor(float)", "tensor(double)", "tensor(float16)")
_REFUSED = (
    failures.Fail,
    failures.InvalidArgument,
    failures.InvalidGraph,
    failures.InvalidProtobuf,
    failures.NoModel,
    failures.NoSuchFile,
    failures.NotFound,
    failures.NotImplemented,
    failures.RuntimeException,
)


def digest(data: bytes) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def model_version(data: bytes) -> str:
    """Return the name of a model: the beginning of the digest of its file."""
    return f"model-{digest(data)[:16]}"


def export_onnx(pipeline: Any, width: int, facts: Mapping[str, str]) -> bytes:
    """Return a fitted scikit-learn classifier as ONNX; the same pipeline and facts give the same bytes.

    Args:
        pipeline: a fitted pipeline that ends in a classifier with probabilities.
        width: length of its feature vectors.
        facts: short texts kept inside the file.
    """
    shape = [("features", FloatTensorType([None, width]))]
    # Without zipmap the probabilities are one matrix instead of a dict for each row.
    model = to_onnx(pipeline, initial_types=shape, options={"zipmap": False}, target_opset=_OPSET)
    set_model_props(model, {**facts, "classes": json.dumps([str(c) for c in pipeline.classes_])})
    return bytes(model.SerializeToString(deterministic=True))


class OnnxModel:
    """A classifier over feature vectors, on the CPU."""

    def __init__(self, data: bytes, *, width: int, classes: Sequence[str]) -> None:
        """Open a model and check what it takes and gives.

        Args:
            data: the ONNX file.
            width: length of the feature vectors it will be given.
            classes: the classes its probabilities must stand for, in this order.

        Raises:
            InputError: not an ONNX model, or its input or output does not fit; the message says how.
        """
        self._session = open_session(data)
        self.classes = tuple(classes)
        self._input = _input_name(self._session, width)
        self._output = probabilities_output(self._session, len(self.classes))

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return one row of class probabilities for each feature vector; (n, width) to (n, classes).

        Raises:
            InputError: the model fails on these vectors, or gives another shape than it declares.
        """
        found: list[NDArray[np.float64]] = [np.empty((0, len(self.classes)))]
        for start in range(0, len(features), _ROWS):
            part = np.ascontiguousarray(features[start : start + _ROWS], dtype=np.float32)
            with onnx_errors("failed on the features"):
                answer = np.asarray(self._session.run([self._output], {self._input: part})[0])
            if answer.shape != (len(part), len(self.classes)):
                raise unfit(f"gives {answer.shape} for {len(part)} objects and {len(self.classes)} classes")
            found.append(answer.astype(np.float64))
        return np.concatenate(found)


def facts_of(data: bytes) -> dict[str, str]:
    """Return the texts kept inside an ONNX file.

    Raises:
        InputError: not an ONNX model.
    """
    return dict(open_session(data).get_modelmeta().custom_metadata_map)


def open_session(data: bytes) -> Any:
    """Return an inference session on the CPU.

    Raises:
        InputError: not an ONNX model.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is raised; its own lines would bypass our log
    with onnx_errors("cannot be opened"):
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _input_name(session: Any, width: int) -> str:
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 2:
        shown = ", ".join(f"{i.type} {i.shape}" for i in inputs)
        raise unfit(f"takes {shown or 'nothing'}, not one float32 matrix of objects by features")
    rows, columns = inputs[0].shape
    if isinstance(rows, int):
        raise unfit(f"takes {rows} object(s) at a time, not any number")
    if isinstance(columns, int) and columns != width:
        raise unfit(f"takes {columns} features, but the features of the spec have {width}")
    return str(inputs[0].name)


def probabilities_output(session: Any, n_classes: int) -> str:
    """Return the name of the one output that can hold class probabilities; `embedding` is no such name.

    Raises:
        InputError: there is none, there are several, or it is of another width.
    """
    matrices = [o for o in session.get_outputs() if o.type in _REAL and len(o.shape) == 2 and o.name != EMBEDDING]
    if len(matrices) != 1:
        raise unfit(f"has {len(matrices)} outputs that could be probabilities, not one (is zipmap off?)")
    columns = matrices[0].shape[1]
    if isinstance(columns, int) and columns != n_classes:
        raise unfit(f"knows {columns} classes, but {n_classes} are declared")
    return str(matrices[0].name)


def unfit(how: str) -> InputError:
    """Return the error that says how a model does not fit.

    >>> unfit("takes nothing").what
    'the ONNX model takes nothing'
    """
    return InputError(f"the ONNX model {how}", remedy="export it anew, or mend the model and labels of the spec")


@contextmanager
def onnx_errors(what: str) -> Iterator[None]:
    """Turn what onnxruntime raises into our error, without its text, which may quote the input."""
    try:
        yield
    except _REFUSED as error:
        raise unfit(f"{what} ({type(error).__name__})") from None
