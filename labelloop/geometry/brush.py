"""Masks as Label Studio stores them: a picture, or a run-length code of its bytes red, green, blue and alpha.

The code is that of `@thi.ng/rle-pack`: a header (32 bits: how many words; 5: bits of a word, less one; four times 4:
bits of a run's length, less one), then runs (a bit: whether one word is repeated; 2: which of the four; length less
one; the word or words). A pixel is covered where alpha is not 0.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from labelloop.errors import InputError
from labelloop.geometry.masks import Runs, runs_where
from labelloop.geometry.shapes import IntArray

CHANNELS = 4


class _Bits:
    """Reads numbers of so many bits, one after the other."""

    def __init__(self, code: Sequence[int]) -> None:
        self.bits = np.unpackbits(np.array(code, dtype=np.uint8))
        self.at = 0

    def number(self, width: int) -> int:
        return int(self.numbers(width, 1)[0])

    def numbers(self, width: int, count: int) -> IntArray:
        wanted = self.bits[self.at : self.at + width * count]
        if len(wanted) < width * count:
            raise InputError("the code of a mask ends too early", remedy="collect the annotation again")
        self.at += width * count
        powers = 1 << np.arange(width - 1, -1, -1, dtype=np.int64)
        return wanted.reshape(count, width).astype(np.int64) @ powers


def covered_runs(code: Sequence[int]) -> Runs:
    """Runs of covered pixels, ascending and apart.

    Raises:
        InputError: the code ends before the image does.

    >>> eight_opaque_bytes = [0, 0, 0, 8, 57, 27, 252, 255, 224]
    >>> [part.tolist() for part in covered_runs(eight_opaque_bytes)]
    [[0], [2]]
    """
    found = [run for run in _runs(code) if run[1] > run[0]]
    start, end = np.array(found, dtype=np.int64).reshape(-1, 2).T
    apart = np.flatnonzero(start[1:] != end[:-1])
    return start[np.union1d(apart + 1, np.arange(len(start))[:1])], end[np.union1d(apart, np.arange(len(end))[-1:])]


def opaque_runs(image: str) -> Runs:
    """Runs of the pixels of a picture that are not wholly transparent; the picture is a data URL, as of a bitmask.

    Raises:
        InputError: there is no picture in it.
    """
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(image.partition(",")[2], validate=True)))
        return runs_where(np.asarray(picture.convert("RGBA"))[..., CHANNELS - 1].ravel() > 0)
    except (OSError, ValueError) as error:
        raise InputError("the picture of a mask cannot be read", remedy="collect the annotation again") from error


def _runs(code: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Runs of covered pixels as they come, some of them empty."""
    bits = _Bits(code)
    size, width = bits.number(32), bits.number(5) + 1
    lengths = (bits.numbers(4, 4) + 1).tolist()
    at = 0
    while at < size:
        repeated = bits.number(1)
        count = bits.number(lengths[bits.number(2)]) + 1
        if repeated:
            if bits.number(width):
                yield at // CHANNELS, (at + count) // CHANNELS
        else:
            alpha = bits.numbers(width, count)[(CHANNELS - 1 - at) % CHANNELS :: CHANNELS]
            start, end = runs_where(alpha != 0)
            yield from zip((start + at // CHANNELS).tolist(), (end + at // CHANNELS).tolist(), strict=True)
        at += count
