"""How good a model was found to be, as rows of the contract `evaluations`, and what is read back from them.

The statistics are in `labelloop.retrain`, `labelloop.reliability` and `labelloop.sampling.evidence`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.contracts import contract
from labelloop.reliability import Reliability
from labelloop.retrain import Evaluation
from labelloop.sampling.evidence import Gain

UNCALIBRATED: Final = ", uncalibrated"
GAIN: Final = "exploit gain"
BROUGHT: Final = "random share"  # a model of ours holds its temperature inside, one that is brought does not


class Figure(NamedTuple):
    """One measured figure of a model; `arm` is the loop itself, or the strategy that is judged."""

    metric: str
    value: float
    low: float | None
    high: float | None
    n: int
    arm: str = "loop"
    evidence: str = "audit"


def accuracy_figure(evaluation: Evaluation) -> Figure:
    """Return the accuracy on audit units as a figure."""
    return Figure("accuracy", evaluation.accuracy, evaluation.low, evaluation.high, evaluation.n)


def reliability_figures(found: Reliability, *, calibrated: bool) -> list[Figure]:
    """Return calibration error and Brier score as figures, those of before calibration under their own names."""
    suffix = "" if calibrated else UNCALIBRATED
    return [
        Figure(f"ece{suffix}", found.ece, found.ece_low, found.ece_high, found.n),
        Figure(f"brier{suffix}", found.brier, found.brier_low, found.brier_high, found.n),
    ]


def gain_figure(gain: Gain) -> Figure:
    """Return what an exploited batch taught beyond random labels as a figure of its strategy.

    >>> gain_figure(Gain("herding", 0.1, 0.0, 0.2, 9)).arm
    'herding'
    """
    return Figure(GAIN, gain.difference, gain.low, gain.high, gain.n, arm=gain.strategy)


def evaluation_rows(
    figures: Sequence[Figure], *, model_version: str, round: int, seed: int, at: datetime
) -> pa.Table:
    """Return figures of a model as rows; the same figure of the same model gets the same id.

    Args:
        figures: what was measured.
        model_version: the model.
        round: the round whose training set it learned from.
        seed: it was trained with.
        at: when it was measured.
    """
    rows = [
        {
            **figure._asdict(),
            "evaluation_id": _id(f"{round}/{figure.arm}/{seed}/{figure.metric}/{model_version}"),
            "round": round,
            "seed": seed,
            "model_version": model_version,
            "measured_at": at,
        }
        for figure in figures
    ]
    return pa.Table.from_pylist(rows, schema=contract("evaluations").schema)


def last_gain(evaluations: pa.Table) -> Gain | None:
    """Return what the newest measured batch taught beyond random labels; None before the first could be measured.

    >>> last_gain(contract("evaluations").schema.empty_table()) is None
    True
    """
    measured = evaluations.filter(pc.equal(evaluations["metric"], GAIN))
    if not measured.num_rows:
        return None
    row = measured.sort_by([("measured_at", "descending"), ("round", "descending")]).slice(0, 1).to_pylist()[0]
    return Gain(row["arm"], row["value"], row["low"], row["high"], row["n"])


def last_temperature(evaluations: pa.Table, model_version: str | None) -> float:
    """Return the temperature a brought model speaks with: the newest measured, 1 while there is none.

    >>> last_temperature(contract("evaluations").schema.empty_table(), "parquet-1")
    1.0
    """
    ours = pc.and_(pc.equal(evaluations["metric"], "temperature"), pc.equal(evaluations["evidence"], BROUGHT))
    found = evaluations.filter(pc.and_(ours, pc.equal(evaluations["model_version"], model_version or "")))
    if not found.num_rows:
        return 1.0
    return float(found.sort_by([("measured_at", "descending"), ("round", "descending")])["value"][0].as_py())


def _id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]
