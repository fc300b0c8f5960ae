"""Lifting: a person ends the suppression of a request; what is erased stays erased, what comes again is new."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from prefect import task

from labelloop.erasure.decisions import LiftReason, Officer, lifted
from labelloop.erasure.plan import matching_references
from labelloop.erasure.request import Request
from labelloop.summary import Summary
from tasks.clients.erasures import Erasures
from tasks.clients.lease import Lease
from tasks.clients.world import World, open_world
from tasks.contracts import commit
from tasks.erasure.ledger import record_in_ledger
from tasks.exclusive import LABELLING, erasing, exclusive
from tasks.policies import OUTSIDE
from tasks.stage import finish
from tasks.suppression import suppressions_in_force


@task(name="erasure-lift", description="End the suppression of erasure requests", **OUTSIDE)
def erasure_lift(project: str, request: str, reason: LiftReason, officer: str) -> dict[str, object]:
    """End the suppression of a request, or of all requests of a document."""
    by = Officer(pseudonym=officer, known_as=frozenset({officer}))
    return finish(lift_requests(open_world(project), request, by, reason))


def lift_requests(world: World, name: str, by: Officer, reason: LiftReason) -> Summary:
    """End what the requests suppress and restrict; run again after a kill, it does what is missing.

    Args:
        world: any world of the lake.
        name: id of a request or of a document.
        by: who decides.
        reason: it was a mistake, or the person consents again.

    Raises:
        InputError: there is no such request, or one is half carried out; nothing was changed.
        LeaseHeld: an erasure is running.
    """
    suppressions_in_force(world)
    erasures = Erasures(world.hot, world.vault)
    with erasing(world) as lease:
        requests = erasures.of(name)
        for request in requests:
            lifted(request, by, reason=reason, now=world.now(), begun=erasures.has_begun(request))
        counts = {"requests": len(requests), "suppressions": 0, "references": 0}
        for request in requests:
            ref_ids = _restricted_by(world, erasures, request)
            # The decision first: a run that finds a request open suppresses nothing anew, yet would erase.
            erasures.decide(request.request_id, lambda r: lifted(r, by, reason=reason, now=world.now(), begun=False))
            counts["suppressions"] += _end_suppressions(world, lease, request.request_id)
            counts["references"] += _release(world, lease, erasures, ref_ids)
            erasures.change(request.request_id, payload=None)
            erasures.forget(request.request_id)
        record_in_ledger(world)
    return Summary(stage="erasure-lift", counts=counts)


def _restricted_by(world: World, erasures: Erasures, request: Request) -> set[str]:
    """Return the references that are out of the later stages because of this request."""
    if request.payload is None:
        return set()
    if plan := erasures.plan(request.request_id):
        return set(plan.ref_ids)
    own = next((each for each in world.neighbours() if each.project == request.project), world)
    references, wanted = world.table("references").read(), erasures.identifiers(request)
    return set(matching_references(references, wanted, own.spec.media.bucket, world.keys)["ref_id"].to_pylist())


def _end_suppressions(world: World, lease: Lease, request_id: str) -> int:
    rows = world.table("suppressions").read()
    mine = rows.filter(pc.and_(pc.equal(rows["request_id"], request_id), pc.is_null(rows["lifted_at"])))
    moment = pa.array([world.now()] * mine.num_rows, rows.schema.field("lifted_at").type)
    ended = mine.set_column(mine.schema.get_field_index("lifted_at"), "lifted_at", moment)
    commit(world, lease, "suppressions", ended, stage="erasure-lift")
    return int(ended.num_rows)


def _release(world: World, lease: Lease, erasures: Erasures, ref_ids: set[str]) -> int:
    """Give references back to the later stages, unless another request restricts them too; sync sees to the rest."""
    unfinished = [request for request in erasures.all() if not request.is_finished]
    free = ref_ids.difference(*(_restricted_by(world, erasures, request) for request in unfinished))
    if not free:
        return 0
    with exclusive(world.neighbours(), LABELLING):
        references = world.table("references").read()
        named = pc.is_in(references["ref_id"], value_set=pa.array(sorted(free), pa.string()))
        mine = references.filter(pc.and_(named, pc.equal(references["state"], "restricted")))
        rows = [{**row, "state": "active", "changed_at": world.now()} for row in mine.to_pylist()]
        commit(world, lease, "references", pa.Table.from_pylist(rows, schema=references.schema), stage="erasure-lift")
    return len(rows)
