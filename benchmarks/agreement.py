"""Agreement of a million units, against the barest count that any coefficient needs, and against other packages."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.stats import kendalltau
from sklearn.metrics import cohen_kappa_score

from benchmarks.measure import Measured, measured
from benchmarks.parts import Figures
from benchmarks.peers import run_peer
from labelloop.agreement import Ratings, measure, pair_kappas, read_ratings
from labelloop.agreement.rankings import kendall_tau_b
from labelloop.agreement.similarity import scale_of

SEED: Final = 7
ANNOTATORS: Final = 100
CLASSES: Final = 5
PER_UNIT: Final = 4
REPLICATES: Final = 1000
REPEAT: Final = 3
PAIRS_OF_PEER: Final = 50
RANKINGS: Final = 100_000
ITEMS: Final = 10
RANKINGS_OF_PEER: Final = 5_000  # a loop over all would take a minute
LEVELS: Final = ("nominal", "ordinal", "interval", "ratio")
COEFFICIENTS: Final = (
    *(("krippendorff_alpha", level) for level in LEVELS),
    ("gwet_ac1", "nominal"),
    ("gwet_ac2", "ordinal"),
    ("fleiss_kappa", "nominal"),
)
Codes = NDArray[np.int64]


def run(quick: bool) -> Figures:
    """Time coefficients on 1,000,000 units of four ratings; quick: 100,000."""
    unit, annotator, value = _crowd(100_000 if quick else 1_000_000)
    names = (int(unit[-1]) + 1, ANNOTATORS, CLASSES)
    ratings = Ratings(unit, annotator, value, *(pa.array(np.arange(n)) for n in names), ordered=True)
    floor = measured(partial(_count, unit, value), REPEAT)
    rows = [_row(metric, level, ratings, floor) for metric, level in COEFFICIENTS]
    return {
        "title": "Agreement",
        "about": [
            f"{names[0]:,} units, {len(unit):,} ratings by {ANNOTATORS} annotators, {CLASSES} classes, coded as",
            "whole numbers. Bare count: one NumPy pass that counts the classes of every unit. Targets stand beside",
            "the figures. krippendorff is given the counts and counts nothing itself. Rankings of two annotators",
            f"each, an item in ten left out; SciPy's `kendalltau` in a loop over {RANKINGS_OF_PEER:,} of them, its",
            "time scaled to all.",
        ],
        "tables": {
            "Coefficients": rows,
            "Other packages, same ratings": [*_krippendorff(floor.result, rows), _all_pairs(ratings)],
            "Coding of text": [_coding(unit, annotator, value)],
            "Kendall's tau-b": [_kendall(RANKINGS // 10 if quick else RANKINGS)],
        },
    }


def _crowd(n_units: int) -> tuple[Codes, Codes, Codes]:
    """Ratings sorted by unit and annotator: three in ten are random, the rest right."""
    rng = np.random.default_rng(SEED)
    asked = np.sort(np.argpartition(rng.random((n_units // 10, ANNOTATORS)), PER_UNIT, axis=1)[:, :PER_UNIT], axis=1)
    unit, truth = np.repeat(np.arange(n_units), PER_UNIT), rng.integers(CLASSES, size=n_units)
    guess = rng.integers(CLASSES, size=len(unit))
    return unit, np.tile(asked, (10, 1)).ravel(), np.where(rng.random(len(unit)) < 0.3, guess, truth[unit])


def _count(unit: Codes, value: Codes) -> Codes:
    n_units = int(unit[-1]) + 1
    return np.bincount(unit * CLASSES + value, minlength=n_units * CLASSES).reshape(n_units, CLASSES)


def _row(metric: str, level: str, ratings: Ratings, floor: Measured) -> dict[str, Any]:
    point = measured(lambda: measure(_fresh(ratings), [metric], level, n_boot=1), REPEAT)
    many = measured(lambda: measure(_fresh(ratings), [metric], level, n_boot=REPLICATES), REPEAT)
    return {
        "coefficient": metric,
        "level": level,
        "CPU s": point.cpu_seconds,
        "ours / bare count, at most 2": point.cpu_seconds / floor.cpu_seconds,
        f"{REPLICATES:,} replicates / point, below 10": many.cpu_seconds / point.cpu_seconds,
        "added MiB, below 572": many.added_mib,
        "value": point.result[0].value,
    }


def _fresh(ratings: Ratings) -> Ratings:
    """The same ratings with nothing counted yet."""
    codes, names = (
        (ratings.unit, ratings.annotator, ratings.value),
        (ratings.units, ratings.annotators, ratings.values),
    )
    return Ratings(*codes, *names, ordered=True)


def _krippendorff(counts: Codes, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ours = {row["level"]: row for row in rows if row["coefficient"] == "krippendorff_alpha"}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "counts.npy"
        np.save(file, counts)
        theirs = run_peer("agreement", file, seconds=300)
    if "failed" in theirs:
        return [{"package": "krippendorff", "outcome": theirs["failed"]}]
    return [
        {
            "package": f"krippendorff, {level}",
            "CPU s": found["cpu_seconds"],
            "theirs / ours": found["cpu_seconds"] / ours[level]["CPU s"],
            "at least": 4,
            "difference": abs(found["alpha"] - ours[level]["value"]),
        }
        for level, found in theirs.items()
    ]


def _all_pairs(ratings: Ratings) -> dict[str, Any]:
    scale = scale_of(ratings, "nominal")
    ours = measured(lambda: pair_kappas(_fresh(ratings), scale, "cohen_kappa"), REPEAT)
    answers = pd.Series(ratings.value, index=[ratings.unit, ratings.annotator]).unstack()
    shared = [answers[[0, other]].dropna().to_numpy() for other in range(1, PAIRS_OF_PEER + 1)]
    theirs = measured(lambda: [cohen_kappa_score(*both.T) for both in shared], REPEAT)
    apart = max(abs(ours.result.value[place] - value) for place, value in enumerate(theirs.result))
    return {
        "package": f"scikit-learn, {PAIRS_OF_PEER} kappas; ours {len(ours.result.n):,}",
        "CPU s": theirs.cpu_seconds,
        "theirs / ours": theirs.cpu_seconds / ours.cpu_seconds,
        "at least": 1,
        "difference": apart,
    }


def _coding(unit: Codes, annotator: Codes, value: Codes) -> dict[str, Any]:
    codes = {"unit": unit, "annotator": annotator, "value": value}
    table = pd.DataFrame({name: pd.Series(code).map("{:08d}".format) for name, code in codes.items()})
    table = table.sample(frac=1.0, random_state=SEED, ignore_index=True)
    theirs = measured(lambda: [pd.factorize(table[name], sort=True) for name in codes])
    ours = measured(lambda: read_ratings(table))
    return {
        "rows": len(table),
        "pandas.factorize CPU s": theirs.cpu_seconds,
        "read_ratings CPU s": ours.cpu_seconds,
        "ours / theirs, at most 2": ours.cpu_seconds / theirs.cpu_seconds,
    }


def _kendall(n: int) -> dict[str, Any]:
    rng = np.random.default_rng(SEED)
    one, other = (rng.permuted(np.tile(np.arange(float(ITEMS)), (n, 1)), axis=1) for _ in range(2))
    one[rng.random(one.shape) < 0.1] = np.nan
    ours = measured(lambda: kendall_tau_b(one, other), REPEAT)
    few = slice(min(n, RANKINGS_OF_PEER))
    theirs = measured(lambda: [_tau_of_scipy(*both) for both in zip(one[few], other[few], strict=True)])
    loop = theirs.cpu_seconds * n / len(theirs.result)
    return {
        "rankings": n,
        "items": ITEMS,
        "ours, CPU s": ours.cpu_seconds,
        "SciPy's loop, CPU s": loop,
        "theirs / ours, at least 100": loop / ours.cpu_seconds,
        "difference": float(np.nanmax(np.abs(ours.result[few] - theirs.result))),
    }


def _tau_of_scipy(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    known = ~np.isnan(one)
    return float(kendalltau(one[known], other[known]).statistic)
