"""A pool in shards on disk, larger than memory should be: time, memory, and what merging costs in quality."""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from benchmarks.k_center import radius
from benchmarks.measure import measured
from benchmarks.parts import Figures
from benchmarks.vector_pools import WIDTH, pool_table, probabilities, shard_of
from labelloop.sampling import Choice, select, select_from_shards

BATCH: Final = 1000
SHARD: Final = 500_000
FREE: Final = 2  # times the files: so much room is asked of the disk


def run(quick: bool) -> Figures:
    """Choose 1,000 of 10,000,000 x 384 float16, 500,000 at a time, and compare with one machine at 1,000,000."""
    shards, size = (4, 5_000) if quick else (20, SHARD)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        room = shutil.disk_usage(folder).free // (FREE * 2 * WIDTH * size)
        files = [_written(folder, shard, size) for shard in range(min(shards, room))]
        whole = measured(lambda: select_from_shards(map(_table, files), Choice(BATCH, "k_center")))
        found = _against_one_machine(files[: max(2, 1_000_000 // size)])
        read = measured(lambda: [_table(file).num_rows for file in files])
    return {
        "title": "Shards",
        "about": [
            f"{BATCH:,} picks by k-center from {len(files)} shards of {size:,} x {WIDTH} float16 on disk, one in",
            "memory at a time. Target: under 3 GiB. Below: some shards against the same rows as one pool: a radius",
            "at most twice as large, and for scores the same references.",
        ],
        "tables": {
            "From disk": [
                {
                    "references": len(files) * size,
                    "s": whole.seconds,
                    "CPU s": whole.cpu_seconds,
                    "of it reading, CPU s": read.cpu_seconds,
                    "memory added, GiB": whole.added_mib / 1024,
                }
            ],
            "Quality": found,
        },
    }


def _written(folder: Path, shard: int, size: int) -> Path:
    file = folder / f"{shard:03d}.npy"
    np.save(file, shard_of(shard, size))
    return file


def _table(file: Path) -> pa.Table:
    """Return a shard as a pool: its rows are numbered after those of the shards before it."""
    points = np.load(file, mmap_mode="r").astype(np.float32)
    first = int(file.stem) * len(points)
    ids = pa.array(np.char.mod("%032x", np.arange(first, first + len(points))), pa.string())
    return pool_table(embedding=points).set_column(0, "ref_id", ids)


def _against_one_machine(files: list[Path]) -> list[dict[str, Any]]:
    shards = [_table(file) for file in files]
    said = probabilities(sum(map(len, shards)))
    shards = [_with_probabilities(shard, said, place, len(shards)) for place, shard in enumerate(shards)]
    whole = pa.concat_tables(shards).combine_chunks()
    points = whole["embedding"].chunk(0).flatten().to_numpy().reshape(len(whole), WIDTH)
    rows = []
    for strategy in ("margin", "k_center", "hybrid"):
        one = measured(partial(select, whole, BATCH, strategy))
        merged = measured(partial(select_from_shards, shards, Choice(BATCH, strategy, share=1 / len(shards))))
        wide, narrow = (radius(points, points[_places(whole, found.result)]) for found in (merged, one))
        rows.append(
            {
                "strategy": strategy,
                "references": len(whole),
                "one pool CPU s": one.cpu_seconds,
                "shards CPU s": merged.cpu_seconds,
                "radius, shards / one": wide / narrow,
                "same references": "yes" if merged.result["ref_id"].equals(one.result["ref_id"]) else "no",
            }
        )
    return rows


def _with_probabilities(shard: pa.Table, said: NDArray[np.float32], place: int, count: int) -> pa.Table:
    part = np.array_split(said, count)[place]
    return shard.append_column("probabilities", pool_table(probabilities=part)["probabilities"])


def _places(pool: pa.Table, chosen: pa.Table) -> NDArray[np.intp]:
    return np.asarray(pc.index_in(chosen["ref_id"], pool["ref_id"].combine_chunks()))
