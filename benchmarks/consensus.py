"""Consensus: Dawid-Skene of a million units against a bare iteration, of ten thousand against crowd-kit's.

`python -m benchmarks.consensus` writes what a unit test compares with instead (`tests/golden/crowd_kit.json`).
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks.crowds import ask_crowd_kit
from benchmarks.measure import measured
from benchmarks.parts import Figures
from labelloop.agreement import Ratings
from labelloop.agreement.ratings import FloatArray, IntArray
from labelloop.consensus import METHODS, Settings
from tests.builders.crowds import crowd

SEED: Final = 7
ANNOTATORS: Final = 200
CLASSES: Final = 5
PER_UNIT: Final = 3
STEPS: Final = 10
REPEAT: Final = 3
GOLDEN: Final = Path(__file__).parent.parent / "tests" / "golden" / "crowd_kit.json"


def run(quick: bool) -> Figures:
    """Time Dawid-Skene on 1,000,000 units; quick: 100,000."""
    return {
        "title": "Consensus",
        "about": [
            f"Dawid-Skene: {PER_UNIT} labels a unit by {ANNOTATORS} annotators, {CLASSES} classes, coded as whole",
            "numbers. Bare iteration: both steps by NumPy's bincount, class by class. Targets: at most three times",
            "that, at least ten times crowd-kit's speed, the same posterior to 1e-6 (smoothing off, same steps).",
        ],
        "tables": {
            "Dawid-Skene, one iteration": [_iteration(100_000 if quick else 1_000_000)],
            "Dawid-Skene, 10,000 units": [_beside_crowd_kit(10_000)],
        },
    }


def _ratings(n_units: int) -> Ratings:
    """Ratings sorted by unit and annotator: three in ten are random, the rest right."""
    rng = np.random.default_rng(SEED)
    unit, truth = np.repeat(np.arange(n_units), PER_UNIT), rng.integers(CLASSES, size=n_units)
    first, gaps = rng.integers(ANNOTATORS, size=n_units), rng.integers(1, ANNOTATORS // PER_UNIT, (n_units, 2))
    asked = (first[:, None] + np.column_stack([np.zeros(n_units, np.int64), gaps.cumsum(axis=1)])) % ANNOTATORS
    guess = rng.integers(CLASSES, size=len(unit))
    value = np.where(rng.random(len(unit)) < 0.3, guess, truth[unit])
    names = (pa.array(np.arange(n)) for n in (n_units, ANNOTATORS, CLASSES))
    return Ratings(unit, np.sort(asked, axis=1).ravel(), value, *names)


def _fit(ratings: Ratings, steps: int) -> FloatArray:
    settings = Settings(smoothing=0.0, max_iter=steps, tol=0.0)
    return METHODS["dawid-skene"](ratings, np.full(len(ratings.units), -1), settings).probabilities


def _iteration(n_units: int) -> dict[str, Any]:
    ratings = _ratings(n_units)
    posterior = _fit(ratings, 1)
    bare = measured(partial(_bare, ratings, posterior), REPEAT)
    few, many = (measured(partial(_fit, ratings, steps), REPEAT) for steps in (1, 1 + STEPS))
    ours = (many.cpu_seconds - few.cpu_seconds) / STEPS
    return {
        "units": n_units,
        "labels": len(ratings.unit),
        "bare CPU s": bare.cpu_seconds,
        "ours CPU s": ours,
        "ours / bare": ours / bare.cpu_seconds,
        "added MiB": many.added_mib,
        "difference": float(np.abs(bare.result - _fit(ratings, 2)).max()),
    }


def _bare(ratings: Ratings, posterior: FloatArray) -> FloatArray:
    """One iteration written down as it stands in the paper, for each class a pass over the labels."""
    answer = ratings.annotator * CLASSES + ratings.value
    counts = _by_class(answer, posterior[ratings.unit], ANNOTATORS * CLASSES)
    counts = counts.reshape(ANNOTATORS, CLASSES, CLASSES)
    confusion = np.maximum(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-10), 1e-10)
    logs = np.log(confusion).reshape(-1, CLASSES)[answer]
    joint = np.log(posterior.mean(axis=0)) + _by_class(ratings.unit, logs, len(posterior))
    likely = np.exp(joint - joint.max(axis=1, keepdims=True))
    return np.asarray(likely / likely.sum(axis=1, keepdims=True))


def _by_class(code: IntArray, weights: FloatArray, length: int) -> FloatArray:
    return np.column_stack([np.bincount(code, weights=column, minlength=length) for column in weights.T])


def _beside_crowd_kit(n_units: int) -> dict[str, Any]:
    ratings = _ratings(n_units)
    table = pd.DataFrame({"unit": ratings.unit, "annotator": ratings.annotator, "value": ratings.value})
    theirs = ask_crowd_kit("speed", [table], STEPS)
    if "failed" in theirs:
        return {"package": "crowd-kit", "outcome": theirs["failed"]}
    ours = measured(partial(_fit, ratings, STEPS), REPEAT)
    return {
        "package": "crowd-kit",
        "their CPU s a step": theirs["cpu_seconds"],
        "our CPU s a step": ours.cpu_seconds / STEPS,
        "theirs / ours": theirs["cpu_seconds"] * STEPS / ours.cpu_seconds,
        "difference": float(np.abs(ours.result - np.array(theirs["posterior"])).max()),
    }


def golden() -> None:
    """Write crowd-kit's probabilities for one small crowd, which a unit test compares with ours."""
    _, table = crowd(SEED, [0.1, 0.2, 0.3, 0.4, "first", "guess"], n_units=40, n_classes=3, per_unit=4)
    ratings = table[["unit", "annotator", "value"]].to_numpy().tolist()
    found = ask_crowd_kit("probabilities", [table], STEPS)
    GOLDEN.write_text(json.dumps({"ratings": ratings, "steps": STEPS, "probabilities": found}) + "\n")


if __name__ == "__main__":
    golden()
