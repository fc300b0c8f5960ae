"""Sample: choose the batch of a round, once and for all.

A round is decided by one commit of `batches`; killed before it, the rerun throws away half-written units and chooses
the same batch again, killed after it, the rerun carries on with what was chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from prefect import task

from labelloop.pool import comparable, scoring_model, split_pool
from labelloop.rounds import Round
from labelloop.sampling import backpressure, compose_batch, queue_scores
from labelloop.summary import Summary
from labelloop.units import units_of_batch
from tasks.artifacts import publish_table
from tasks.clients.lease import Lease
from tasks.clients.rounds import begin_round, current_round, save_round
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.policies import INSIDE
from tasks.stage import finish, stage

# A round younger than this that still has open tasks is carried on instead of beginning another.
_ROUND_DAYS = 6


@task(name="sample", **INSIDE)
def sample(project: str, options: dict[str, Any]) -> dict[str, object]:
    """Choose the units of this round and write down why."""
    with stage(project, "sample") as (world, lease):
        return finish(choose_batch(world, lease, options))


def choose_batch(world: World, lease: Lease, options: Mapping[str, Any]) -> Summary:
    """Bring the newest round to `chosen`, beginning one if the last is over.

    Args:
        world: the project's outside.
        lease: held on (project, sample).
        options: `batch_size`, `strategy`, `even_if_open`; None means as the spec says.
    """
    record, note = _round(world, options)
    if record is None:
        return Summary(stage="sample", counts={"chosen": 0}, notes=(note,))
    if record.state != "choosing":
        return Summary(stage="sample", counts={"chosen": 0}, notes=(f"round {record.number} is {record.state}",))
    batch, notes = _of_round(world.table("batches").read(), record.number), [f"round {record.number}", record.reason]
    if batch.num_rows == 0:
        batch, waiting = _compose(world, lease, record)
        notes += [f"{waiting} references wait for what the model says of them"] if waiting else []
    versions = {name: world.table(name).version() for name in ("references", "predictions", "units", "batches")}
    save_round(world.hot, world.project, record.model_copy(update={"state": "chosen", "table_versions": versions}))
    _show(record, batch)
    return Summary(stage="sample", counts={"chosen": batch.num_rows}, notes=tuple(notes))


def _round(world: World, options: Mapping[str, Any]) -> tuple[Round | None, str]:
    """Return the round to bring forward, or None and the reason why there is none."""
    last, spec = current_round(world.hot, world.project), world.spec.sampling
    if last and last.state in ("choosing", "chosen"):
        return last, ""
    young = last and last.state == "open" and world.now() - last.opened_at < timedelta(days=_ROUND_DAYS)
    if last and young and not options.get("even_if_open"):
        return None, f"round {last.number} is still open and younger than {_ROUND_DAYS} days"
    wanted = options.get("batch_size")
    tasks = world.table("tasks").read(columns=["state"])
    open_tasks = pc.sum(pc.equal(tasks["state"], "open")).as_py() or 0
    size, reason = backpressure(spec.batch_size if wanted is None else wanted, open_tasks, spec.max_open_tasks)
    if size == 0:
        return None, reason
    number = last.number + 1 if last else 1
    record = Round(
        number=number,
        state="choosing",
        seed=spec.seed,
        size=size,
        strategy=options.get("strategy") or spec.strategy,
        reason=reason,
        opened_at=world.now(),
    )
    return begin_round(world.hot, world.project, record), ""


def _compose(world: World, lease: Lease, record: Round) -> tuple[pa.Table, int]:
    """Choose the batch of a round, commit its units, then the batch; return it and how many could not be compared."""
    stale = _of_round(world.table("units").read(), record.number)
    world.table("units").delete("unit_id", stale["unit_id"].to_pylist(), fence=lease.check)
    chosen, fresh, confidence, waiting = _choose(world, record)
    versions = dict(zip(fresh["ref_id"].to_pylist(), fresh["media_version"].to_pylist(), strict=True))
    units, batch = units_of_batch(
        chosen,
        [versions[ref] for ref in chosen["ref_id"].to_pylist()],
        queue_scores(chosen, confidence, record.seed),
        project=world.project,
        round=record.number,
        at=world.now(),
    )
    commit(world, lease, "units", units, stage="sample")
    commit(world, lease, "batches", batch, stage="sample")
    return batch, waiting


def _choose(world: World, record: Round) -> tuple[pa.Table, pa.Table, Any, int]:
    """Return the chosen references, the pool they come from, the model's confidence in each and who has to wait.

    Without a model there is no confidence: None.
    """
    spec = world.spec
    predictions, units = world.table("predictions").read(), world.table("units").read()
    model = scoring_model(world.table("models").read(), predictions, now=world.now())
    unasked, asked = split_pool(
        world.table("references").read(),
        predictions,
        units,
        bucket=spec.media.bucket,
        prefix=spec.media.prefix,
        model_version=model,
    )
    fresh = comparable(unasked)
    waiting = unasked.num_rows - fresh.num_rows
    chosen = compose_batch(
        fresh,
        size=record.size,
        strategy=record.strategy,
        seed=record.seed,
        round_number=record.number,
        salt=world.project,
        audit_rate=spec.sampling.audit_rate,
        explore_share=spec.sampling.explore_share,
        labelled=comparable(asked),
    )
    if model is None or chosen.num_rows == 0:
        return chosen, fresh, None, waiting
    order = pc.index_in(chosen["ref_id"], fresh["ref_id"].combine_chunks())
    return chosen, fresh, fresh["confidence"].take(order).to_numpy(), waiting


def _of_round(rows: pa.Table, number: int) -> pa.Table:
    return rows.filter(pc.equal(rows["round"], number))


def _show(record: Round, batch: pa.Table) -> None:
    strata = batch.group_by(["stratum", "strategy"]).aggregate([("unit_id", "count")]).to_pylist()
    rows = [
        {
            "round": record.number,
            "stratum": row["stratum"],
            "strategy": row["strategy"],
            "units": row["unit_id_count"],
        }
        for row in strata
    ]
    publish_table("batch", rows, f"Composition of round {record.number}: {record.reason}")
