"""Ten million embeddings in shards on disk, more than memory holds: how long, and how much of it at a time."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from benchmarks.machine import peak_mib
from benchmarks.measure import measured
from benchmarks.parts import Figures
from benchmarks.vector_pools import WIDTH, pool_table, shard_of
from labelloop.sampling import Choice, select_from_shards

BATCH: Final = 1000
SHARDS: Final = 20
SIZE: Final = 500_000
SPARE: Final = 1.2  # so much of the room the files need must be free


def run(quick: bool) -> Figures:
    """Choose 1,000 of 10,000,000 x 384 float16, 500,000 at a time; quick: of 20,000."""
    count, size = (4, 5_000) if quick else (SHARDS, SIZE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fitting = int(shutil.disk_usage(folder).free / (SPARE * 2 * WIDTH * size))
        files = [_written(folder, shard, size) for shard in range(min(count, fitting))]
        read = measured(lambda: [_table(file).num_rows for file in files])
        whole = measured(lambda: select_from_shards(map(_table, files), Choice(BATCH, "k_center")))
        peak = peak_mib()  # since the measurement began, all that the process holds
    return {
        "title": "Ten million embeddings from disk",
        "about": [
            f"{BATCH:,} picks by k-center from {len(files)} shards of {size:,} x {WIDTH} float16 on disk, one in",
            "memory at a time. Target: under 3 GiB, all that the process holds. Run by name alone: it takes minutes",
            "and, for a while, 8 GB of disk.",
        ],
        "tables": {
            "1,000 picks by k-center": [
                {
                    "references": len(files) * size,
                    "s": whole.seconds,
                    "CPU s": whole.cpu_seconds,
                    "of it reading, CPU s": read.cpu_seconds,
                    "peak memory, GiB": peak / 1024,
                }
            ],
        },
    }


def _written(folder: Path, shard: int, size: int) -> Path:
    file = folder / f"{shard:03d}.npy"
    np.save(file, shard_of(shard, size))
    return file


def _table(file: Path) -> pa.Table:
    """Return a shard as a pool: its rows are numbered after those of the shards before it."""
    points = np.load(file, mmap_mode="r").astype(np.float32)
    return pool_table(first=int(file.stem) * len(points), embedding=points)
