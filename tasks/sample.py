"""Sample: choose the batch of a round, once and for all.

A round is decided by one commit of `batches`; killed before it, the rerun throws away half-written units and chooses
the same batch again, killed after it, the rerun carries on with what was chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from prefect import task

from labelloop.asked import earlier_units, repeatable
from labelloop.evaluations import last_gain
from labelloop.onboarding import onboarding_first, with_onboarding
from labelloop.rounds import Round
from labelloop.sampling import Again, audited, compose_batch, possible, queue_scores, refused_rows
from labelloop.summary import Summary
from labelloop.unit_builders import Built, build_units, references_for
from labelloop.units import units_of_batch
from tasks.artifacts import publish_table
from tasks.candidates import Candidates, limits_of
from tasks.clients.lease import Lease
from tasks.clients.rounds import begin_round, current_round, save_round
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.load import allowed
from tasks.policies import INSIDE
from tasks.runner import on_task_runner
from tasks.shards import Across, read_pool, shortlist
from tasks.stage import finish, stage

# A round younger than this that still has open tasks is carried on instead of beginning another.
_ROUND_DAYS = 6
_DECIDED = ["unit_id", "decided_by", "state"]
_SHOWN = ("stratum", "strategy", "acquisition_score", "inclusion_probability", "reason")


@task(name="sample", **INSIDE)
def sample(project: str, options: dict[str, Any]) -> dict[str, object]:
    """Choose the units of this round and write down why."""
    with stage(project, "sample") as (world, lease):
        return finish(choose_batch(world, lease, options, on_task_runner(shortlist, project)))


def choose_batch(world: World, lease: Lease, options: Mapping[str, Any], across: Across | None = None) -> Summary:
    """Bring the newest round to `chosen`, beginning one if the last is over.

    Args:
        world: the project's outside.
        lease: held on (project, sample).
        options: `batch_size`, `strategy`, `even_if_open`; None means as the spec says.
        across: who works on the shards of a large pool; by default they are done one after the other.

    Raises:
        InputError: the pool lacks what strategy, objectives or limits need; no round is begun.
    """
    record, note = _round(world, options)
    if record is None:
        return Summary(stage="sample", counts={"chosen": 0}, notes=(note,))
    if record.state != "choosing":
        return Summary(stage="sample", counts={"chosen": 0}, notes=(f"round {record.number} is {record.state}",))
    batch, notes = _of_round(world.table("batches").read(), record.number), [f"round {record.number}", record.reason]
    if batch.num_rows == 0:
        batch, told = _compose(world, lease, record, across)
        notes += told
    versions = {name: world.table(name).version() for name in ("references", "predictions", "units", "batches")}
    save_round(world.hot, world.project, record.model_copy(update={"state": "chosen", "table_versions": versions}))
    _show(record, batch, notes)
    return Summary(stage="sample", counts={"chosen": batch.num_rows}, notes=tuple(notes))


def _round(world: World, options: Mapping[str, Any]) -> tuple[Round | None, str]:
    """Return the round to bring forward, or None and the reason why there is none."""
    last, spec = current_round(world.hot, world.project), world.spec.sampling
    if last and last.state in ("choosing", "chosen"):
        return last, ""
    young = last and last.state == "open" and world.now() - last.opened_at < timedelta(days=_ROUND_DAYS)
    if last and young and not options.get("even_if_open"):
        return None, f"round {last.number} is still open and younger than {_ROUND_DAYS} days"
    size, reason = allowed(world, options.get("batch_size"))
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
    return record, ""


def _compose(world: World, lease: Lease, record: Round, across: Across | None) -> tuple[pa.Table, list[str]]:
    """Choose the batch of a round, commit its units, then the batch; return it and what is to be said of it."""
    known = read_pool(world, record, across)
    possible(known.fresh, record.strategy, world.spec.sampling.objectives, limits_of(world.spec))
    record = begin_round(world.hot, world.project, record)
    stale = _of_round(world.table("units").read(), record.number)
    world.table("units").delete("unit_id", stale["unit_id"].to_pylist(), fence=lease.check)
    chosen = _choose(world, record, known)
    built = _with_onboarding(world, record, known, _built(world, record, known, chosen))
    both = pa.concat_tables([t.select(["ref_id", "media_version"]) for t in (known.asked, known.fresh)])
    versions = dict(zip(both["ref_id"].to_pylist(), both["media_version"].to_pylist(), strict=True))
    units, batch = units_of_batch(
        built.rows,
        [[(ref, versions[ref]) for ref in refs] for refs in built.members],
        onboarding_first(built.rows, queue_scores(built.rows, _confidence(known, built), record.seed)),
        kind=world.spec.sampling.unit.kind,
        project=world.project,
        round=record.number,
        at=world.now(),
    )
    commit(world, lease, "units", units, stage="sample")
    commit(world, lease, "batches", batch, stage="sample")
    return batch, _notes(world, known, chosen)


def _choose(world: World, record: Round, known: Candidates) -> pa.Table:
    """Return the references of the batch."""
    spec = world.spec.sampling
    again = repeatable(world.table("labels").read(columns=_DECIDED), known.units, known.asked)
    return compose_batch(
        known.fresh,
        size=references_for(spec.unit, record.size),
        strategy=record.strategy,
        seed=record.seed,
        round_number=record.number,
        salt=world.project,
        audit_rate=spec.audit_rate,
        explore_share=spec.explore_share,
        labelled=known.asked,
        objectives=spec.objectives,
        limits=limits_of(world.spec),
        gold=Again(again.gold, spec.gold_share),
        repeats=Again(again.answered, spec.repeat_share),
        open_rows=known.open_rows,
        evidence=last_gain(world.table("evaluations").read()),
    )


def _built(world: World, record: Round, known: Candidates, chosen: pa.Table) -> Built:
    """Return the chosen references as units of the kind that the spec asks for."""
    spec = world.spec.sampling
    sides = audited(known.fresh, world.project, spec.audit_rate)
    return build_units(
        chosen,
        spec.unit,
        pool=known.fresh.append_column("audited", pa.array(sides)),
        asked=known.asked,
        earlier=earlier_units(known.units, spec.unit.kind),
        near=spec.near_duplicates,
        seed=record.seed,
    )


def _with_onboarding(world: World, record: Round, known: Candidates, built: Built) -> Built:
    size = world.spec.sampling.onboarding
    if not size:
        return built
    gold = repeatable(world.table("labels").read(columns=_DECIDED), known.units, known.asked).gold
    return with_onboarding(built, gold, known.units, size=size, seed=record.seed)


def _confidence(known: Candidates, built: Built) -> NDArray[np.floating] | None:
    """Return how sure the model is of each unit's first member, NaN where it said nothing; None without a model."""
    if known.model is None:
        return None
    both = pa.concat_tables([table.select(["ref_id", "confidence"]) for table in (known.asked, known.fresh)])
    first = pa.array([refs[0] for refs in built.members], pa.string())
    found = both["confidence"].take(pc.index_in(first, both["ref_id"].combine_chunks()))
    return found.fill_null(np.nan).to_numpy()


