"""Before an erasure deletes anything: suppress, restrict, freeze the plan, and see whether it may go ahead."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.erasure.decisions import needs_approval
from labelloop.erasure.plan import Plan, matching_references
from labelloop.erasure.request import Identifiers, Request, together
from labelloop.erasure.suppression import suppression_rows
from labelloop.errors import DecisionNeeded
from tasks.clients.erasures import Erasures
from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.erasure.reach import reach_of
from tasks.erasure.rows import restrict
from tasks.erasure.worlds import world_of
from tasks.exclusive import LABELLING, exclusive


def keep_away(worlds: Sequence[World], lease: Lease, erasures: Erasures, requests: Sequence[Request]) -> None:
    """Suppress and restrict what the requests name, all in one go: the last of thousands waits for no other erasure.

    Requests whose plan is frozen were here before.
    """
    planned = erasures.planned()
    fresh = [request for request in requests if request.request_id not in planned]
    if not fresh:
        return
    wanted = [(request, erasures.identifiers(request)) for request in fresh]
    _suppress(worlds, lease, wanted)
    with exclusive(worlds, LABELLING):
        references, named = worlds[0].table("references").read(), []
        for project in sorted({request.project for request in fresh}):
            own = world_of(worlds, project)
            theirs = together([identifiers for request, identifiers in wanted if request.project == project])
            named.append(matching_references(references, theirs, own.spec.media.bucket, own.keys)["ref_id"])
        restrict(worlds[0], lease, pa.chunked_array([ref_ids.combine_chunks() for ref_ids in named], pa.string()))


def _suppress(worlds: Sequence[World], lease: Lease, wanted: Sequence[tuple[Request, Identifiers]]) -> None:
    rows = []
    for request, identifiers in wanted:
        own = world_of(worlds, request.project)
        bucket, request_id = own.spec.media.bucket, request.request_id
        rows.append(suppression_rows(identifiers, bucket, own.keys, request_id=request_id, now=own.now()))
    made = pa.concat_tables(rows)
    known = worlds[0].table("suppressions").read(columns=["suppression_id"])["suppression_id"]
    new = made.filter(pc.invert(pc.is_in(made["suppression_id"], value_set=known.combine_chunks())))
    commit(worlds[0], lease, "suppressions", new, stage="erasure")


def settled_plan(worlds: Sequence[World], lease: Lease, erasures: Erasures, request: Request) -> Plan:
    """Return the frozen plan, making it if need be, once nothing stands against carrying it out; after `keep_away`.

    Raises:
        DecisionNeeded: it reaches more objects than may go without a person's approval.
    """
    own = world_of(worlds, request.project)
    plan = erasures.plan(request.request_id)
    if plan is None:
        plan = _frozen_plan(worlds, lease, erasures, request)
    limit = own.spec.erasure.max_objects_without_approval
    if needs_approval(request, len(plan.objects), limit):
        raise DecisionNeeded(
            f"{len(plan.objects)} objects, or {request.together} requests in one document, are more than "
            f"erasure.max_objects_without_approval ({limit})",
            remedy="look at `labelloop erase plan`, then let a second person `labelloop erase approve` it",
        )
    return plan


def _frozen_plan(worlds: Sequence[World], lease: Lease, erasures: Erasures, request: Request) -> Plan:
    own, wanted = world_of(worlds, request.project), erasures.identifiers(request)
    with exclusive(worlds, LABELLING):
        plan = reach_of(worlds, wanted, own.spec.media.bucket, request.inbox_files)
        lease.check()
        erasures.freeze(request.request_id, plan)
    return plan
