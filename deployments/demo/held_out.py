"""What only the demo can know: the truth, of units for the annotators, and of unasked images for the judge."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from deployments.demo.digits import features, key_of
from labelloop.agreement.interval import wilson
from labelloop.contracts import contract
from labelloop.sampling import in_audit
from tasks.clients.models import OnnxModel
from tasks.clients.s3 import split_uri
from tasks.clients.world import World


def truth_of_units(world: World, truth: Mapping[str, str]) -> dict[str, str]:
    """Return the true label of every unit, by unit id."""
    keys = _keys(world)
    units = world.table("units").read(columns=["unit_id", "ref_ids"]).to_pylist()
    return {unit["unit_id"]: truth[keys[unit["ref_ids"][0]]] for unit in units if unit["ref_ids"][0] in keys}


def a_labelled_index(world: World) -> int:
    """Return the index of a digit whose label is accepted, and so trained on: the first by key, in every run."""
    labels = world.table("labels").read(columns=["unit_id", "state"])
    labelled = set(labels.filter(pc.equal(labels["state"], "accepted"))["unit_id"].to_pylist())
    keys = _keys(world)
    units = world.table("units").read(columns=["unit_id", "ref_ids"]).to_pylist()
    first = min(keys[unit["ref_ids"][0]] for unit in units if unit["unit_id"] in labelled)
    return next(i for i in range(len(features())) if key_of(i) == first)


def judge(world: World, number: int, truth: Mapping[str, str]) -> None:
    """Write the true accuracy of the round's model on the audit members: a random fifth that is never trained on.

    Unasked images would not do: with every round the hard ones leave them, and any model looks better.
    """
    models = world.table("models").read().to_pylist()
    trained = [row for row in models if row["round"] == number]
    if not trained:
        return
    newest = max(trained, key=lambda row: row["created_at"])
    held_out = _audit_members(world)
    indices = [i for i in range(len(truth)) if key_of(i) in held_out]
    model = _open(world, newest)
    best = model.probabilities(features()[indices]).argmax(axis=1)
    right = [model.classes[b] == truth[key_of(i)] for b, i in zip(best, indices, strict=True)]
    low, high = wilson(sum(right), len(right), 0.95)
    row = {
        "evaluation_id": hashlib.sha256(f"loop/truth/{number}".encode()).hexdigest()[:32],
        "round": number,
        "arm": "loop",
        "seed": world.spec.sampling.seed,
        "model_version": newest["model_version"],
        "metric": "accuracy",
        "value": sum(right) / len(right),
        "low": low,
        "high": high,
        "n": len(right),
        "evidence": "truth of all audit members",
        "measured_at": world.now(),
    }
    rows = pa.Table.from_pylist([row], schema=contract("evaluations").schema)
    world.table("evaluations").upsert(rows, fence=lambda: None)


def _audit_members(world: World) -> set[str]:
    """Return the keys of the images that the permanent random numbers keep for evaluation."""
    rows = world.table("references").read(columns=["key", "subject_hmac"])
    members = in_audit(rows["subject_hmac"], world.project, world.spec.sampling.audit_rate)
    return set(rows.filter(pa.array(members))["key"].to_pylist())


def _open(world: World, row: dict[str, Any]) -> OnnxModel:
    data = world.media.read(*split_uri(row["uri"]))
    return OnnxModel(data, width=features().shape[1], classes=row["classes"])


def _keys(world: World) -> dict[str, str]:
    rows = world.table("references").read(columns=["ref_id", "key"])
    return dict(zip(rows["ref_id"].to_pylist(), rows["key"].to_pylist(), strict=True))
