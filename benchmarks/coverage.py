"""How often nominal 95 % intervals of agreement hold the truth, simulated: `python -m benchmarks --only coverage`.

The truth of an estimator is its value on very many units of the same annotators; of the intraclass correlation, whose
interval speaks of other annotators too, the shares of variance that the simulation was made with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks.parts import Figures
from labelloop.agreement import Figure, Ratings, measure, pairwise, per_annotator, read_ratings
from labelloop.agreement.rankings import ranking_figures

UNITS: Final = 200
RUNS: Final = 2000
REPLICATES: Final = 500
MANY: Final = 100_000
CLASSES: Final = 5
ERRORS: Final = (0.1, 0.15, 0.2, 0.25)
SPREAD: Final = (1.0, 0.4, 0.7)  # deviations of units, of annotators, and of what is left
LISTS_OF_TRUTH: Final = 10_000
TARGET: Final = (0.93, 0.97)

Measured = Mapping[str, Figure]
Draw = Callable[[np.random.Generator, int], Any]


def run(quick: bool) -> Figures:
    """Simulate 2,000 times 200 units; quick: 20 times."""
    runs = 20 if quick else RUNS
    rows = [row for name in SIMULATIONS for row in coverage(name, runs)]
    return {
        "title": "Coverage of intervals of agreement",
        "about": [
            f"{runs:,} simulations of {UNITS} units, {REPLICATES} replicates of the bootstrap; nominal 95 %. Four",
            f"annotators err in {', '.join(f'{100 * error:.0f} %' for error in ERRORS)} of {CLASSES} classes.",
            f"Aim: {100 * TARGET[0]:.0f}-{100 * TARGET[1]:.0f} %; the simulation itself is off by up to 1.0 points.",
        ],
        "tables": {"Coverage": rows},
    }


def coverage(name: str, runs: int, *, units: int = UNITS, first_seed: int = 1) -> list[dict[str, Any]]:
    """Rows metric, answers, truth, coverage (%) and mean width of one simulation."""
    draw, figures, truth = SIMULATIONS[name]
    known = truth(draw, figures)
    held, width = dict.fromkeys(known, 0), dict.fromkeys(known, 0.0)
    for seed in range(first_seed, first_seed + runs):
        for metric, figure in figures(draw(np.random.default_rng(seed), units), REPLICATES, seed).items():
            held[metric] += figure.low <= known[metric] <= figure.high
            width[metric] += figure.high - figure.low
    return [
        {
            "figure": metric,
            "answers": name,
            "truth": round(known[metric], 3),
            "coverage, %": round(100.0 * held[metric] / runs, 1),
            "mean width": round(width[metric] / runs, 3),
        }
        for metric in known
    ]


def _classes(rng: np.random.Generator, n: int) -> Ratings:
    """Ordered classes, unequally frequent; who errs says any class."""
    truth = rng.choice(CLASSES, n, p=[0.4, 0.25, 0.2, 0.1, 0.05])
    wrong = rng.random((n, len(ERRORS))) < np.array(ERRORS)
    said = np.where(wrong, rng.integers(0, CLASSES, wrong.shape), truth[:, None])
    unit, annotator = np.divmod(np.arange(said.size), len(ERRORS))
    names = (pa.array(range(size)) for size in (n, len(ERRORS), CLASSES))
    return Ratings(unit, annotator, said.ravel(), *names, ordered=True)


def _sets(rng: np.random.Generator, n: int) -> Ratings:
    """Sets of up to three labels, each seen or missed on its own."""
    truth = rng.random((n, 3)) < 0.5
    missed = rng.random((n, len(ERRORS), 3)) < np.array(ERRORS)[None, :, None]
    said = truth[:, None, :] ^ missed
    texts = [[label for label, there in zip("abc", one, strict=True) if there] for one in said.reshape(-1, 3)]
    unit, annotator = np.divmod(np.arange(len(texts)), len(ERRORS))
    return read_ratings(pa.table({"unit": unit, "annotator": annotator, "value": texts}))


def _numbers(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Normal numbers of eight annotators, each with an offset of their own."""
    k, (of_units, of_annotators, rest) = 8, SPREAD
    said = rng.normal(0, of_units, (n, 1)) + rng.normal(0, of_annotators, k) + rng.normal(0, rest, (n, k))
    unit, annotator = np.divmod(np.arange(said.size), k)
    return pd.DataFrame({"unit": unit, "annotator": annotator, "value": said.ravel()})


