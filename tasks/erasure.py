"""Erasure: carry out every open request of the lake, in an order that loses no evidence before its time.

Suppress, restrict, freeze the plan, then Label Studio, rows, training sets, media and references; purge, look again,
sign the receipt, shred the plan. Killed anywhere, the next run carries on from the frozen plan.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from prefect import task

from labelloop.contracts import contract
from labelloop.erasure.decisions import needs_approval
from labelloop.erasure.plan import Plan, matching_references
from labelloop.erasure.receipt import issue
from labelloop.erasure.receipt_chain import last_digest
from labelloop.erasure.request import Request
from labelloop.erasure.suppression import suppression_rows
from labelloop.errors import ConfigurationError, DecisionNeeded, HeldByLaw, UnavailableError
from labelloop.summary import Summary
from tasks.artifacts import publish_table
from tasks.clients.erasures import Erasures
from tasks.clients.lease import Lease
from tasks.clients.receipt_keys import publish, signer
from tasks.clients.receipts import receipts
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.erasure_inbox import take_up_inbox
from tasks.erasure_ledger import record_in_ledger
from tasks.erasure_reach import TABLES, count, reach_of
from tasks.erasure_returned import recover_from_restore
from tasks.erasure_sinks import (
    erase_media,
    erase_references,
    erase_rows,
    erase_tasks,
    holds_on,
    refuse_holds,
    restrict,
)
from tasks.exclusive import LABELLING, erasing, exclusive
from tasks.policies import OUTSIDE
from tasks.purge import purge_tables
from tasks.stage import finish, stage
from tasks.suppression import suppressions_in_force
from tasks.withdrawal import withdraw_rows

_HOW = "every table, training set and task looked up again; every version of every object listed again"


@task(name="erasure", description="Carry out open erasure requests", **OUTSIDE)
def erasure(project: str) -> dict[str, object]:
    """Carry out every open erasure request of the lake, whichever project it came through."""
    with stage(project, "erasure") as (world, _):
        return finish(carry_out_requests(world))


def carry_out_requests(world: World) -> Summary:
    """Carry out what is open, and say what has to wait for a person or a hold.

    Raises:
        SuppressionKeyError: the suppression keys cannot be verified; nothing was changed.
        UnavailableError: something is still there after the erasure; no receipt was issued, run it again.
    """
    suppressions_in_force(world)
    erasures = Erasures(world.hot, world.vault)
    erasures.forget_finished()
    recover_from_restore(world)
    take_up_inbox(world)
    before = _unfinished(erasures)
    if before:
        with erasing(world) as lease:
            worlds = world.neighbours()
            for request in _unfinished(erasures):
                _carry_out(worlds, lease, erasures, request)
    record_in_ledger(world)
    left = _unfinished(erasures)
    counts = {
        "done": len({r.request_id for r in before} - {r.request_id for r in left}),
        "waiting": sum(request.state == "waiting" for request in left),
        "blocked": sum(request.state == "blocked" for request in left),
        "overdue": sum(request.is_overdue(world.now()) for request in left),
    }
    return Summary(stage="erasure", counts=counts)


def _unfinished(erasures: Erasures) -> list[Request]:
    return [request for request in erasures.all() if not request.is_finished]


def _carry_out(worlds: Sequence[World], lease: Lease, erasures: Erasures, request: Request) -> None:
    """Bring one request as far as it can get, and record why it got no further."""
    own = _world_of(worlds, request.project)
    if any(receipt.request_id == request.request_id for receipt in receipts(own.lake)):
        erasures.close(request.request_id)
        return
    try:
        plan = _settled_plan(worlds, lease, erasures, request)
        _erase(worlds, lease, plan)
    except HeldByLaw as held:
        erasures.change(request.request_id, state="blocked", reason=str(held))
        return
    except DecisionNeeded as needed:
        erasures.change(request.request_id, state="waiting", reason=str(needed))
        return
    _certify(worlds, lease, request, plan)
    erasures.close(request.request_id)


def _settled_plan(worlds: Sequence[World], lease: Lease, erasures: Erasures, request: Request) -> Plan:
    """Return the frozen plan, making it if need be, once nothing stands against carrying it out.

    Raises:
        DecisionNeeded: it reaches more objects than may go without a person's approval.
        HeldByLaw: it was blocked before, and still is.
    """
    own = _world_of(worlds, request.project)
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
    if request.state == "blocked":
        refuse_holds(holds_on(own, plan))
    return plan


def _frozen_plan(worlds: Sequence[World], lease: Lease, erasures: Erasures, request: Request) -> Plan:
    """Suppress and restrict what the request names, then freeze what it reaches."""
    own, wanted = _world_of(worlds, request.project), erasures.identifiers(request)
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


def _erase(worlds: Sequence[World], lease: Lease, plan: Plan) -> None:
    with exclusive(worlds, LABELLING):
        for reach in plan.projects:
            world = _world_of(worlds, reach.project)
            erase_tasks(world, lease, reach)
            erase_rows(world, lease, plan, reach)
            withdraw_rows(world, lease, plan.ref_ids)
        # Before the media: a hold on them must not keep derived rows alive in old files.
        _purge(worlds, lease, plan)
        erase_media(worlds[0], lease, plan)
        erase_references(worlds[0], lease, plan)
        purge_tables(worlds[0], lease, ["references"])


def _purge(worlds: Sequence[World], lease: Lease, plan: Plan) -> None:
    for reach in plan.projects:
        if plan.ref_ids or reach.row_ids:
            purge_tables(_world_of(worlds, reach.project), lease, TABLES)


def _certify(worlds: Sequence[World], lease: Lease, request: Request, plan: Plan) -> None:
    """Look again everywhere and sign what was found and what remains.

    Raises:
        UnavailableError: something remains.
    """
    own = _world_of(worlds, request.project)
    remaining = count(worlds, plan)
    left = {place: number for place, number in remaining.items() if number}
    if left:
        told = ", ".join(f"{place} {number}" for place, number in left.items())
        raise UnavailableError(f"after the erasure there is still: {told}", remedy="run the erasure again")
    sinks = {place: {"found": plan.found[place], "remaining": number} for place, number in remaining.items()}
    payload = {
        "received_at": request.received_at.isoformat(),
        "due_at": request.due_at.isoformat(),
        "completed_at": own.now().isoformat(),
        "sinks": sinks,
        "models_flagged": sum(len(reach.model_versions) for reach in plan.projects),
        "suppression_key_id": own.keys.current,
        "verification": _HOW,
    }
    publish(own.hot, own.settings, lease)
    receipt = issue(
        payload,
        receipt_id=own.new_id(),
        request_id=request.request_id,
        outcome="erased",
        issued_at=own.now(),
        previous_digest=last_digest(receipts(own.lake)),
        signer=signer(own.settings),
    )
    row = pa.Table.from_pylist([receipt.model_dump()], schema=contract("receipts").schema)
    commit(own, lease, "receipts", row, stage="erasure")
    publish_table("erasure", [{"place": place, **numbers} for place, numbers in sinks.items()], "What was erased")


def _world_of(worlds: Sequence[World], project: str) -> World:
    """Return the world of a project.

    Raises:
        ConfigurationError: its spec is gone, so that what it holds cannot be reached.
    """
    found = next((world for world in worlds if world.project == project), None)
    if found is None:
        raise ConfigurationError(
            f"an erasure reaches project {project!r}, whose spec is gone",
            remedy="restore its file until the erasure is done",
        )
    return found
