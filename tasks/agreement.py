"""Agreement: measure every night how far annotators agree, with intervals, on planned opinions."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc
from prefect import task

from labelloop.agreement.table import DECISIVE
from labelloop.summary import Summary
from tasks.artifacts import announce, publish_table
from tasks.clients.lease import Lease
from tasks.clients.rounds import current_round
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.figures import figures_tonight
from tasks.policies import INSIDE
from tasks.stage import finish, stage


@task(name="agreement", **INSIDE)
def agreement(project: str, full: bool = False) -> dict[str, object]:
    """Measure agreement for the project, its parts, each pair and each annotator."""
    with stage(project, "agreement") as (world, lease):
        return finish(measure_agreement(world, lease, full=full))


def measure_agreement(world: World, lease: Lease, *, full: bool = False) -> Summary:
    """Write the figures of the newest round and of every annotator; ask for help below the alarm.

    Args:
        world: the project's world.
        lease: checked before each write.
        full: count all anew.
    """
    record = current_round(world.hot, world.project)
    if record is None:
        return Summary(stage="agreement", notes=("no round yet",))
    figures, people = figures_tonight(world, lease, record.number, full=full)
    commit(world, lease, "agreement", figures, stage="agreement")
    commit(world, lease, "annotators", people, stage="agreement")
    _forget(world, lease)
    _show(figures)
    low = _alarms(world, figures)
    flagged = pc.sum(people["flagged"]).as_py() or 0
    counts = {"figures": figures.num_rows, "annotators": people.num_rows, "flagged": flagged, "alarms": low}
    return Summary(stage="agreement", counts=counts)


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
    remarks = pc.is_in(figures["control"], value_set=pa.array(world.spec.interface.remarks, pa.string()))
    decisive = pc.and_not(pc.is_in(figures["metric"], value_set=pa.array(DECISIVE)), remarks)
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
