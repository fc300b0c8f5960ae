"""All cells of the comparison, one JSON file each, so that a run that was ended goes on where it stopped.

`python -m benchmarks.label_efficiency.cells ours|peers CELLS CACHE PEERS SEEDS SETS` fills in what is missing: the
peers' cells in their own environment, ours in ours.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.label_efficiency.data import problems
from benchmarks.label_efficiency.loop import Problem, Strategy, full_data, learning_curve

SEEDS = range(10)  # others were used while the default was designed
FULL = "(all labels)"


def fill(folder: Path, strategies: dict[str, Strategy], loaded: Iterable[Problem], seeds: Iterable[int]) -> None:
    """Run every cell that has no file yet, telling each on standard error."""
    folder.mkdir(parents=True, exist_ok=True)
    given = list(loaded)
    for seed in seeds:
        for problem in given:
            for name, strategy in strategies.items():
                _keep(
                    folder,
                    problem,
                    name,
                    seed,
                    lambda p=problem, s=seed, ask=strategy: learning_curve(p, ask, seed=s),
                )
            _keep(folder, problem, FULL, seed, lambda p=problem, s=seed: [full_data(p, seed=s)])


def read(folder: Path) -> list[dict[str, Any]]:
    """Return every finished cell: `strategy, data, seed, curve, batch, metric, cpu_seconds`."""
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))]


def _keep(folder: Path, problem: Problem, strategy: str, seed: int, run: Callable[[], list[float]]) -> None:
    key = f"{strategy}|{problem.name}|{seed}"
    file = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
    if file.is_file():
        return
    start = time.process_time()
    cell: dict[str, Any] = {"strategy": strategy, "data": problem.name, "seed": seed, "curve": run()}
    cell |= {"batch": problem.batch, "metric": problem.metric, "cpu_seconds": round(time.process_time() - start, 2)}
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(cell), encoding="utf-8")
    partial.replace(file)
    print(key, cell["cpu_seconds"], file=sys.stderr, flush=True)


def main(which: str, folder: str, cache: str, peers: str, seeds: str, sets: str) -> None:
    """Fill in the cells of one side: so many seeds, so many data sets, the smallest first."""
    strategies = importlib.import_module(f"benchmarks.label_efficiency.{which}").strategies()
    loaded = [load() for load in list(problems(Path(peers), Path(cache)).values())[: int(sets)]]
    fill(Path(folder), dict(strategies), loaded, SEEDS[: int(seeds)])


if __name__ == "__main__":
    main(*sys.argv[1:])
