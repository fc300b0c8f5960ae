"""Purge: once a day, destroy what deleted rows left behind, keep files few, issue the receipts that waited for it."""

from __future__ import annotations

from prefect import task

from labelloop.contracts import all_contracts
from labelloop.summary import Summary
from tasks.clients.erasures import Erasures
from tasks.clients.lease import Lease
from tasks.clients.quarantine import expire
from tasks.clients.world import World
from tasks.erasure.carry_out import conclude
from tasks.exclusive import LABELLING, PUBLISHING, erasing, exclusive
from tasks.leftovers import purge_reached, purge_tables
from tasks.policies import OUTSIDE
from tasks.stage import finish, stage

# The training set is published as files, not kept as a Delta table.
_TABLES = tuple(rules.name for rules in all_contracts() if rules.name != "training_set")


@task(name="purge", description="Destroy what deleted rows left behind", **OUTSIDE)
def purge(project: str) -> dict[str, object]:
    """End the time of quarantined rows, then destroy what deleted rows left behind in the project's tables."""
    with stage(project, "purge") as (world, _), erasing(world) as lease:
        return finish(purge_lake(world, lease))


def purge_lake(world: World, lease: Lease) -> Summary:
    """Purge the project's tables and those that waiting erasures reach anywhere, then issue their receipts.

    Raises:
        UnavailableError: something erased is there again; that request is open again.
    """
    worlds, erasures = world.neighbours(), Erasures(world.hot, world.vault)
    waiting = [request for request in erasures.all() if request.state == "purging"]
    plans = {request.request_id: erasures.plan(request.request_id) for request in waiting}
    with exclusive(worlds, (*LABELLING, *PUBLISHING)):
        counts = {"expired": expire(world, lease), "files": purge_tables(world, lease, _TABLES)}
        purge_reached(worlds, lease, [plan for plan in plans.values() if plan])
        for request in waiting:
            conclude(worlds, lease, erasures, request, plans[request.request_id])
    return Summary(stage="purge", counts={**counts, "receipts": len(waiting)})
