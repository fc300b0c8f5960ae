"""Accuracy of consensus: every method that crowd-kit has too, and Dawid-Skene on crowds of all sorts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from benchmarks.parts import Figures
from benchmarks.peers import run_peer
from labelloop.agreement.ratings import IntArray
from labelloop.consensus import Settings, resolve
from labelloop.simulation import paired_difference
from tests.builders.crowds import crowd

SEEDS: Final = range(3000, 3020)
COMPARED: Final = ("majority", "gold-weighted", "dawid-skene", "one-coin", "mace", "glad")
GOLD: Final = 30  # units known to `gold-weighted`, and not counted for it
# Not the crowds on which any setting of a method was chosen: other annotators, sizes, classes and seeds.
CROWDS: Final[dict[str, dict[str, Any]]] = {
    "careful and careless": {"errors": [0.08, 0.12, 0.15, 0.25, 0.25, 0.35, 0.45, 0.45, 0.55, 0.6]},
    "spammers": {"errors": [0.1, 0.15, 0.2, 0.25, 0.3, 0.3, "first", "first", "first", "guess", "guess", "guess"]},
    "adversaries": {"errors": [0.1, 0.15, 0.15, 0.2, 0.25, 0.25, 0.3, 0.85, 0.9, 0.95]},
    "imbalance": {"errors": [0.1, 0.15, 0.2, 0.3, 0.3, 0.35, 0.4, 0.45], "shares": [0.12, 0.75, 0.09, 0.04]},
    "hard units": {"errors": [0.05, 0.1, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35], "hard": 0.3},
}
SMALL: Final[dict[str, Any]] = {"n_units": 150, "n_classes": 4, "per_unit": 5}
SORTS: Final[dict[str, float | str | None]] = {
    "everybody tries": None,
    "up to half press one button": "first",
    "up to half guess": "guess",
    "up to half are adversaries": 0.9,
}
MUCH: Final = 0.05  # of accuracy
Crowd = tuple[IntArray, pd.DataFrame]


def run(quick: bool) -> Figures:
    """Compare methods over 20 seeds, and smoothing over 250 crowds of each sort; quick: two, and five."""
    seeds, of_each_sort = (SEEDS[:2], 5) if quick else (SEEDS, 250)
    return {
        "title": "Consensus of simulated crowds",
        "about": [
            f"{SMALL['n_units']} units of {SMALL['n_classes']} classes, {SMALL['per_unit']} labels a unit; each",
            "package as it comes. Ties are broken: here by whose voters agree with the vote more often, there by the",
            f"order of its table. `gold-weighted` is given {GOLD} units and judged on the others. Mean over",
            f"{len(SEEDS)} seeds of our accuracy less theirs, in points, with its 95 % interval; no setting was",
            "chosen on these crowds. Target: not worse by more than one point. Crowds of all sorts: 3 to 13",
            "annotators, 2 to 10 classes, 50 to 299 units, 2 to 5 labels a unit, even and uneven shares, all drawn.",
            f"A method loses where it is right of fewer units than the vote, by more than {100 * MUCH:.0f} % of all.",
        ],
        "tables": {
            "Beside crowd-kit": _beside_crowd_kit(seeds),
            "Dawid-Skene on crowds of all sorts": [_of_sort(name, of_each_sort) for name in SORTS],
        },
    }


def ask_crowd_kit(mode: str, crowds: Sequence[pd.DataFrame], *more: int) -> dict[str, Any]:
    """What `peer_scripts/consensus.py` prints of these ratings."""
    table = pd.concat([ratings.assign(crowd=number) for number, ratings in enumerate(crowds)])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ratings.npz"
        np.savez(file, **{str(name): table[name].to_numpy() for name in table})
        return run_peer("consensus", mode, file, *map(str, more), seconds=3600)


def _beside_crowd_kit(seeds: Sequence[int]) -> list[dict[str, Any]]:
    drawn = {name: [crowd(seed, **kind, **SMALL) for seed in seeds] for name, kind in CROWDS.items()}
    given = [[_with_gold(*pair) for pair in crowds] for crowds in drawn.values()]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        theirs = list(pool.map(partial(ask_crowd_kit, "crowds"), given))
    failed = [said["failed"] for said in theirs if "failed" in said]
    if failed:
        return [{"package": "crowd-kit", "outcome": failed[0]}]
    return [
        _compared(method, name, crowds, said[method])
        for method in COMPARED
        for (name, crowds), said in zip(drawn.items(), theirs, strict=True)
    ]


def _with_gold(truth: IntArray, ratings: pd.DataFrame) -> pd.DataFrame:
    return ratings.assign(gold=np.where(ratings["unit"] < GOLD, truth[ratings["unit"]], -1))


def _compared(method: str, name: str, crowds: Sequence[Crowd], theirs: Sequence[list[int]]) -> dict[str, Any]:
    judged = slice(GOLD if method == "gold-weighted" else 0, None)
    truths = [truth[judged] for truth, _ in crowds]
    labels = [_chosen(method, *drawn) for drawn in crowds]
    ours, peer = (
        [float((np.array(found)[judged] == truth).mean()) for found, truth in zip(said, truths, strict=True)]
        for said in (labels, theirs)
    )
    gain = paired_difference(ours, peer)
    return {
        "method": method,
        "crowd": name,
        "ours": f"{np.mean(ours):.3f}",
        "crowd-kit": f"{np.mean(peer):.3f}",
        "points": f"{100 * gain.mean:+.2f}",
        "interval": f"{100 * gain.low:+.2f} to {100 * gain.high:+.2f}",
    }


def _chosen(method: str, truth: IntArray, ratings: pd.DataFrame) -> IntArray:
    if method != "gold-weighted":
        return resolve(ratings, method).posterior.chosen
    rulings = pd.DataFrame({"unit": np.arange(GOLD), "value": truth[:GOLD]})
    return resolve(ratings, method, rulings=rulings).posterior.chosen


def _of_sort(name: str, n_crowds: int) -> dict[str, Any]:
    """Mean accuracy of the vote, of maximum likelihood and of the default smoothing on the same crowds."""
    ways = (("majority", Settings()), ("dawid-skene", Settings(smoothing=0.0)), ("dawid-skene", Settings()))
    rows = []
    for truth, ratings in _crowds_of(SORTS[name], n_crowds):
        chosen = [resolve(ratings, method, settings=settings).posterior.chosen for method, settings in ways]
        rows.append([(labels == truth).mean() for labels in chosen])
    right = np.array(rows)
    vote, likeliest, smoothed = right.mean(axis=0)
    worse = (right < right[:, :1] - MUCH).mean(axis=0)
    return {
        "crowd": name,
        "crowds": n_crowds,
        "vote": f"{vote:.3f}",
        "unsmoothed": f"{likeliest:.3f}",
        "smoothed": f"{smoothed:.3f}",
        "unsmoothed loses": f"{100 * worse[1]:.1f} %",
        "smoothed loses": f"{100 * worse[2]:.1f} %",
    }


def _crowds_of(bad: float | str | None, n_crowds: int) -> Iterator[Crowd]:
    for seed in range(n_crowds):
        rng = np.random.default_rng([SEEDS[0], seed])
        n_annotators, n_classes = int(rng.integers(3, 14)), int(rng.choice([2, 3, 4, 6, 10]))
        errors: list[float | str] = list(map(float, rng.gamma(2.0, 0.08, n_annotators).clip(0.01, 0.9)))
        if bad is not None:
            n_bad = int(rng.integers(1, n_annotators // 2 + 1))
            errors[:n_bad] = [bad] * n_bad
        yield crowd(
            int(rng.integers(1_000_000)),
            errors,
            n_units=int(rng.integers(50, 300)),
            n_classes=n_classes,
            per_unit=int(rng.integers(2, min(n_annotators, 5) + 1)),
            shares=rng.dirichlet(np.ones(n_classes)).tolist() if seed % 3 == 0 else None,
        )
