"""`consensus.py crowds|probabilities|speed FILE.npz [STEPS]`: crowd-kit's consensus of given ratings, as JSON.

The file holds the columns crowd, unit, annotator, value, for `crowds` also gold: the class of the unit where
it is known, else -1. `speed` takes as many steps as are given.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import pandas as pd
from crowdkit.aggregation import GLAD, MACE, DawidSkene, MajorityVote, OneCoinDawidSkene
from crowdkit.aggregation.utils import get_accuracy

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
    if "gold" in columns:
        table["gold"] = columns["gold"]
    crowds = [table[columns["crowd"] == number] for number in range(int(columns["crowd"].max()) + 1)]
    found = {"crowds": _labels, "probabilities": _probabilities, "speed": _speed}[mode](crowds, *map(int, more))
    sys.stdout.write(json.dumps(found) + "\n")


def _labels(crowds: list[pd.DataFrame]) -> dict[str, list[list[int]]]:
    """Label of each unit of each crowd, by method, with the settings the package comes with."""
    found = {name: [method().fit_predict(crowd) for crowd in crowds] for name, method in METHODS.items()}
    found["gold-weighted"] = [_gold_weighted(crowd) for crowd in crowds]
    return {name: [labels.sort_index().tolist() for labels in of_crowds] for name, of_crowds in found.items()}


def _gold_weighted(crowd: pd.DataFrame) -> pd.Series:
    """What GoldMajorityVote does; the class itself (crowd-kit 1.4.2) fails with scikit-learn 1.9."""
    gold = crowd[crowd["gold"] >= 0].drop_duplicates("task").set_index("task")["gold"]
    return MajorityVote().fit_predict(crowd, get_accuracy(crowd, true_labels=gold, by="worker"))


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
