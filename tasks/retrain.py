"""Retrain: a new model from the newest training set, promoted only on the evidence of audit answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from prefect import task

from labelloop.contracts import contract
from labelloop.evaluations import Figure, accuracy_figure, evaluation_rows
from labelloop.retrain import Evaluation, Promotion, decide_promotion, evaluate, fit
from labelloop.sampling import Labelled
from labelloop.summary import Summary
from tasks.artifacts import publish_table
from tasks.brought_model import judge_brought_model
from tasks.clients.datasets import find_dataset, latest, read_dataset
from tasks.clients.lease import Lease
from tasks.clients.models import digest, export_onnx, facts_of, model_version
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.features import features_of, version_of
from tasks.judgement import judge
from tasks.models import model_path, trained_model
from tasks.policies import INSIDE
from tasks.stage import finish, stage


@task(name="retrain", description="Train on the newest training set, promote on audit evidence", **INSIDE)
def retrain(project: str) -> dict[str, object]:
    """Train a model if the training set changed, and decide whether it takes over."""
    with stage(project, "retrain") as (world, lease):
        return finish(retrain_model(world, lease))


def retrain_model(world: World, lease: Lease) -> Summary:
    """Train, evaluate and keep a model; without a new training set nothing happens. Judge one that is brought."""
    version = latest(world)
    if version and world.spec.model.source in ("onnx", "parquet"):
        return judge_brought_model(world, lease, version, _rows_of_question(world, version))
    why_not = _why_not(world, version)
    if version is None or why_not:
        return _untrained(why_not)
    rows = _rows_of_question(world, version)
    train, features = features_of(world, rows.filter(pc.equal(rows["split"], "train")))
    labels = train["label"].to_pylist()
    if len(set(labels)) < 2:
        return _untrained(f"{len(labels)} labels of {len(set(labels))} class(es) are too few to train on")
    pipeline = fit(features, labels, seed=world.spec.sampling.seed)
    audit, audited = features_of(world, rows.filter(pc.equal(rows["split"], "audit")))
    known = Labelled(audited, audit["label"].to_pylist())
    judged = judge(world, pipeline, train["unit_id"], Labelled(features, labels), known)
    facts = {"features": version_of(world), "dataset": version}
    trained = _Trained(judged.pipeline, export_onnx(judged.pipeline, features.shape[1], facts), labels)
    evaluation, promotion = _compared(world, trained, known)
    promotion = promotion._replace(reason="; ".join([promotion.reason, *judged.notes]))
    figures = [*([accuracy_figure(evaluation)] if evaluation else []), *judged.figures]
    _keep(world, lease, version, trained, figures, promotion)
    counts = {"trained": 1, "promoted": int(promotion.promoted), "rows": len(labels)}
    counts |= {"audit": evaluation.n if evaluation else 0}
    return Summary(stage="retrain", counts=counts, notes=(promotion.reason,))


@dataclass(frozen=True)
class _Trained:
    pipeline: Any
    file: bytes
    labels: list[str]


def _why_not(world: World, version: str | None) -> str:
    """Return why there is nothing to train, or an empty text."""
    if world.spec.model.source != "trainer":
        return f"the spec's model comes from {world.spec.model.source!r}, not from our trainer"
    if version is None:
        return "no training set yet"
    tried = [m for m in world.table("models").read().to_pylist() if m["dataset_version"] == version]
    files = (world.published.read(model_path(m["model_version"])) for m in tried)
    if any(facts_of(file).get("features") == version_of(world) for file in files):
        return "the training set is the one the newest model was trained on"
    return ""


def _untrained(reason: str) -> Summary:
    return Summary(stage="retrain", counts={"trained": 0, "promoted": 0}, notes=(reason,))


def _rows_of_question(world: World, version: str) -> pa.Table:
    """Return the rows of the first question, without those whose label is a place."""
    rows = read_dataset(world, version)
    asked = pc.equal(rows["control"], world.spec.interface.questions[0].name)
    return rows.filter(pc.and_(asked, pc.is_null(rows["regions"])))


def _compared(world: World, trained: _Trained, audit: Labelled) -> tuple[Evaluation | None, Promotion]:
    """Return the new model's figures on audit rows, and whether it takes over from the present one."""
    if not len(audit.labels):
        has_rival = not isinstance(trained_model(world), str)
        nobody = np.empty(0, dtype=bool)
        return None, decide_promotion(nobody if has_rival else None, nobody)
    features, truth = audit.features.astype(np.float32, copy=False), np.array(audit.labels, dtype=str)
    evaluation = evaluate(trained.pipeline, features, audit.labels)
    most_frequent = max(sorted(set(trained.labels)), key=trained.labels.count)
    promotion = decide_promotion(
        _present_correct(world, features, truth),
        evaluation.correct,
        minimum_gain=world.spec.model.minimum_gain,
        majority_correct=truth == most_frequent,
    )
    return evaluation, promotion


def _present_correct(
    world: World, features: NDArray[np.float32], truth: NDArray[np.str_]
) -> NDArray[np.bool_] | None:
    present = trained_model(world)
    if isinstance(present, str):
        return None
    best = present.model.probabilities(features).argmax(axis=1)
    correct: NDArray[np.bool_] = np.array(present.model.classes, dtype=str)[best] == truth
    return correct


def _keep(
    world: World,
    lease: Lease,
    dataset: str,
    trained: _Trained,
    figures: list[Figure],
    promotion: Promotion,
) -> None:
    """Write file and figures, the model's row last: a run killed before it trains the same model again."""
    source = find_dataset(world, dataset)
    version, now = model_version(trained.file), world.now()
    lease.check()
    uri = world.published.write(model_path(version), trained.file, "application/octet-stream")
    if figures:
        seed = world.spec.sampling.seed
        rows = evaluation_rows(figures, model_version=version, round=source["round"], seed=seed, at=now)
        commit(world, lease, "evaluations", rows, stage="retrain")
        shown = ["round", "metric", "arm", "value", "low", "high", "n"]
        publish_table("model", rows.select(shown).to_pylist(), promotion.reason)
    row = {
        "model_version": version,
        "dataset_version": dataset,
        "round": source["round"],
        "uri": uri,
        "digest": digest(trained.file),
        "classes": [str(name) for name in trained.pipeline.classes_],
        "promoted": promotion.promoted,
        "reason": promotion.reason,
        "trained_on_erased": False,
        "scores_until": None,
        "created_at": now,
    }
    commit(world, lease, "models", pa.Table.from_pylist([row], contract("models").schema), stage="retrain")
