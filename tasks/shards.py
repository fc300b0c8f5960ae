"""The pool in shards: each hands on a short list, wherever it is worked on; a small pool is one and read as it is.

A shard is a range of reference ids: all that is known of a reference lies in one shard, whatever files it is in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from prefect import task

from labelloop.rounds import Round
from labelloop.sampling.round_shards import Shortlist, Wanted, shortlist_round, together
from labelloop.unit_builders import references_for
from tasks.candidates import Candidates, model_in_force, read_candidates
from tasks.clients.world import World, open_world
from tasks.parts import Range
from tasks.policies import INSIDE


class Job(NamedTuple):
    """The short list wanted of one shard, which is a `share` of the pool."""

    record: Round
    model: str | None
    shard: Range
    share: float


class Found(NamedTuple):
    """What a shard hands on, and how many of its references wait for what the model says of them."""

    shortlist: Shortlist
    waiting: int


Across = Callable[[Sequence[Job]], Iterable[Found]]


@task(name="shortlist", description="Score one shard of the pool and pre-select from it", **INSIDE)
def shortlist(project: str, job: Job) -> Found:
    """Return the short list of one shard; it is kept in memory alone, never as a stored result."""
    return find(open_world(project), job)


def read_pool(world: World, record: Round, across: Across | None = None) -> Candidates:
    """Return what the batch of a round is chosen from: the pool, or the short lists of its shards.

    Args:
        world: the project's outside.
        record: of the round.
        across: who works on the shards; by default they are done here, one after the other.
    """
    model, shards = model_in_force(world), shards_of(world)
    if len(shards) == 1:
        return read_candidates(world, record.number, model)
    jobs = [Job(record, model, shard, 1 / len(shards)) for shard in shards]
    found = list(across(jobs)) if across else [find(world, job) for job in jobs]
    rows, open_rows = together([one.shortlist for one in found], _size(world, record))
    beside = read_candidates(world, record.number, model, within=Range("", ""))  # what was asked before, nothing else
    return beside._replace(fresh=rows, waiting=sum(one.waiting for one in found), open_rows=open_rows)


def shards_of(world: World) -> list[Range]:
    """Return the ranges of reference ids that hold about `shard_rows` of the settings each; at least one."""
    batches = world.table("references").batches(columns=["ref_id"])
    count = max(1, -(-sum(batch.num_rows for batch in batches) // world.settings.shard_rows))
    edges = [f"{16**8 * edge // count:08x}" for edge in range(1, count)]
    return [Range(low, high) for low, high in zip(["", *edges], [*edges, None], strict=True)]


def find(world: World, job: Job) -> Found:
    """Return the short list of one shard."""
    known, sampling = read_candidates(world, job.record.number, job.model, within=job.shard), world.spec.sampling
    wanted = Wanted(
        size=_size(world, job.record),
        strategy=job.record.strategy,
        seed=job.record.seed,
        round_number=job.record.number,
        salt=world.project,
        audit_rate=sampling.audit_rate,
        share=job.share,
        objectives=sampling.objectives,
    )
    return Found(shortlist_round(known.fresh, wanted, known.asked), known.waiting)


def _size(world: World, record: Round) -> int:
    return references_for(world.spec.sampling.unit, record.size)
