"""Media turned into what a model that reads media takes, as the spec declares: an image tensor, or the text itself.

Feature vectors, which are small and kept in the lake, are made in `features.py`; tensors are kept nowhere.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from labelloop.features import open_image, read_text
from labelloop.spec.preprocessing import Preprocessing

Prepared = NDArray[np.generic] | str


def prepare(kind: str, data: bytes, declared: Preprocessing) -> Prepared:
    """Return what the model takes for one media object.

    Args:
        kind: `image` or `text`.
        data: its bytes.
        declared: how an image is cut, scaled, normalised and laid out; a text is handed over as it is.

    Raises:
        InputError: the bytes are not of that kind; the message is the reason.

    >>> prepare("text", b"a cat", Preprocessing())
    'a cat'
    """
    return read_text(data) if kind == "text" else image_tensor(data, declared)


def image_tensor(data: bytes, declared: Preprocessing) -> NDArray[np.generic]:
    """Return an image as (channels, height, width), or (height, width, channels) for layout NHWC.

    uint8: 0 to 255 as stored. float32 and float16: (value / 255 - mean) / std for each channel.

    Raises:
        InputError: the bytes are empty, no image, a damaged one, or one of too many pixels.
    """
    size, filter_ = (declared.width, declared.height), Image.Resampling[declared.resample.upper()]
    image = open_image(data, declared.mode)
    sized = ImageOps.fit(image, size, filter_) if declared.fit == "crop" else image.resize(size, filter_)
    pixels = np.asarray(sized, dtype=np.uint8).reshape(declared.height, declared.width, -1)
    laid_out = pixels.transpose(2, 0, 1) if declared.layout == "NCHW" else pixels
    if declared.dtype == "uint8":
        return np.ascontiguousarray(laid_out)
    return _normalised(laid_out, declared)


def _normalised(pixels: NDArray[np.uint8], declared: Preprocessing) -> NDArray[np.generic]:
    along = (-1, 1, 1) if declared.layout == "NCHW" else (1, 1, -1)
    mean = np.array(declared.mean or (0.0,), dtype=np.float32).reshape(along)
    std = np.array(declared.std or (1.0,), dtype=np.float32).reshape(along)
    scaled = (pixels.astype(np.float32) / np.float32(255) - mean) / std
    return np.ascontiguousarray(scaled.astype(declared.dtype))


def preprocessing_version(kind: str, declared: Preprocessing) -> str:
    """Return a short name of the declaration: the same file read in another way is another model.

    The size of the batch changes no answer and is left out.

    >>> preprocessing_version("image", Preprocessing(batch=1)) == preprocessing_version("image", Preprocessing())
    True
    """
    shown = declared.model_dump_json(exclude={"batch"}) if kind == "image" else str(declared.softmax)
    return hashlib.sha256(f"{kind}/{shown}".encode()).hexdigest()[:8]
