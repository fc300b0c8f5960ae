"""Export: publish the accepted labels as a training set, if annotators agree and its contract holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from prefect import task

from labelloop.audit_copies import copies_of_audit
from labelloop.card import split_counts
from labelloop.contracts import contract
from labelloop.export import Gate, agreement_gate, dataset_version, parquet_bytes, training_rows
from labelloop.summary import Summary
from tasks.artifacts import publish_link, publish_table
from tasks.candidates import read_asked
from tasks.clients.datasets import datasets, point_to, write_files
from tasks.clients.lease import Lease
from tasks.clients.rounds import rounds_of
from tasks.clients.world import World
from tasks.contracts import commit, refuse_unfit
from tasks.policies import INSIDE
from tasks.stage import finish, stage

_SOURCES = ("labels", "units", "references", "batches")


@task(name="export", description="Publish the training set if it changed", **INSIDE)
def export(project: str) -> dict[str, object]:
    """Publish the accepted labels as a versioned training set."""
    with stage(project, "export") as (world, lease):
        return finish(publish_dataset(world, lease))


def publish_dataset(world: World, lease: Lease) -> Summary:
    """Publish what is accepted now; the same labels as before publish nothing.

    Raises:
        ContractError: the rows break the contract `training_set`; nothing was published.
    """
    gate = _gate(world)
    if not gate.is_open:
        return _nothing(f"not published: {gate.reason}")
    rows, lineage, left_out = _training_rows(world)
    if rows.num_rows == 0:
        return _nothing("not published: no accepted label yet")
    refuse_unfit(world, "training_set", rows)
    version = dataset_version(parquet_bytes(rows))
    is_new = version not in datasets(world)
    if is_new:
        _write(world, lease, rows, gate.reason, lineage)
    lease.check()
    point_to(world, version)
    publish_table("dataset-splits", [split_counts(rows)], f"Training set {version}: {gate.reason}")
    counts = {"published": int(is_new), "rows": rows.num_rows, **split_counts(rows)}
    return Summary(stage="export", counts=counts, notes=(f"version {version}", gate.reason, *left_out))


def _gate(world: World) -> Gate:
    spec = world.spec
    return agreement_gate(
        world.table("agreement").read(),
        [question.name for question in spec.interface.compared],
        threshold=spec.quality.gate,
        overlap_planned=spec.overlap.share > 0 and spec.annotators.count > 1,
    )


def _write(world: World, lease: Lease, rows: pa.Table, agreement: str, lineage: dict[str, Any]) -> None:
    """Write the files first and the row that names them last."""
    lease.check()
    last = max((record.number for record in rounds_of(world.hot, world.project)), default=1)
    row = write_files(world, rows, round=last, agreement=agreement, lineage=lineage)
    commit(world, lease, "datasets", pa.Table.from_pylist([row], contract("datasets").schema), stage="export")
    publish_link("dataset", row["uri"], f"Training set {row['dataset_version']}")


def _nothing(reason: str) -> Summary:
    return Summary(stage="export", counts={"published": 0, "rows": 0}, notes=(reason,))


def _training_rows(world: World) -> tuple[pa.Table, dict[str, Any], list[str]]:
    """Return the rows, from what and for whom they were made, and how many stay out for which reason."""
    versions = {name: world.table(name).version() for name in _SOURCES}
    labels, units, references, batches = (world.table(name).read(version=versions[name]) for name in _SOURCES)
    rows = training_rows(
        labels,
        units,
        references,
        batches,
        closed_rounds=[r.number for r in rounds_of(world.hot, world.project) if r.state == "closed"],
        salt=world.spec.export.salt,
        validation_share=world.spec.export.validation_share,
        test_share=world.spec.export.test_share,
    )
    out = {
        "near-duplicates of audit references": _copies(world, rows, units),
        "an expert is to look at them first": _awaited(world, rows, labels),
    }
    lineage: dict[str, Any] = {f"table {name}": version for name, version in versions.items()}
    if world.spec.export.recipients:
        lineage["recipients"] = ", ".join(world.spec.export.recipients)
    told = [f"{left.sum()} labels left out: {reason}" for reason, left in out.items() if left.any()]
    return rows.filter(pa.array(~np.logical_or.reduce([*out.values()]))), lineage, told


def _awaited(world: World, rows: pa.Table, labels: pa.Table) -> NDArray[np.bool_]:
    """Return which rows are of units that only novices answered, or not alike, and no expert has ruled on yet."""
    cases = world.reviewing().table("batches").read(columns=["unit_id", "reason"])
    in_doubt = pc.is_in(cases["reason"], value_set=pa.array(["novice", "unlike"]))
    asked = cases.filter(in_doubt)["unit_id"].combine_chunks()
    ruled = labels.filter(pc.equal(labels["decided_by"], "expert"))["unit_id"].combine_chunks()
    due = asked.filter(pc.invert(pc.is_in(asked, value_set=ruled)))
    return np.asarray(pc.is_in(rows["unit_id"], value_set=due)) & (world.spec.annotators.experts > 0)


def _copies(world: World, rows: pa.Table, units: pa.Table) -> NDArray[np.bool_]:
    """Return which rows speak of a near-duplicate of a reference that was asked about for the audit."""
    members = units.filter(pc.equal(units["purpose"], "audit"))["ref_ids"].combine_chunks()
    if not len(members):
        return np.zeros(len(rows), dtype=bool)
    return copies_of_audit(rows, read_asked(world), members.flatten(), world.spec.sampling.near_duplicates)
