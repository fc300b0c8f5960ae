"""The media that stages are timed on: scikit-learn's digits, and as many synthetic ones as wanted."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from deployments.demo import digits
from labelloop.spec import ProjectSpec, load_spec

_SPEC = Path(__file__).parent.parent / "deployments" / "projects" / "digits.yaml"
_CLASSES = [str(digit) for digit in range(10)]


@dataclass(frozen=True)
class Pool:
    """Media with their truth, by object key, and the spec that describes the work on them."""

    name: str
    spec: ProjectSpec
    media: Iterator[tuple[str, bytes]]
    truth: dict[str, str]


def real_digits() -> Pool:
    """Return the 1,797 digits of the demo with the demo's spec."""
    truth = digits.truth()
    return Pool("digits", _spec(), zip(truth, digits.images(len(truth)), strict=True), truth)


def synthetic(count: int, seed: int) -> Pool:
    """Return that many 8 x 8 images: ten prototypes with noise, a batch of a thousand."""
    numbers = np.random.default_rng(seed)
    prototypes = numbers.integers(0, 256, (len(_CLASSES), 8, 8))
    classes = numbers.integers(0, len(_CLASSES), count)
    truth = {f"digits/subject-{i:07d}/image.png": _CLASSES[c] for i, c in enumerate(classes)}
    pixels = (np.clip(prototypes[c] + numbers.normal(0, 60, (8, 8)), 0, 255).astype(np.uint8) for c in classes)
    return Pool(f"synthetic-{count}", _spec(1000), zip(truth, map(_png, pixels), strict=True), truth)


def _spec(batch_size: int | None = None) -> ProjectSpec:
    spec = load_spec(_SPEC.read_text(encoding="utf-8"))
    if batch_size is None:
        return spec
    size = {"batch_size": batch_size, "max_open_tasks": 10 * batch_size}
    return spec.model_copy(update={"sampling": spec.sampling.model_copy(update=size)})


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
