"""Before an erasure deletes anything: suppress, restrict, freeze the plan, and see whether it may go ahead."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow.compute as pc

from labelloop.erasure.decisions import needs_approval
from labelloop.erasure.plan import Plan, matching_references
from labelloop.erasure.request import Request
from labelloop.erasure.suppression import suppression_rows
from labelloop.errors import DecisionNeeded
from tasks.clients.erasures import Erasures
from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.erasure_reach import reach_of
from tasks.erasure_rows import restrict
from tasks.erasure_worlds import world_of
from tasks.exclusive import LABELLING, exclusive


def settled_plan(worlds: Sequence[World], lease: Lease, erasures: Erasures, request: Request) -> Plan:
    """Return the frozen plan, making it if need be, once nothing stands against carrying it out.

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
    """Suppress and restrict what the request names, then freeze what it reaches."""
    own, wanted = world_of(worlds, request.project), erasures.identifiers(request)
    bucket = own.spec.media.bucket
    rows = suppression_rows(wanted, bucket, own.keys, request_id=request.request_id, now=own.now())
    known = own.table("suppressions").read(columns=["suppression_id"])["suppression_id"]
    new = rows.filter(pc.invert(pc.is_in(rows["suppression_id"], value_set=known.combine_chunks())))
    commit(own, lease, "suppressions", new, stage="erasure")
    with exclusive(worlds, LABELLING):
        named = matching_references(own.table("references").read(), wanted, bucket, own.keys)
        restrict(own, lease, named["ref_id"].combine_chunks())
        plan = reach_of(worlds, wanted, bucket)
        lease.check()
        erasures.freeze(request.request_id, plan)
    return plan
