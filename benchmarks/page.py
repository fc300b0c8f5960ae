"""The page of figures, written from the JSON that the command left; a test compares the two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).parent.parent / "docs" / "benchmarks.json"


def benchmarks_page() -> str:
    """Return `docs/benchmarks.md` for the figures in `docs/benchmarks.json`."""
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    lines = [
        "# Stage times",
        "",
        "Written by `make bench`; do not edit. The stages are the real ones with their contracts (Great Expectations",
        "and DuckDB) and a Delta lake on the local disk. S3 and Label Studio are in memory: this is labelloop's own",
        "time, one run, on a machine that may have been busy with other work (see its load).",
        "",
        *(f"- {name}: {value}" for name, value in _context(figures).items()),
    ]
    for pool in dict.fromkeys(row["pool"] for row in figures["stages"]):
        lines += _table(pool, [row for row in figures["stages"] if row["pool"] == pool])
    return "\n".join(lines) + "\n"


def _context(figures: dict[str, Any]) -> dict[str, Any]:
    return {
        "commit": figures["commit"],
        "seed": figures["seed"],
        "import of Great Expectations, once per process": f"{figures['import_seconds']} s",
        "largest memory of the process": f"{figures['peak_mib']} MiB",
        **figures["machine"],
    }


def _table(pool: str, rows: list[dict[str, Any]]) -> list[str]:
    title = f"## {pool}: {rows[0]['references']:,} references"
    head = ["", title, "", "| stage | s | CPU s | did |", "| --- | ---: | ---: | --- |"]
    return head + [f"| {row['stage']} | {row['seconds']} | {row['cpu_seconds']} | {row['did']} |" for row in rows]
