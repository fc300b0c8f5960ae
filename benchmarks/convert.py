"""An export of Label Studio to Parquet: `labelloop convert` beside DuckDB and the SDK's own converter, in one run."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb

from benchmarks.conversions import WAYS
from benchmarks.exports import write_export
from benchmarks.machine import peak_mib_of
from benchmarks.parts import Figures
from benchmarks.peers import run_json

_TASKS: Final = 100_000
_SDK: Final = "SDK converter, "
_SDK_TASKS: Final = 10_000  # it takes a fifth of a millisecond for each, however many there are
_LARGER: Final = 5  # times, to show that memory does not grow
_REPEAT: Final = 9
_SECONDS: Final = 600


def run(quick: bool) -> Figures:
    """Convert 100,000 tasks each way, the SDK's 10,000; quick: a hundredth."""
    sizes = {"small": _SDK_TASKS, "usual": _TASKS, "large": _TASKS * _LARGER}
    sizes = {size: n_tasks // (100 if quick else 1) for size, n_tasks in sizes.items()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size, n_tasks in sizes.items():
            write_export(folder / f"{size}.json", n_tasks)
        runs: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
        for way in [*WAYS] * _REPEAT:  # by turns, so that a slow minute is everybody's
            runs[way].append(run_json(_command(way, _size_for(way), folder), _SECONDS))
        rows = [_row(way, runs[way], sizes[_size_for(way)], folder) for way in WAYS]
        same = _same_rows(folder)
        larger = peak_mib_of(_command("labelloop", "large", folder))
    for row in rows:
        row["theirs / ours, per task"] = row["us per task"] / rows[0]["us per task"]
        row["theirs / ours, CPU per task"] = row["CPU us per task"] / rows[0]["CPU us per task"]
    return {
        "title": "Conversion of exports",
        "about": [
            "Label Studio's JSON export (one choice, up to two boxes a task) to Parquet, each way in a process of",
            f"its own, imports not counted, least of {_REPEAT} runs by turns. DuckDB makes the same rows, equal in",
            "every column, in one query, for these shapes alone and without checks, on all cores or one; ours reads",
            "on all. The SDK's converter makes its own forms on one, of fewer tasks, as it takes as long for each:",
            "its CSV has a row for each annotation with its boxes as JSON, COCO and YOLO have the boxes alone.",
            "Targets: at most 1.5 of DuckDB's time, a tenth of the SDK's per task, below 500 MB whatever the size.",
            "Memory is of all processes, shared pages once, in a run of its own.",
            _missed(rows),
        ],
        "tables": {
            "Each way": rows,
            "Is it the same, does memory grow?": [
                {"what": "rows that differ from DuckDB's", "figure": same},
                {"what": f"peak MiB for {sizes['usual']:,} tasks", "figure": rows[0]["peak MiB"]},
                {"what": f"peak MiB for {sizes['large']:,} tasks", "figure": larger},
            ],
        },
    }


def _missed(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say for which of the SDK's forms a tenth of its time is not reached, and what that tenth is."""
    times = {row["way"]: row["us per task"] for row in rows}
    tenths = {way.removeprefix(_SDK): times[way] / 10 for way in times if way.startswith(_SDK)}
    missed = [f"{form} ({tenth:.1f} us)" for form, tenth in tenths.items() if tenth < times["labelloop"]]
    return f"A tenth of the SDK's time is missed for {', '.join(missed) or 'no form'}."


def _size_for(way: str) -> str:
    return "small" if way.startswith(_SDK) else "usual"


def _row(way: str, runs: Sequence[Mapping[str, Any]], n_tasks: int, folder: Path) -> dict[str, Any]:
    """Return the least times of some runs, and the memory of one more."""
    if failed := next((run["failed"] for run in runs if "failed" in run), None):
        sys.exit(f"{way}: {failed}")
    return {
        "way": way,
        "tasks": n_tasks,
        "us per task": 1e6 * min(run["seconds"] for run in runs) / n_tasks,
        "CPU us per task": 1e6 * min(run["cpu_seconds"] for run in runs) / n_tasks,
        "peak MiB": peak_mib_of(_command(way, _size_for(way), folder)),
    }


def _command(way: str, size: str, folder: Path) -> list[str]:
    """Return what converts one export, after a folder was made for it anew."""
    shutil.rmtree(folder / way, ignore_errors=True)
    (folder / way).mkdir()
    return [sys.executable, "-m", "benchmarks.conversions", way, str(folder / f"{size}.json"), str(folder / way)]


def _same_rows(folder: Path) -> int:
    """Return how many rows of DuckDB and of ours have no equal among the other's."""
    tables = [f"'{folder}/{file}'" for file in ("labelloop/annotations.parquet", "DuckDB read_json/duckdb.parquet")]
    sides = [f"FROM {table}" for table in tables]
    differing = " UNION ALL ".join(f"({one} EXCEPT {other})" for one, other in (sides, sides[::-1]))
    with duckdb.connect() as db:
        return int(db.sql(f"SELECT count(*) FROM ({differing})").fetchall()[0][0])  # noqa: S608
