"""Consensus: resolve opinions into labels, every night anew; an expert's ruling wins."""

from __future__ import annotations

from functools import partial
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from prefect import task

from labelloop.agreement.question import buckets_of
from labelloop.contracts import contract
from labelloop.labels import keep_times, label_rows
from labelloop.summary import Summary
from tasks.answers_by_round import MANY
from tasks.clients.lease import Lease
from tasks.clients.table_rows import text_of
from tasks.clients.world import World
from tasks.contracts import commit, commit_new
from tasks.deciding import decided_tonight
from tasks.policies import INSIDE
from tasks.stage import finish, stage

_KEY: Final = ["unit_id", "control"]
_COMPARED: Final = ["unit_id", "kind", "ref_ids"]  # of units that compare two


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
    tonight = decided_tonight(world, lease, many=many, full=full)
    decide = partial(
        label_rows,
        units=world.table("units").read(columns=_COMPARED, where=text_of("kind") == "pair"),
        experts=tonight.experts,
        accept_confidence=world.spec.quality.accept_confidence,
        at=world.now(),
        method=world.spec.consensus.method,
        beside=tonight.beside,
        buckets=buckets_of(world.spec.interface),
        learnt=tonight.learnt,
        remarks=world.spec.interface.remarks,
    )
    found = [contract("labels").schema.empty_table(), *map(decide, tonight.answers)]
    labels = keep_times(pa.concat_tables(found), tonight.present)
    stale = tonight.present.select(_KEY).join(labels.select(_KEY), _KEY, join_type="left anti")
    refused = _write(world, lease, labels, tonight.present, stale["unit_id"])
    tonight.keep()
    conflicts = pc.sum(pc.equal(labels["state"], "conflict")).as_py() or 0
    counts = {"labels": labels.num_rows, "conflicts": conflicts, "withdrawn": stale.num_rows, "refused": refused}
    if world.spec.consensus.imported:
        counts["imported"] = tonight.beside.opinions.num_rows + tonight.beside.gold.num_rows
    return Summary(stage="consensus", counts=counts)


def _write(world: World, lease: Lease, labels: pa.Table, present: pa.Table, stale: pa.ChunkedArray) -> int:
    """Write labels and return how many rows were refused; those of new units are added without a merge.

    Rows are deleted by unit, so those of a unit with a `stale` label are written anew.
    """
    world.table("labels").delete("unit_id", stale.unique().to_pylist(), fence=lease.check)
    staying = present.filter(pc.invert(pc.is_in(present["unit_id"], value_set=stale.combine_chunks())))
    is_new = pc.invert(pc.is_in(labels["unit_id"], value_set=staying["unit_id"].combine_chunks()))
    refused = commit_new(world, lease, "labels", [labels.filter(is_new)], stage="consensus")
    return refused + commit(world, lease, "labels", labels.filter(pc.invert(is_new)), stage="consensus")
