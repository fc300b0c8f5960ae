"""`python -m benchmarks`: times every stage, prints the figures as JSON and writes the page that shows them."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.machine import commit, machine, peak_mib
from benchmarks.page import FIGURES, benchmarks_page
from benchmarks.pools import Pool, real_digits, synthetic
from benchmarks.stages import time_stages
from tasks.clients.expectations import quiet_context

SEED = 7


def main() -> None:
    """Time the stages on the digits and on synthetic references."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--references", type=int, default=100_000, help="how many synthetic ones")
    parser.add_argument("--print-only", action="store_true", help="leave docs/benchmarks.* as they are")
    given = parser.parse_args()
    logging.getLogger("prefect").setLevel(logging.ERROR)  # events have no server to go to
    figures = {
        "commit": commit(),
        "machine": machine(),
        "seed": SEED,
        "import_seconds": _import_seconds(),
        "stages": [row for pool in (real_digits(), synthetic(given.references, SEED)) for row in _told(pool)],
        "peak_mib": peak_mib(),
    }
    print(json.dumps(figures, indent=1))
    if not given.print_only:
        FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        FIGURES.with_suffix(".md").write_text(benchmarks_page(), encoding="utf-8")


def _import_seconds() -> float:
    """Import Great Expectations, so that no stage pays for it, and return how long it took."""
    start = time.perf_counter()
    quiet_context()
    return round(time.perf_counter() - start, 1)


def _told(pool: Pool) -> Iterator[dict[str, Any]]:
    """Yield the rows of a pool, telling each on standard error as it comes."""
    with tempfile.TemporaryDirectory() as folder:
        for row in time_stages(pool, Path(folder)):
            print(f"{row['pool']}: {row['stage']} {row['seconds']} s", file=sys.stderr)
            yield row


if __name__ == "__main__":
    main()
