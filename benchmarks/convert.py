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
_REPEAT: Final = 3
_SECONDS: Final = 600


def run(quick: bool) -> Figures:
    """Convert 100,000 tasks each way, the SDK's 10,000; quick: a hundredth."""
    sizes = {"small": _SDK_TASKS, "usual": _TASKS, "large": _TASKS * _LARGER}
    sizes = {size: n_tasks // (100 if quick else 1) for size, n_tasks in sizes.items()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size, n_tasks in sizes.items():
            write_export(folder / f"{size}.json", n_tasks)
        rows = [_row(way, "small" if way.startswith(_SDK) else "usual", sizes, folder) for way in WAYS]
        same = _same_rows(folder)
        larger = peak_mib_of(_command("labelloop", "large", folder))
    for row in rows:
        row["theirs / ours, per task"] = row["us per task"] / rows[0]["us per task"]
        row["theirs / ours, CPU per task"] = row["CPU us per task"] / rows[0]["CPU us per task"]
    return {
        "title": "Conversion of exports",
        "about": [
            "Label Studio's JSON export (one choice, up to two boxes a task) to Parquet, each way in a process of",
            f"its own, imports not counted, least of {_REPEAT} runs. DuckDB makes the same rows, equal in every",
            "column, in one query, for these shapes alone and without checks, on all cores or one; ours reads on",
            "all. The SDK's converter makes its own forms on one, of fewer tasks, since it takes as long for each:",
            "its CSV has a row for each annotation with its boxes as JSON, COCO and YOLO have the boxes alone.",
            "Targets: at most 1.5 of DuckDB's time, a tenth of the SDK's per task, below 500 MB whatever the size.",
            "Memory is of all processes, shared pages once, in a run of its own.",
            _out_of_reach(rows),
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


def _out_of_reach(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say of which of the SDK's forms a tenth of its time is less than DuckDB takes."""
    times = {row["way"]: row["CPU us per task"] for row in rows}
    tenths = {way.removeprefix(_SDK): times[way] / 10 for way in times if way.startswith(_SDK)}
    least = times["DuckDB read_json"]
    beyond = ", ".join(f"{form} ({tenth:.1f})" for form, tenth in tenths.items() if tenth < least)
    return f"A tenth of the SDK's CPU us per task is less than DuckDB's {least:.1f} for: {beyond or 'no form'}."


def _row(way: str, size: str, sizes: dict[str, int], folder: Path) -> dict[str, Any]:
    """Measure a way on one export; each run begins with an empty folder."""
    runs = []
    for _ in range(_REPEAT):
        runs.append(run_json(_command(way, size, folder), _SECONDS))
    if failed := next((run["failed"] for run in runs if "failed" in run), None):
        sys.exit(f"{way}: {failed}")
    per_task = {name: 1e6 * min(run[name] for run in runs) / sizes[size] for name in ("seconds", "cpu_seconds")}
    return {
        "way": way,
        "tasks": sizes[size],
        "us per task": per_task["seconds"],
        "CPU us per task": per_task["cpu_seconds"],
        "peak MiB": peak_mib_of(_command(way, size, folder)),
    }


def _command(way: str, size: str, folder: Path) -> list[str]:
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
