"""`scores.py PROBABILITIES.npy N`: seconds that other packages need to choose the N most doubtful rows, as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import numpy as np
from modAL.uncertainty import entropy_sampling
from small_text import BreakingTies


class Said:
    """A classifier that has said all it knows."""

    def __init__(self, values: np.ndarray) -> None:
        """Keep the probabilities."""
        self.values = values

    def predict_proba(self, *_: object, **__: object) -> np.ndarray:
        """Return them, whatever is asked about."""
        return self.values


def least_cpu_seconds(work: Callable[[], object], repeat: int = 3) -> float:
    """Return the least processor seconds of some runs."""
    found = []
    for _ in range(repeat):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def main() -> None:
    """Time modAL's entropy and small-text's breaking ties."""
    values, count = np.load(sys.argv[1]), int(sys.argv[2])
    rows = np.arange(len(values))
    none = np.empty(0, dtype=int)
    works = {
        "modAL entropy_sampling": ("entropy", lambda: entropy_sampling(Said(values), values, n_instances=count)),
        "small-text BreakingTies": (
            "margin",
            lambda: BreakingTies().query(Said(values), values, rows, none, none, n=count),
        ),
    }
    found = {name: {"score": score, "cpu_seconds": least_cpu_seconds(work)} for name, (score, work) in works.items()}
    print(json.dumps(found))


main()
