"""Scores and selection of the highest, against the barest NumPy that gives the same, and against other packages."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.measure import MIB, Measured, measured
from benchmarks.parts import Figures
from benchmarks.peers import run_peer
from benchmarks.vector_pools import pool_table, probabilities
from labelloop.sampling import Choice, select, select_from_shards

BATCH: Final = 1000
ROWS: Final = 65_536  # read from Parquet at a time
REPEAT: Final = 5
Array = NDArray[np.floating]


def run(quick: bool) -> Figures:
    """Time every score on 1,000,000 x 10 probabilities; quick: 20,000."""
    values = probabilities(20_000 if quick else 1_000_000)
    table, rows, streamed = pool_table(probabilities=values), [], []
    with tempfile.TemporaryDirectory() as folder:
        file, arrays = Path(folder) / "pool.parquet", Path(folder) / "probabilities.npy"
        pq.write_table(table, file, row_group_size=ROWS)
        np.save(arrays, values)
        for name, floor in FLOORS.items():
            bare = measured(partial(_bare, floor, values), REPEAT)
            ours = measured(partial(select, table, BATCH, name), REPEAT)
            rows.append(_row(name, bare, ours, table.nbytes))
            streamed.append(_streamed(name, file, ours, table.nbytes))
        peers = run_peer("scores", arrays, str(BATCH), seconds=300)
    return {
        "title": "Acquisition scores",
        "about": [
            f"The {BATCH:,} highest of {len(values):,} x {values.shape[1]} float32 probabilities. Bare NumPy: the",
            "score in one expression, argpartition, sort. Ours: `select` on an Arrow table, with screening, ids and",
            f"ties; least of {REPEAT} runs. Target: at most 1.5 of bare NumPy, and at most 1.5 x the input in",
            "memory (the table and what is added at the peak, over the table).",
        ],
        "tables": {
            "In memory": rows,
            f"Read from Parquet, {ROWS:,} rows at a time": streamed,
            "Other packages, same array": _peer_rows(peers, rows),
        },
    }


def _bare(score: Callable[[Array], Array], values: Array) -> Array:
    scores = score(values)
    best = np.argpartition(scores, len(scores) - BATCH)[len(scores) - BATCH :]
    return best[np.argsort(-scores[best])]


def _margin(values: Array) -> Array:
    top = np.partition(values, -2, axis=1)
    return 1 - (top[:, -1] - top[:, -2])


def _ratio(values: Array) -> Array:
    top = np.partition(values, -2, axis=1)
    return top[:, -2] / top[:, -1]


FLOORS: Final[dict[str, Callable[[Array], Array]]] = {
    "least_confidence": lambda values: 1 - values.max(axis=1),
    "margin": _margin,
    "ratio": _ratio,
    "entropy": lambda values: -(values * np.log(values + 1e-12)).sum(axis=1),
}


def _row(name: str, bare: Measured, ours: Measured, size: int) -> dict[str, Any]:
    return {
        "score": name,
        "bare NumPy CPU s": bare.cpu_seconds,
        "ours CPU s": ours.cpu_seconds,
        "ours / bare": ours.cpu_seconds / bare.cpu_seconds,
        "bare memory / input": 1 + bare.added_mib * MIB / size,
        "our memory / input": 1 + ours.added_mib * MIB / size,
    }


def _streamed(name: str, file: Path, whole: Measured, size: int) -> dict[str, Any]:
    found = measured(lambda: select_from_shards(_batches(file), Choice(BATCH, name)))
    return {
        "score": name,
        "CPU s, reading included": found.cpu_seconds,
        "memory / input": found.added_mib * MIB / size,
        "same references": "yes" if found.result["ref_id"].equals(whole.result["ref_id"]) else "NO",
    }


def _batches(file: Path) -> Iterator[pa.Table]:
    with pq.ParquetFile(file, pre_buffer=False) as opened:
        for batch in opened.iter_batches(batch_size=ROWS):
            yield pa.Table.from_batches([batch])


def _peer_rows(peers: dict[str, Any], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ours = {row["score"]: row["ours CPU s"] for row in rows}
    if "failed" in peers:
        return [{"package": "all", "outcome": peers["failed"]}]
    return [
        {"package": name, "CPU s": found["cpu_seconds"], "theirs / ours": found["cpu_seconds"] / ours[found["score"]]}
        for name, found in peers.items()
    ]
