"""Consensus: resolve opinions into labels, every night anew; an expert's ruling wins."""

from __future__ import annotations

import pyarrow.compute as pc
from prefect import task

from labelloop.agreement.question import buckets_of
from labelloop.labels import label_rows
from labelloop.summary import Summary
from tasks.answers_by_round import MANY
from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.deciding import decided_tonight
from tasks.imported_labels import beside_annotators
from tasks.policies import INSIDE
from tasks.stage import finish, stage


@task(name="consensus", **INSIDE)
def consensus(project: str, full: bool = False) -> dict[str, object]:
    """Resolve the opinions on every unit into a label, or a conflict."""
    with stage(project, "consensus") as (world, lease):
        return finish(resolve_labels(world, lease, full=full))


def resolve_labels(world: World, lease: Lease, *, many: int = MANY, full: bool = False) -> Summary:
    """Write the label of every answered unit and withdraw labels that have no opinion left.

    Args:
        world: the project's world.
        lease: checked before each write.
        many: from so many answers on, settled rounds are decided only when something of them changed.
        full: decide all anew.
    """
    tonight, table = decided_tonight(world, lease, many=many, full=full), world.table("labels")
    units = world.table("units").read(columns=["unit_id", "kind", "ref_ids", "media_versions"])
    beside = beside_annotators(world, tonight.answers, units, tonight.experts)
    labels = label_rows(
        tonight.answers,
        tonight.present,
        units=units,
        experts=tonight.experts,
        accept_confidence=world.spec.quality.accept_confidence,
        at=world.now(),
        method=world.spec.consensus.method,
        beside=beside,
        buckets=buckets_of(world.spec.interface),
        learnt=tonight.learnt,
    )
    refused = commit(world, lease, "labels", labels, stage="consensus")
    gone = sorted(set(tonight.present["unit_id"].to_pylist()) - set(labels["unit_id"].to_pylist()))
    withdrawn = table.delete("unit_id", gone, fence=lease.check)
    tonight.keep()
    conflicts = pc.sum(pc.equal(labels["state"], "conflict")).as_py() or 0
    counts = {"labels": labels.num_rows, "conflicts": conflicts, "withdrawn": withdrawn, "refused": refused}
    if world.spec.consensus.imported:
        counts["imported"] = beside.opinions.num_rows + beside.gold.num_rows
    return Summary(stage="consensus", counts=counts)
