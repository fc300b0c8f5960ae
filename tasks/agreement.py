"""Agreement: measure every night how far annotators agree, with intervals, on planned opinions."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from prefect import task

from labelloop.agreement.question import buckets_of
from labelloop.agreement.table import DECISIVE
from labelloop.annotators import annotator_rows
from labelloop.clusters import clusters_of
from labelloop.night import agreement_rows
from labelloop.opinions import without_confirmations
from labelloop.scoped_figures import Beside
from labelloop.summary import Summary
from tasks.artifacts import announce, publish_table
from tasks.clients.lease import Lease
from tasks.clients.rounds import current_round
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.imported_labels import opinions_of_current_model
from tasks.policies import INSIDE
from tasks.stage import finish, stage


@task(name="agreement", **INSIDE)
def agreement(project: str) -> dict[str, object]:
    """Measure agreement for the project, its parts, each pair and each annotator."""
    with stage(project, "agreement") as (world, lease):
        return finish(measure_agreement(world, lease))


def measure_agreement(world: World, lease: Lease) -> Summary:
    """Write the figures of the newest round and of every annotator; ask for help below the alarm."""
    record = current_round(world.hot, world.project)
    if record is None:
        return Summary(stage="agreement", notes=("no round yet",))
    spec = world.spec
    annotations = without_confirmations(world.table("annotations").read(), spec.interface)
    per_person = spec.annotators.figures == "lead"
    figures = agreement_rows(
        annotations,
        round=record.number,
        n_min=spec.quality.n_min,
        seed=spec.sampling.seed,
        at=world.now(),
        per_person=per_person,
        beside=_beside(world),
        buckets=buckets_of(spec.interface),
    )
    commit(world, lease, "agreement", figures, stage="agreement")
    people = annotator_rows(
        annotations,
        world.table("annotators").read(),
        world.table("labels").read(columns=["unit_id", "control", "label", "state"]),
        at=world.now(),
        hourly_rate=spec.annotators.hourly_rate,
        figures=per_person,
    )
    commit(world, lease, "annotators", people, stage="agreement")
    _forget(world, lease)
    _show(figures)
    low = _alarms(world, figures)
    flagged = pc.sum(people["flagged"]).as_py() or 0
    counts = {"figures": figures.num_rows, "annotators": people.num_rows, "flagged": flagged, "alarms": low}
    return Summary(stage="agreement", counts=counts)


def _beside(world: World) -> Beside:
    units = world.table("units").read(columns=["unit_id", "kind", "ref_ids", "media_versions"])
    read = ["unit_id", "round", "stratum", "strategy", "inclusion_probability"]
    batches = world.table("batches").read(columns=read)
    return Beside(batches, units, opinions_of_current_model(world, units), _clusters(world, units))


def _clusters(world: World, units: pa.Table) -> pa.Table:
    """The cluster of each unit; of the lake's references only those asked about are held."""
    shown = ds.field("ref_id").isin(pc.unique(pc.list_flatten(units["ref_ids"])))
    columns = ["ref_id", "subject_hmac", "source_hmac"]
    return clusters_of(units, world.table("references").read(columns=columns, where=shown))


def _forget(world: World, lease: Lease) -> None:
    """Delete the figures of pairs and single people that are older than the spec keeps them, or not wanted at all."""
    people, table = world.spec.annotators, world.table("agreement")
    days = people.figures_days if people.figures == "lead" else 0
    kept = table.read(columns=["figure_id", "scope", "measured_at"])
    personal = pc.is_in(kept["scope"], value_set=pa.array(["pair", "annotator"]))
    old = pc.less(kept["measured_at"], pa.scalar(world.now() - timedelta(days=days), pa.timestamp("us", "UTC")))
    table.delete("figure_id", kept.filter(pc.and_(personal, old))["figure_id"].to_pylist(), fence=lease.check)


def _alarms(world: World, figures: pa.Table) -> int:
    """Emit an event for each control whose decisive figure lies below the alarm, and return how many there are."""
    decisive = pc.is_in(figures["metric"], value_set=pa.array(DECISIVE))
    alpha = pc.and_(pc.equal(figures["scope"], "project"), decisive)
    below = figures.filter(pc.and_(alpha, pc.less(figures["value"], world.spec.quality.alarm))).to_pylist()
    for figure in below:
        told = {"control": figure["control"], "alpha": figure["value"], "alarm": world.spec.quality.alarm}
        announce("labelloop.agreement.low", told, project=world.project)
    return len(below)


def _show(figures: pa.Table) -> None:
    project = figures.filter(pc.equal(figures["scope"], "project"))
    rows = project.select(["control", "metric", "value", "low", "high", "n_units", "reason"]).to_pylist()
    publish_table("agreement", rows, "Agreement on planned opinions, with 95 % intervals")
