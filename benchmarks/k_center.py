"""k-center and what is built on it, against the one-at-a-time NumPy greedy and against other packages."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans

from benchmarks.measure import MIB, Measured, measured
from benchmarks.parts import Figures
from benchmarks.peers import run_peer
from benchmarks.vector_pools import SEED, WIDTH, clustered, gaussian, pool_table, probabilities
from labelloop.sampling import select

BATCH: Final = 1000
Row = dict[str, Any]


def run(quick: bool) -> Figures:
    """Time 1,000 picks from 100,000 and 1,000,000 embeddings of 384 numbers; quick: 5,000 and 10,000."""
    small, large = (5_000, 10_000) if quick else (100_000, 1_000_000)
    exact, points = [], clustered(small)
    exact.append(_against_greedy("clustered", points))
    exact.append(_against_greedy("Gaussian, no structure", gaussian(small)))
    peers = _peers(points[:10_000])
    diverse = _diverse(points)
    del points
    return {
        "title": "k-center, hybrid and diverse batches",
        "about": [
            f"{BATCH:,} picks from float32 vectors of {WIDTH}; clustered: unit vectors about 200 middles. The greedy",
            "is the matrix-vector form in NumPy, one product with the whole pool for each pick; ours is `select` on",
            "an Arrow table. Targets, clustered: the radius of the greedy, at least 5 times as fast; a million under",
            "a quarter of 91 s with at most 1.5 x the pool in memory; the hybrid within twice of k-center; 8 times",
            "as fast as MiniBatchKMeans; BADGE and typicality under 30 s. CPU seconds count all cores.",
        ],
        "tables": {
            f"k-center, {small:,}: exact greedy and ours": exact,
            f"{large:,}: k-center and hybrid": _large(large),
            f"Diverse batches, {small:,} clustered": diverse,
            "Other packages: scikit-activeml CoreSet, 100 picks from 10,000": [peers],
        },
    }


def greedy(points: NDArray[np.float32], count: int, first: int) -> tuple[list[int], float]:
    """Return the picks of the exact greedy and its radius, one product with the whole pool for each."""
    lengths = np.einsum("ij,ij->i", points, points)
    nearest, rows = np.full(len(points), np.inf, dtype=np.float32), [first]
    for _ in range(count):
        away = lengths + lengths[rows[-1]] - 2 * (points @ points[rows[-1]])
        np.minimum(nearest, away, out=nearest)
        rows.append(int(nearest.argmax()))
    return rows[:-1], float(np.sqrt(max(nearest.max(), 0)))


def _against_greedy(name: str, points: NDArray[np.float32]) -> Row:
    table = pool_table(embedding=points)
    ours = measured(partial(select, table, BATCH, "k_center"))
    rows = _rows(ours)
    bare = measured(partial(greedy, points, BATCH, rows[0]))
    return {
        "pool": name,
        "greedy s": bare.seconds,
        "ours s": ours.seconds,
        "greedy / ours": bare.seconds / ours.seconds,
        "greedy CPU s": bare.cpu_seconds,
        "ours CPU s": ours.cpu_seconds,
        "greedy / ours, CPU": bare.cpu_seconds / ours.cpu_seconds,
        "greedy radius": bare.result[1],
        "our radius": radius(points, points[rows]),
    }


def radius(points: NDArray[np.float32], centres: NDArray[np.float32]) -> float:
    """Return the largest distance of a point to its nearest centre."""
    lengths, worst = np.einsum("ij,ij->i", centres, centres), 0.0
    for start in range(0, len(points), 16_384):
        block = points[start : start + 16_384]
        away = (lengths - 2 * (block @ centres.T)).min(axis=1) + np.einsum("ij,ij->i", block, block)
        worst = max(worst, float(away.max()))
    return float(np.sqrt(worst))


def _large(count: int) -> list[Row]:
    table = pool_table(embedding=clustered(count), probabilities=probabilities(count))
    size = table["embedding"].nbytes
    found = {name: measured(partial(select, table, BATCH, name)) for name in ("k_center", "hybrid")}
    return [
        {
            "strategy": name,
            "s": ours.seconds,
            "CPU s": ours.cpu_seconds,
            "CPU / k-center": ours.cpu_seconds / found["k_center"].cpu_seconds,
            "memory / pool": 1 + ours.added_mib * MIB / size,
        }
        for name, ours in found.items()
    ]


def _diverse(points: NDArray[np.float32]) -> list[Row]:
    table = pool_table(embedding=points, probabilities=probabilities(len(points)))
    kmeans = MiniBatchKMeans(BATCH, batch_size=4096, n_init=1, random_state=SEED)
    theirs = measured(partial(kmeans.fit_predict, points))
    names = ("k_center", "hybrid", "badge", "typiclust", "k_means", "facility_location")
    found = {"scikit-learn MiniBatchKMeans": theirs}
    found |= {name: measured(partial(select, table, BATCH, name)) for name in names}
    return [
        {
            "strategy": name,
            "s": one.seconds,
            "CPU s": one.cpu_seconds,
            "MiniBatchKMeans / it, CPU": theirs.cpu_seconds / one.cpu_seconds,
        }
        for name, one in found.items()
    ]


def _peers(points: NDArray[np.float32]) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "points.npy"
        np.save(file, points)
        theirs = run_peer("core_set", file, "100", seconds=300)
    ours = measured(partial(select, pool_table(embedding=points), 100, "k_center"), repeat=3)
    if "failed" in theirs:
        return {"package": "scikit-activeml", "outcome": theirs["failed"]}
    ratio = theirs["cpu_seconds"] / ours.cpu_seconds
    return {"CPU s": theirs["cpu_seconds"], "ours CPU s": ours.cpu_seconds, "theirs / ours": ratio}


def _rows(chosen: Measured) -> list[int]:
    table: pa.Table = chosen.result
    return [int(ref, 16) for ref in table["ref_id"].to_pylist()]