def _orders(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Orders of six items by strength and noise."""
    strength = np.arange(6.0)[None, None, :] + rng.normal(0, 1.5, (n, 3, 6))
    unit, annotator = np.divmod(np.arange(n * 3), 3)
    items = np.array([*"abcdef"])[np.argsort(strength.reshape(-1, 6), axis=1)]
    return pd.DataFrame({"unit": unit, "annotator": annotator, "value": items.tolist()})


def _of_classes(ratings: Ratings, n_boot: int, seed: int) -> Measured:
    settings = {"n_boot": n_boot, "seed": seed}
    nominal = [
        "percent_agreement",
        "fleiss_kappa",
        "conger_kappa",
        "brennan_prediger",
        "gwet_ac1",
        "krippendorff_alpha",
    ]
    found = {figure.metric: figure for figure in measure(ratings, nominal, **settings)}
    for level in ("ordinal", "interval"):
        for figure in measure(ratings, ["gwet_ac2", "krippendorff_alpha"], level, **settings):
            found[f"{figure.metric}, {level}"] = figure
    (_, found["mean_absolute_difference"]) = (
        "",
        measure(ratings, ["mean_absolute_difference"], "interval", **settings)[0],
    )
    for metric in ("cohen_kappa", "cohen_kappa_quadratic"):
        found[f"{metric} of two"] = pairwise(ratings, metric, "ordinal", **settings)[0][1]
    found["percent_agreement of one"] = per_annotator(ratings, **settings)[0][1]
    found["cohen_kappa of one"] = per_annotator(ratings, "cohen_kappa", **settings)[0][1]
    return found


def _of_sets(ratings: Ratings, n_boot: int, seed: int) -> Measured:
    return {
        f"krippendorff_alpha, {level}": measure(ratings, ["krippendorff_alpha"], level, n_boot=n_boot, seed=seed)[0]
        for level in ("masi", "jaccard")
    }


def _of_numbers(table: pd.DataFrame, n_boot: int, seed: int) -> Measured:
    figures = measure(table, ["icc_2_1", "icc_2_k"], "interval", n_boot=n_boot, seed=seed)
    return {figure.metric: figure for figure in figures}


def _of_orders(table: pd.DataFrame, n_boot: int, seed: int) -> Measured:
    metrics = ("kendall_tau_b", "rbo", "average_precision", "kendall_w")
    return {figure.metric: figure for figure in ranking_figures(table, metrics, n_boot=n_boot, seed=seed)}


def _on_many(draw: Draw, figures: Callable[..., Measured]) -> dict[str, float]:
    n = LISTS_OF_TRUTH if draw in (_orders, _sets) else MANY
    return {
        metric: float(figure.value or 0.0)
        for metric, figure in figures(draw(np.random.default_rng(0), n), 1, 0).items()
    }


def _of_variances(*_: object) -> dict[str, float]:
    of_units, *others = (deviation**2 for deviation in SPREAD)
    return {"icc_2_1": of_units / (of_units + sum(others)), "icc_2_k": of_units / (of_units + sum(others) / 8)}


SIMULATIONS: Final = MappingProxyType(
    {
        "classes": (_classes, _of_classes, _on_many),
        "sets": (_sets, _of_sets, _on_many),
        "numbers": (_numbers, _of_numbers, _of_variances),
        "orders": (_orders, _of_orders, _on_many),
    }
)
