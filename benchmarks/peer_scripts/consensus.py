"""`consensus.py crowds|probabilities|speed FILE.npz [STEPS]`: crowd-kit's consensus of given ratings, as JSON.

The file holds the columns crowd, unit, annotator, value; `speed` takes as many steps as are given.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import pandas as pd
from crowdkit.aggregation import GLAD, MACE, DawidSkene, MajorityVote, OneCoinDawidSkene

METHODS = {
    "majority": MajorityVote,
    "dawid-skene": DawidSkene,
    "one-coin": OneCoinDawidSkene,
    "mace": lambda: MACE(n_restarts=1),  # every restart draws the same numbers (crowd-kit 1.4.2)
    "glad": lambda: GLAD(silent=True),
}


def main() -> None:
    """Read the ratings and print what the mode asks for."""
    mode, file, *more = sys.argv[1:]
    columns = np.load(file)
    table = pd.DataFrame({"task": columns["unit"], "worker": columns["annotator"], "label": columns["value"]})
    crowds = [table[columns["crowd"] == number] for number in range(int(columns["crowd"].max()) + 1)]
    found = {"crowds": _labels, "probabilities": _probabilities, "speed": _speed}[mode](crowds, *map(int, more))
    sys.stdout.write(json.dumps(found) + "\n")


def _labels(crowds: list[pd.DataFrame]) -> dict[str, list[list[int]]]:
    """Label of each unit of each crowd, by method, with the settings the package comes with."""
    return {
        name: [method().fit_predict(crowd).sort_index().tolist() for crowd in crowds]
        for name, method in METHODS.items()
    }


def _probabilities(crowds: list[pd.DataFrame], steps: int) -> dict[str, list[list[float]]]:
    """Probabilities of the units of the first crowd; both kinds of Dawid-Skene after so many steps."""
    fixed = {name: METHODS[name](n_iter=steps, tol=-np.inf) for name in ("dawid-skene", "one-coin")}
    methods = {name: method() for name, method in METHODS.items()} | fixed
    found = {name: method.fit_predict_proba(crowds[0]) for name, method in methods.items()}
    return {name: table.sort_index().sort_index(axis=1).to_numpy().tolist() for name, table in found.items()}


def _speed(crowds: list[pd.DataFrame], steps: int) -> dict[str, object]:
    """Processor seconds of one step of Dawid-Skene, and the posterior after all of them."""
    start = time.process_time()
    found = DawidSkene(n_iter=steps, tol=-np.inf).fit_predict_proba(crowds[0])
    seconds = (time.process_time() - start) / steps
    return {"cpu_seconds": seconds, "posterior": found.sort_index().sort_index(axis=1).to_numpy().tolist()}


if __name__ == "__main__":
    main()
