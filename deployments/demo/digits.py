"""The demo's media: the 1,797 handwritten digits of scikit-learn as PNG objects, one data subject each.

The truth stays here: the pipeline never sees it, only the simulated annotators and the judge of the arms do.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from tasks.clients.media_store import MediaStore

COUNT = 1797
_PREFIX = "digits/"
# A person cannot read 8 x 8 pixels; nearest-neighbour enlargement loses nothing when it is shrunk again.
_ENLARGE = 16
_THREADS = 8


def key_of(index: int) -> str:
    """Return the object key of the index-th digit.

    >>> key_of(3)
    'digits/writer-0003/digit.png'
    """
    return f"{_PREFIX}writer-{index:04d}/digit.png"


def subject_of(index: int) -> str:
    """Return the data subject's id of the index-th digit."""
    return f"writer-{index:04d}"


def truth() -> dict[str, str]:
    """Return the true digit of every object key."""
    return {key_of(i): str(digit) for i, digit in enumerate(load_digits().target)}


def features() -> np.ndarray:
    """Return the pixels as the pipeline's feature extractor sees them: (1797, 64), in [0, 1]."""
    return (_grey() / 255).reshape(len(_grey()), -1).astype(np.float32)


def images(count: int) -> list[bytes]:
    """Return the first digits as PNG files."""
    return [_png(pixels) for pixels in _grey()[:count]]


def upload(store: MediaStore, bucket: str, advance: Callable[[int], None], *, count: int = COUNT) -> int:
    """Put those of the first images that are not there yet into the bucket and return how many were put."""
    present = {key for batch in store.list(bucket, _PREFIX) for key in batch["key"].to_pylist()}
    pixels = _grey()[:count]
    missing = [i for i in range(len(pixels)) if key_of(i) not in present]
    advance(len(pixels) - len(missing))

    def put(index: int) -> None:
        store.write(bucket, key_of(index), _png(pixels[index]), content_type="image/png")
        advance(1)

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(put, missing))
    return len(missing)


def _grey() -> np.ndarray:
    """Return the images as bytes, (1797, 8, 8), dark ink on white as on paper."""
    return np.rint(255 - load_digits().images * (255 / 16)).astype(np.uint8)


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.kron(pixels, np.ones((_ENLARGE, _ENLARGE), np.uint8))).save(buffer, "PNG")
    return buffer.getvalue()
