"""The pools that sampling is timed on: class probabilities, and embeddings in clusters or without structure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelloop.vectors import lists_of

SEED = 7
WIDTH = 384
CLUSTERS = 200
SPREAD = 0.05  # of each coordinate about the middle of its cluster; together as long as the middle itself
BLOCK = 65_536


def probabilities(count: int) -> NDArray[np.float32]:
    """Return (count, 10) float32 class probabilities, drawn evenly from all there are."""
    return np.random.default_rng(SEED).dirichlet(np.ones(10), count).astype(np.float32)


def clustered(count: int) -> NDArray[np.float32]:
    """Return (count, 384) float32 unit vectors in 200 clusters."""
    return _filled(count, _cluster_blocks(count, SEED))


def gaussian(count: int) -> NDArray[np.float32]:
    """Return (count, 384) float32 without structure, the hardest case: all points are far from each other."""
    rng = np.random.default_rng(SEED)
    blocks = (rng.standard_normal((size, WIDTH), dtype=np.float32) for size in _sizes(count))
    return _filled(count, blocks)


def shard_of(shard: int, count: int) -> NDArray[np.float16]:
    """Return one shard of clustered unit vectors in half precision; the clusters are those of every other shard."""
    return _filled(count, _cluster_blocks(count, SEED + 1 + shard)).astype(np.float16)


def pool_table(*, first: int = 0, **columns: NDArray[np.floating]) -> pa.Table:
    """Return a pool of these columns with ascending ids from this number on; the arrays are not copied."""
    count = len(next(iter(columns.values())))
    ids = pa.array(np.char.mod("%032x", np.arange(first, first + count)), pa.string())
    return pa.table({"ref_id": ids, **{name: lists_of(values) for name, values in columns.items()}})


def _cluster_blocks(count: int, seed: int) -> Iterator[NDArray[np.float32]]:
    middles = np.random.default_rng(SEED).standard_normal((CLUSTERS, WIDTH), dtype=np.float32)
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    rng = np.random.default_rng([SEED, seed])
    for size in _sizes(count):
        block = rng.standard_normal((size, WIDTH), dtype=np.float32) * np.float32(SPREAD)
        block += middles[rng.integers(0, CLUSTERS, size)]
        yield block / np.linalg.norm(block, axis=1, keepdims=True)


def _filled(count: int, blocks: Iterator[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the blocks as one array, without holding them twice."""
    points = np.empty((count, WIDTH), dtype=np.float32)
    start = 0
    for block in blocks:
        points[start : start + len(block)] = block
        start += len(block)
    return points


def _sizes(count: int) -> list[int]:
    return [min(BLOCK, count - start) for start in range(0, count, BLOCK)]
