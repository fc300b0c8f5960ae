"""Consensus: resolve opinions into labels, every night anew; an expert's ruling wins."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from prefect import task

from labelloop.agreement.question import buckets_of
from labelloop.labels import label_rows
from labelloop.opinions import experts_among, without_confirmations
from labelloop.summary import Summary
from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.imported_labels import beside_annotators
from tasks.policies import INSIDE
from tasks.rulings import given_rulings
from tasks.stage import finish, stage


@task(name="consensus", **INSIDE)
def consensus(project: str) -> dict[str, object]:
    """Resolve the opinions on every unit into a label, or a conflict."""
    with stage(project, "consensus") as (world, lease):
        return finish(resolve_labels(world, lease))


def resolve_labels(world: World, lease: Lease) -> Summary:
    """Write the label of every answered unit and withdraw labels that have no opinion left."""
    people, table = world.table("annotators").read(), world.table("labels")
    rulings, reviewers = given_rulings(world)
    experts = experts_among(people) + reviewers
    present = table.read()
    answers = pa.concat_tables([world.table("annotations").read(), rulings])
    annotations = without_confirmations(answers, world.spec.interface)
    units = world.table("units").read(columns=["unit_id", "kind", "ref_ids", "media_versions"])
    beside = beside_annotators(world, annotations, units, experts)
    labels = label_rows(
        annotations,
        present,
        units=units,
        experts=experts,
        accept_confidence=world.spec.quality.accept_confidence,
        at=world.now(),
        method=world.spec.consensus.method,
        beside=beside,
        buckets=buckets_of(world.spec.interface),
    )
    refused = commit(world, lease, "labels", labels, stage="consensus")
    gone = sorted(set(present["unit_id"].to_pylist()) - set(labels["unit_id"].to_pylist()))
    withdrawn = table.delete("unit_id", gone, fence=lease.check)
    conflicts = pc.sum(pc.equal(labels["state"], "conflict")).as_py() or 0
    counts = {"labels": labels.num_rows, "conflicts": conflicts, "withdrawn": withdrawn, "refused": refused}
    if world.spec.consensus.imported:
        counts["imported"] = beside.opinions.num_rows + beside.gold.num_rows
    return Summary(stage="consensus", counts=counts)
