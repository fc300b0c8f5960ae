"""Near-duplicates: references with the same bytes, with nearly the same picture, or with nearly the same embedding.

Whether a near-duplicate may be chosen is decided in `admission.py`, which of them form one unit in
`labelloop.unit_builders`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.fft import dctn

from labelloop.errors import InputError
from labelloop.sampling.reading import has
from labelloop.spec.sampling import NearDuplicates
from labelloop.vectors import matrix

SIDE: Final = 8  # a perceptual hash has 8 x 8 bits
CELLS: Final = 8_000_000  # comparisons made at a time

Rows = NDArray[np.intp]


class Likeness(Protocol):
    """A way in which references can be alike; a reference without the feature is like no other."""

    def near(self, rows: Sequence[int] | Rows) -> NDArray[np.bool_]:
        """Mask over all references: which are like any of these rows."""

    def between(self, row: int, others: Sequence[int] | Rows) -> NDArray[np.bool_]:
        """Which of the others are like the row."""


class SameBytes:
    """Alike are references of equal content digest."""

    def __init__(self, digests: pa.ChunkedArray) -> None:
        """Take one digest for each reference, or null."""
        codes = pc.dictionary_encode(digests).combine_chunks().indices
        self._codes = codes.fill_null(-1).to_numpy(zero_copy_only=False)

    def near(self, rows: Sequence[int] | Rows) -> NDArray[np.bool_]:
        """Mask over all references: whose digest is that of any of these rows."""
        wanted = self._codes[rows]
        return np.isin(self._codes, wanted[wanted >= 0])

    def between(self, row: int, others: Sequence[int] | Rows) -> NDArray[np.bool_]:
        """Which of the others have the row's digest."""
        return np.asarray((self._codes[others] == self._codes[row]) & (self._codes[row] >= 0))


class SimilarHash:
    """Alike are references whose 64-bit hashes differ in at most so many bits."""

    def __init__(self, hashes: pa.ChunkedArray, bits: int) -> None:
        """Take one hash for each reference, or null."""
        self._known = pc.is_valid(hashes).to_numpy()
        self._hashes = hashes.cast(pa.uint64()).fill_null(0).to_numpy()
        self._bits = bits

    def near(self, rows: Sequence[int] | Rows) -> NDArray[np.bool_]:
        """Mask over all references: whose hash is near that of any of these rows."""
        found = np.zeros(len(self._hashes), dtype=bool)
        for row in np.asarray(rows, dtype=np.intp):
            found |= self._differs_little(row, self._hashes) & self._known & self._known[row]
        return found

    def between(self, row: int, others: Sequence[int] | Rows) -> NDArray[np.bool_]:
        """Which of the others have a hash near the row's."""
        return np.asarray(self._differs_little(row, self._hashes[others]) & self._known[others] & self._known[row])

    def _differs_little(self, row: int, hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
        return np.asarray(np.bitwise_count(hashes ^ self._hashes[row]) <= self._bits)


class WithinRadius:
    """Alike are references whose embeddings are at most so far apart (Euclidean)."""

    def __init__(self, embedding: pa.ChunkedArray, radius: float) -> None:
        """Take one embedding for each reference; an unusable one is like no other."""
        values = matrix(embedding).values
        self._points = values - np.nan_to_num(np.nanmean(values, axis=0)) if len(values) else values
        self._squares = np.einsum("ij,ij->i", self._points, self._points)
        self._reach = radius**2

    def near(self, rows: Sequence[int] | Rows) -> NDArray[np.bool_]:
        """Mask over all references: which lie within the radius of any of these rows."""
        found = np.zeros(len(self._points), dtype=bool)
        centres, lengths = self._points[rows], self._squares[rows]
        step = max(1, CELLS // max(1, len(centres)))
        for start in range(0, len(found) if len(centres) else 0, step):
            some = slice(start, start + step)
            squared = self._squares[some, None] + lengths - 2.0 * (self._points[some] @ centres.T)
            found[some] = (squared <= self._reach).any(axis=1)
        return found

    def between(self, row: int, others: Sequence[int] | Rows) -> NDArray[np.bool_]:
        """Which of the others lie within the radius of the row."""
        difference = self._points[others] - self._points[row]
        return np.asarray(np.einsum("ij,ij->i", difference, difference) <= self._reach)


def likenesses(table: pa.Table, near: NearDuplicates) -> list[Likeness]:
    """The ways asked for in which rows of this table can be alike; by bytes where there is a column `digest`.

    >>> likenesses(pa.table({"digest": ["x", "x", None]}), NearDuplicates())[0].near([0]).tolist()
    [True, True, False]
    """
    found: list[Likeness] = []
    if near.exact and has(table, "digest"):
        found.append(SameBytes(table["digest"]))
    if near.perceptual_bits is not None:
        found.append(SimilarHash(table["perceptual_hash"], near.perceptual_bits))
    if near.radius is not None:
        found.append(WithinRadius(table["embedding"], near.radius))
    return found


def perceptual_hash(pixels: NDArray[np.floating], height: int, width: int) -> NDArray[np.uint64]:
    """64 bits of each of (n, height x width) grey pictures that hardly change when it is scaled or recoded.

    Whether each of the 8 x 8 lowest frequencies of the cosine transform lies above their median. Source: pHash,
    Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010.

    Raises:
        InputError: the pictures are smaller than 8 x 8.

    >>> picture = np.arange(64.0)[None]
    >>> bool((perceptual_hash(picture, 8, 8) == perceptual_hash(2 * picture + 1, 8, 8)).all())
    True
    """
    if height < SIDE or width < SIDE:
        raise InputError(
            f"pictures of {width} x {height} are too small for a perceptual hash",
            remedy="declare features of 8 x 8 or larger, or leave perceptual_bits out",
        )
    found = np.empty(len(pixels), dtype=np.uint64)
    step = max(1, CELLS // (height * width))
    for start in range(0, len(pixels), step):
        part = pixels[start : start + step].reshape(-1, height, width)
        low = dctn(part, axes=(1, 2), norm="ortho")[:, :SIDE, :SIDE].reshape(-1, SIDE * SIDE)
        low[:, 0] = 0.0  # brightness says nothing of the picture
        above = low > np.median(low, axis=1, keepdims=True) + 1e-9
        found[start : start + step] = np.packbits(above, axis=1).view(">u8").ravel()
    return found
