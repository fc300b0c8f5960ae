"""What only the demo can know: the truth, of units for the annotators, and of unasked images for the judge."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from deployments.demo.digits import features, key_of
from labelloop.agreement.interval import wilson
from labelloop.contracts import contract
from labelloop.pool import scoring_model
from tasks.clients.models import OnnxModel
from tasks.clients.s3 import split_uri
from tasks.clients.world import World


def truth_of_units(world: World, truth: Mapping[str, str]) -> dict[str, str]:
    """Return the true label of every unit, by unit id."""
    keys = _keys(world)
    units = world.table("units").read(columns=["unit_id", "ref_ids"]).to_pylist()
    return {unit["unit_id"]: truth[keys[unit["ref_ids"][0]]] for unit in units if unit["ref_ids"][0] in keys}


def a_labelled_index(world: World) -> int:
    """Return the index of a digit that is labelled, the first by key, so that every run erases the same one."""
    labelled = set(world.table("labels").read(columns=["unit_id"])["unit_id"].to_pylist())
    keys = _keys(world)
    units = world.table("units").read(columns=["unit_id", "ref_ids"]).to_pylist()
    first = min(keys[unit["ref_ids"][0]] for unit in units if unit["unit_id"] in labelled)
    return next(i for i in range(len(features())) if key_of(i) == first)


def judge(world: World, number: int, truth: Mapping[str, str]) -> None:
    """Write the accuracy of the model in force on all images nobody was asked about."""
    models = world.table("models").read()
    version = scoring_model(models, contract("predictions").schema.empty_table())
    if version is None:
        return
    model = _open(world, next(row for row in models.to_pylist() if row["model_version"] == version))
    asked = {ref for unit in world.table("units").read(columns=["ref_ids"])["ref_ids"].to_pylist() for ref in unit}
    asked_keys = {key for ref, key in _keys(world).items() if ref in asked}
    unseen = [i for i in range(len(truth)) if key_of(i) not in asked_keys]
    best = model.probabilities(features()[unseen]).argmax(axis=1)
    right = [model.classes[b] == truth[key_of(i)] for b, i in zip(best, unseen, strict=True)]
    value, (low, high) = sum(right) / len(right), wilson(sum(right), len(right), 0.95)
    row = {
        "evaluation_id": hashlib.sha256(f"loop/held-out/{number}".encode()).hexdigest()[:32],
        "round": number,
        "arm": "loop",
        "seed": world.spec.sampling.seed,
        "model_version": version,
        "metric": "accuracy",
        "value": value,
        "low": low,
        "high": high,
        "n": len(right),
        "evidence": "truth of unasked images",
        "measured_at": world.now(),
    }
    rows = pa.Table.from_pylist([row], schema=contract("evaluations").schema)
    world.table("evaluations").upsert(rows, fence=lambda: None)


def _open(world: World, row: dict[str, Any]) -> OnnxModel:
    data = world.media.read(*split_uri(row["uri"]))
    return OnnxModel(data, width=features().shape[1], classes=row["classes"])


def _keys(world: World) -> dict[str, str]:
    rows = world.table("references").read(columns=["ref_id", "key"])
    return dict(zip(rows["ref_id"].to_pylist(), rows["key"].to_pylist(), strict=True))
