"""A model that others bring: how far its probabilities can be believed, and the temperature that mends them.

Our own models are judged when they are trained (`judgement.py`). One that is brought learned from none of our labels,
so its answers to the random share are as good as cross-fitted ones.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.calibration import fit_temperature, with_temperature
from labelloop.contracts import contract
from labelloop.errors import NotEstimable
from labelloop.evaluations import BROUGHT, Figure, evaluation_rows, reliability_figures
from labelloop.pool import scoring_model
from labelloop.reliability import reliability
from labelloop.strata import strata_of
from labelloop.summary import Summary
from labelloop.vectors import matrix
from tasks.clients.datasets import find_dataset
from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.models import class_names

_SAID = ["ref_id", "media_version", "model_version", "probabilities", "confidence", "created_at"]

_CHOSEN = ["unit_id", "round", "stratum", "strategy"]


class Told(NamedTuple):
    """What the model said of labelled rows: (n, k), the columns of their true classes, and which rows are which."""

    probabilities: NDArray[np.floating]
    truth: NDArray[np.intp]
    explored: NDArray[np.bool_]
    audited: NDArray[np.bool_]


def judge_brought_model(world: World, lease: Lease, dataset: str, rows: pa.Table) -> Summary:
    """Write the reliability of the brought model in force on audit units, before and after its temperature.

    Args:
        world: the project's outside.
        lease: held on (project, retrain).
        dataset: version of the training set.
        rows: its rows of the question the model answers.
    """
    predictions = world.table("predictions").read(columns=_SAID)
    model = scoring_model(contract("models").schema.empty_table(), predictions, now=world.now())
    if model is None:
        return Summary(stage="retrain", counts={"judged": 0}, notes=("no model has spoken yet",))
    told = _told(world, rows, predictions.filter(pc.equal(predictions["model_version"], model)))
    figures, note = _figures(told, world.spec.sampling.seed)
    if figures:
        number, seed = find_dataset(world, dataset)["round"], world.spec.sampling.seed
        found = evaluation_rows(figures, model_version=model, round=number, seed=seed, at=world.now())
        known = world.table("evaluations").read(columns=["evaluation_id"])["evaluation_id"].combine_chunks()
        new = found.filter(pc.invert(pc.is_in(found["evaluation_id"], value_set=known)))
        commit(world, lease, "evaluations", new, stage="retrain")
    return Summary(stage="retrain", counts={"judged": len(figures)}, notes=(note,))


def _told(world: World, rows: pa.Table, said: pa.Table) -> Told:
    """What the model said of the present bytes of labelled references."""
    place = pc.index_in(rows["ref_id"], said["ref_id"].combine_chunks())
    same = pc.equal(said["media_version"].take(place), rows["media_version"])
    spoken = pc.and_(pc.fill_null(same, False), pc.is_valid(said["probabilities"].take(place)))
    rows = rows.filter(spoken)
    classes = class_names(world)
    strata = strata_of(rows["unit_id"], world.table("batches").read(columns=_CHOSEN))
    split = np.asarray(rows["split"].to_numpy(zero_copy_only=False))
    return Told(
        matrix(said["probabilities"].take(place.filter(spoken)), width=len(classes)).values,
        np.array(
            [classes.index(name) if name in classes else -1 for name in rows["label"].to_pylist()], dtype=np.intp
        ),
        (strata.stratum == "explore") & (split == "train"),
        split == "audit",
    )


def _figures(told: Told, seed: int) -> tuple[list[Figure], str]:
    if not told.audited.any():
        return [], "there is no audit answer to measure reliability on"
    heard, truth = told.probabilities[told.audited], told.truth[told.audited]
    before = reliability_figures(reliability(heard, truth, seed=seed), calibrated=False)
    known = told.explored & (told.truth >= 0)
    try:
        temperature = fit_temperature(told.probabilities[known], told.truth[known])
    except NotEstimable as reason:
        return before, f"not calibrated: {reason.what}"
    after = reliability(with_temperature(heard, temperature), truth, seed=seed)
    figure = Figure("temperature", temperature, None, None, int(known.sum()), evidence=BROUGHT)
    note = f"calibrated with temperature {temperature:.2f} on {known.sum()} answers of the random share"
    return [*before, *reliability_figures(after, calibrated=True), figure], note
