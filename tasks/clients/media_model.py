"""ONNX models that read media themselves: image tensors or texts in, probabilities and perhaps an embedding out.

Models over our feature vectors are in `models.py`; how media becomes a tensor is said in `labelloop.preprocessing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from labelloop.preprocessing import Prepared
from labelloop.spec.preprocessing import Preprocessing
from tasks.clients.models import EMBEDDING, onnx_errors, open_session, probabilities_output, unfit

_TYPES = {"float32": "tensor(float)", "float16": "tensor(float16)", "uint8": "tensor(uint8)"}
_TEXT = "tensor(string)"


class Said(NamedTuple):
    """What a model says of n objects: `probabilities` (n, classes), `embedding` (n, width) if it gives one."""

    probabilities: NDArray[np.float64]
    embedding: NDArray[np.float32] | None


class MediaModel:
    """A classifier over images or texts, on the CPU."""

    def __init__(self, data: bytes, *, kind: str, declared: Preprocessing, classes: Sequence[str]) -> None:
        """Open a model and check what it takes and gives.

        Args:
            data: the ONNX file.
            kind: `image` or `text`.
            declared: what the spec says it takes.
            classes: the classes its probabilities must stand for, in this order.

        Raises:
            InputError: not an ONNX model, or its input or output does not fit; the message says how.
        """
        self._session, self._declared = open_session(data), declared
        self.classes, self.batch = tuple(classes), declared.batch
        self._input = _text_input(self._session) if kind == "text" else _image_input(self._session, declared)
        self._outputs = [probabilities_output(self._session, len(self.classes))]
        self._outputs += [o.name for o in self._session.get_outputs() if o.name == EMBEDDING]

    @property
    def embeds(self) -> bool:
        """Whether the model gives embeddings too."""
        return EMBEDDING in self._outputs

    def say(self, prepared: Sequence[Prepared]) -> Said:
        """Return what the model says of a batch of prepared objects, at least one.

        Raises:
            InputError: the model fails on them, or gives another shape than it declares.
        """
        with onnx_errors("failed on the media"):
            answers = self._session.run(self._outputs, {self._input.name: self._batch(prepared)})
        told = np.asarray(answers[0], dtype=np.float64)
        if told.shape != (len(prepared), len(self.classes)):
            raise unfit(f"gives {told.shape} for {len(prepared)} objects and {len(self.classes)} classes")
        probabilities = np.asarray(softmax(told, axis=1)) if self._declared.softmax else told
        return Said(probabilities, _vectors(answers[1], len(prepared)) if len(answers) > 1 else None)

    def _batch(self, prepared: Sequence[Prepared]) -> NDArray[Any]:
        if self._input.type == _TEXT:
            return np.array(prepared, dtype=object).reshape(-1, *(1,) * (len(self._input.shape) - 1))
        return np.stack([np.asarray(one) for one in prepared])


def _image_input(session: Any, declared: Preprocessing) -> Any:
    size = (declared.height, declared.width)
    wanted = (len(declared.mode), *size) if declared.layout == "NCHW" else (*size, len(declared.mode))
    given = _only_input(session)
    fits = given.type == _TYPES[declared.dtype] and len(given.shape) == 4
    if not fits or any(isinstance(g, int) and g != w for g, w in zip(given.shape[1:], wanted, strict=True)):
        raise unfit(f"takes {given.type} {given.shape}, but the spec declares {declared.dtype} [n, {wanted}]")
    return given


def _text_input(session: Any) -> Any:
    given = _only_input(session)
    columns = given.shape[1:]
    if given.type != _TEXT or not (columns == [] or columns == [1]):
        raise unfit(f"takes {given.type} {given.shape}, not one text for each object")
    return given


def _only_input(session: Any) -> Any:
    inputs = session.get_inputs()
    if len(inputs) != 1:
        raise unfit(f"takes {len(inputs)} inputs, not one")
    if isinstance(inputs[0].shape[0], int):
        raise unfit(f"takes {inputs[0].shape[0]} object(s) at a time, not any number")
    return inputs[0]


def _vectors(answer: Any, n: int) -> NDArray[np.float32]:
    vectors = np.asarray(answer, dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != n or not np.isfinite(vectors).all():
        raise unfit(f"gives an embedding of shape {vectors.shape} for {n} objects, or one that is not finite")
    return vectors
