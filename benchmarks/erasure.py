"""Deleting rows of erased references from a table of the lake, and purging: bytes rewritten, processor seconds a GB.

The yardstick is Amazon S3 Find and Forget, whose published costs imply how much a processor of its gets through.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from benchmarks.measure import measured
from benchmarks.parts import Figures
from labelloop.contracts import contract
from tasks.clients.lake import Lake, LakeTable

SEED: Final = 7
FILES: Final = 16
WIDTH: Final = 64  # numbers in an embedding
CLASSES: Final = 10
ERASED: Final = (1, 10, 100, 1000)
GB: Final = 10**9
# Its COST_OVERVIEW prices four scenarios of Snappy Parquet: 100 GB, 750 GB, 10 TB, 50 TB; its best is the yardstick.
PEER_GB_PER_VCPU_HOUR: Final = (8.3, 5.0, 10.2, 12.2)
TARGET: Final = 20


def run(quick: bool) -> Figures:
    """Delete 1, 10, 100 and 1,000 references of 320,000 predictions, each time of all; quick: of 80,000."""
    rows = 5_000 if quick else 20_000
    with tempfile.TemporaryDirectory() as folder:
        found = [_deleted(Path(folder) / str(number), rows, number) for number in ERASED]
    slowest = max(row["core s per GB of the table"] for row in found)
    best = 3600 / max(PEER_GB_PER_VCPU_HOUR)
    return {
        "title": "Erasure",
        "about": [
            f"{rows * FILES:,} predictions with embeddings of {WIDTH} numbers in {FILES} files on the local disk;",
            "references drawn at random, all deleted in one commit, then purged: old files, log. A Delta table is",
            "rewritten file by file, so a batch of requests costs little more than one of them.",
            f"Amazon S3 Find and Forget publishes costs from which {min(PEER_GB_PER_VCPU_HOUR)} to",
            f"{max(PEER_GB_PER_VCPU_HOUR)} GB of Parquet in a processor hour follow, at best {best:.0f} core seconds",
            f"a GB. Target: at least {TARGET} times fewer a GB of the table.",
            f"Here: {best / slowest:.0f} times fewer in the worst case.",
        ],
        "tables": {"Deleting and purging": found},
        "times_fewer": round(best / slowest, 1),
    }


def _deleted(folder: Path, rows: int, number: int) -> dict[str, Any]:
    """Make the table anew, delete and purge so many references, and return what it cost."""
    table = Lake(str(folder)).table("predictions", "bench")
    keys = _fill(table, rows)
    erased = list(np.random.default_rng(SEED).choice(keys, number, replace=False))
    before = _files(folder)
    deletion = measured(lambda: table.delete("ref_id", erased, fence=_free))
    written = {path: size for path, size in _files(folder).items() if path not in before}
    purge = measured(lambda: table.purge(fence=_free))
    size, rewritten = sum(before.values()) / GB, sum(written.values()) / GB
    core = deletion.cpu_seconds + purge.cpu_seconds
    return {
        "references erased": number,
        "table GB": round(size, 3),
        "files rewritten": len(written),
        "rewritten MB a reference": round(1000 * rewritten / number, 3),
        "s": round(deletion.seconds + purge.seconds, 2),
        "core s": round(core, 2),
        "core s per GB of the table": round(core / size, 2),
        "core s per GB rewritten": round(core / rewritten, 2),
        "peak added MiB": round(max(deletion.added_mib, purge.added_mib)),
    }


def _fill(table: LakeTable, rows: int) -> list[str]:
    """Write the files one by one and return every reference in them."""
    keys: list[str] = []
    for batch in _batches(rows):
        table.append([batch], fence=_free)
        keys += batch["ref_id"].to_pylist()
    return keys


def _batches(rows: int) -> Iterator[pa.Table]:
    rules, rng = contract("predictions"), np.random.default_rng(SEED)
    for _ in range(FILES):
        numbers = {"probabilities": CLASSES, "embedding": WIDTH}
        values: dict[str, Any] = {
            "ref_id": [rng.bytes(16).hex() for _ in range(rows)],
            "model_version": ["model-0"] * rows,
            "media_version": [rng.bytes(8).hex() for _ in range(rows)],
            "predicted": rng.integers(0, CLASSES, rows).astype(str),
            "confidence": rng.random(rows),
            "created_at": np.full(rows, np.datetime64("2026-11-02T06:00", "us")),
        }
        for name, width in numbers.items():
            flat = pa.array(rng.random(rows * width), contract("predictions").schema.field(name).type.value_type)
            values[name] = pa.ListArray.from_arrays(pa.array(np.arange(0, rows * width + 1, width), pa.int32()), flat)
        yield pa.table({f.name: _column(f, values.get(f.name), rows) for f in rules.schema}, schema=rules.schema)


def _column(field: pa.Field, values: Any, rows: int) -> pa.Array:
    if values is None:
        return pa.nulls(rows, field.type)
    return (values if isinstance(values, pa.Array) else pa.array(values)).cast(field.type)


def _files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_size for path in folder.rglob("*.parquet") if "_delta_log" not in path.parts}


def _free() -> None:
    """Let everything pass: nobody else is here."""