def _notes(world: World, known: Candidates, chosen: pa.Table) -> list[str]:
    """Return what kept references out of the batch, and what it will cost."""
    notes = [f"{known.waiting} references wait for what the model says of them"] if known.waiting else []
    notes += [f"{count} references left out: {rule}" for rule, count in sorted(refused_rows(chosen).items())]
    budget = world.spec.sampling.budget
    place = pc.index_in(chosen["ref_id"], known.fresh["ref_id"].combine_chunks()).drop_null()
    hours = pc.sum(known.fresh["cost"].take(place)).as_py() or 0.0
    price = f" ({hours * budget.rate_per_hour:,.0f} {budget.currency})" if budget.rate_per_hour else ""
    return [*notes, f"expected to take {hours:.1f} hours{price}"]


def _of_round(rows: pa.Table, number: int) -> pa.Table:
    return rows.filter(pc.equal(rows["round"], number))


def _show(record: Round, batch: pa.Table, notes: list[str]) -> None:
    """Show how many units each stratum and strategy gave, how they were drawn, and why the first of them."""
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for row in batch.sort_by("rank").to_pylist():
        first = {name: row[name] for name in _SHOWN}
        group = groups.setdefault((row["stratum"], row["strategy"]), {"round": record.number, "units": 0, **first})
        group["units"] += 1
    told = "; ".join(note for note in notes if note)
    publish_table("batch", list(groups.values()), f"Composition, with the first pick of each part: {told}")
