"""A new model judged on labels it did not learn from: made reliable on the random share, measured on the audit.

Whether it takes over is decided in `retrain.py`; the statistics are in `labelloop`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from sklearn.pipeline import Pipeline

from labelloop.calibration import cross_fitted, fit_temperature, with_temperature_inside
from labelloop.errors import NotEstimable
from labelloop.evaluations import Figure, gain_figure, reliability_figures
from labelloop.reliability import reliability
from labelloop.sampling import Labelled
from labelloop.strata import Strata, last_exploit_gain, strata_of
from tasks.clients.world import World


@dataclass(frozen=True)
class Judged:
    """A model whose probabilities mean what they say, as far as that could be done, and what was measured of it."""

    pipeline: Pipeline
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]


def judge(world: World, pipeline: Pipeline, units: pa.ChunkedArray, train: Labelled, audit: Labelled) -> Judged:
    """Return the model with its temperature, its reliability before and after, and what the last batch taught.

    Args:
        world: the project's outside.
        pipeline: of the reference trainer, fitted on `train`.
        units: unit ids of the training labels.
        train: training labels.
        audit: audit labels, which neither model nor temperature sees.
    """
    seed = world.spec.sampling.seed
    batches = world.table("batches").read(columns=["unit_id", "round", "stratum", "strategy"])
    strata = strata_of(units, batches)
    calibrated, figures, notes = _calibrated(pipeline, strata, train, seed)
    if len(audit.labels):
        truth = np.array([_place(pipeline, label) for label in audit.labels])
        before = reliability(pipeline.predict_proba(audit.features), truth, seed=seed)
        figures += reliability_figures(before, calibrated=False)
        if calibrated is not pipeline:
            after = reliability(calibrated.predict_proba(audit.features), truth, seed=seed)
            figures += reliability_figures(after, calibrated=True)
    try:
        gain = last_exploit_gain(strata, train, audit, seed=seed)
        figures, notes = [*figures, gain_figure(gain)], [*notes, str(gain)]
    except NotEstimable as reason:
        notes = [*notes, f"what the last batch taught is not known: {reason.what}"]
    return Judged(calibrated, tuple(figures), tuple(notes))


def _calibrated(
    pipeline: Pipeline, strata: Strata, train: Labelled, seed: int
) -> tuple[Pipeline, list[Figure], list[str]]:
    try:
        told, truth = cross_fitted(train.features, train.labels, strata.stratum == "explore", seed=seed)
        temperature = fit_temperature(told, truth)
    except NotEstimable as reason:
        return pipeline, [], [f"not calibrated: {reason.what}"]
    figure = Figure("temperature", temperature, None, None, len(truth), evidence="random share, cross-fitted")
    note = f"calibrated with temperature {temperature:.2f} on {len(truth)} answers of the random share"
    return with_temperature_inside(pipeline, temperature), [figure], [note]


def _place(pipeline: Pipeline, label: str) -> int:
    """The model's column of a label, -1 for one it does not know."""
    known = list(pipeline.classes_)
    return known.index(label) if label in known else -1
