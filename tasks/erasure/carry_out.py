"""Erasure: carry out every open request of the lake, in an order that loses no evidence before its time.

Suppress, restrict, freeze the plan, then empty every sink; purge now or leave that to the daily one; look again, sign
the receipt, shred the plan. Killed anywhere, the next run carries on from the frozen plan and its journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from prefect import task

from labelloop.erasure.journal import Journal
from labelloop.erasure.plan import Plan, merged
from labelloop.erasure.request import Request
from labelloop.errors import DecisionNeeded, HeldByLaw, UnavailableError
from labelloop.summary import Summary
from tasks.clients.erasures import Erasures
from tasks.clients.lease import Lease
from tasks.clients.receipts import receipts
from tasks.clients.world import World
from tasks.erasure.content import suppress_content
from tasks.erasure.freeze import keep_away, settled_plan
from tasks.erasure.inbox import take_up_inbox
from tasks.erasure.ledger import record_in_ledger
from tasks.erasure.media import holds_on, refuse_holds, refuse_undeclared_replicas
from tasks.erasure.receipt import certify, certify_blocked, has_receipt
from tasks.erasure.returned import recover_from_restore
from tasks.erasure.sinks import SINKS
from tasks.erasure.worlds import world_of
from tasks.exclusive import LABELLING, erasing, exclusive
from tasks.leftovers import purge_reached
from tasks.policies import OUTSIDE
from tasks.stage import finish, stage
from tasks.suppression import suppressions_in_force

_PURGE_PENDING = "erased; the daily purge destroys what is left in old files, then the receipt is issued"


@task(name="erasure", description="Carry out open erasure requests", **OUTSIDE)
def erasure(project: str) -> dict[str, object]:
    """Carry out every open erasure request of the lake, whichever project it came through."""
    with stage(project, "erasure") as (world, _):
        return finish(carry_out_requests(world))


def carry_out_requests(world: World) -> Summary:
    """Carry out what is open, and say what has to wait for a person or a hold.

    Raises:
        SuppressionKeyError: the suppression keys cannot be verified; nothing was changed.
        ConfigurationError: media is copied to a bucket that no spec declares; nothing was changed.
        UnavailableError: something is still there after the erasure; no receipt was issued, run it again.
    """
    suppressions_in_force(world)
    erasures = Erasures(world.hot, world.vault)
    erasures.forget_finished()
    recover_from_restore(world)
    take_up_inbox(world)
    before = _unfinished(erasures)
    if before:
        _carry_out_all(world, erasures)
    record_in_ledger(world)
    left = _unfinished(erasures)
    counts = {
        "done": len({r.request_id for r in before} - {r.request_id for r in left}),
        "waiting": sum(request.state == "waiting" for request in left),
        "blocked": sum(request.state == "blocked" for request in left),
        "purging": sum(request.state == "purging" for request in left),
        "overdue": sum(request.is_overdue(world.now()) for request in left),
    }
    return Summary(stage="erasure", counts=counts)


def _carry_out_all(world: World, erasures: Erasures) -> None:
    """Keep away what every request names before the first is carried out."""
    with erasing(world) as lease:
        worlds = world.neighbours()
        refuse_undeclared_replicas(worlds)
        unproven = _without_receipt(world, erasures)
        keep_away(worlds, lease, erasures, unproven)
        found = [_ready(worlds, lease, erasures, request) for request in unproven]
        ready = [one for one in found if one]
        _erase_together(worlds, lease, [plan for _, plan in ready])
        for request, plan in ready:
            _carry_out(worlds, lease, erasures, request, plan)


def _unfinished(erasures: Erasures) -> list[Request]:
    return [request for request in erasures.all() if not request.is_finished]


def _without_receipt(world: World, erasures: Erasures) -> list[Request]:
    """Return what is to be done, and close what a killed run had only to close: its key may be gone already."""
    proven = {receipt.request_id for receipt in receipts(world.lake) if receipt.outcome == "erased"}
    unfinished = _unfinished(erasures)
    for request_id in sorted({request.request_id for request in unfinished} & proven):
        erasures.close(request_id)
    return [request for request in unfinished if request.request_id not in proven]


def _ready(
    worlds: Sequence[World], lease: Lease, erasures: Erasures, request: Request
) -> tuple[Request, Plan] | None:
    """Return a request with its frozen plan if it may go ahead now; one that has to wait is recorded as such."""
    if request.state == "purging":
        return None
    try:
        plan = settled_plan(worlds, lease, erasures, request)
        suppress_content(world_of(worlds, request.project), lease, request, plan)
    except DecisionNeeded as needed:
        erasures.change(request.request_id, state="waiting", reason=str(needed))
        return None
    if request.state != "open":  # what is half erased cannot be lifted; it must not look as if it still waited
        erasures.change(request.request_id, state="open", reason="")
    return request, plan


def _erase_together(worlds: Sequence[World], lease: Lease, plans: Sequence[Plan]) -> None:
    """Empty the sinks of many requests at once: a table or training set is rewritten once, not for each of them.

    Nothing is noted of it: each request looks for itself what is left, and what a hold keeps.
    """
    if len(plans) > 1:
        whole = merged(plans)
        with exclusive(worlds, LABELLING):
            for sink in SINKS:
                with suppress(HeldByLaw):
                    sink.erase(worlds, lease, whole)


def _carry_out(worlds: Sequence[World], lease: Lease, erasures: Erasures, request: Request, plan: Plan) -> None:
    """Bring one request as far as it can get, and record why it got no further."""
    try:
        _erase(worlds, lease, erasures, request, plan)
    except HeldByLaw as held:
        certify_blocked(worlds, lease, request, plan)
        erasures.change(request.request_id, state="blocked", reason=str(held))
        return
    if world_of(worlds, request.project).spec.erasure.purge == "daily":
        erasures.change(request.request_id, state="purging", reason=_PURGE_PENDING)
    else:
        conclude(worlds, lease, erasures, request, plan)


def conclude(worlds: Sequence[World], lease: Lease, erasures: Erasures, request: Request, plan: Plan | None) -> None:
    """Issue the receipt of what was erased and purged, then destroy plan, journal, payload and their key.

    Raises:
        UnavailableError: something is there again, or still; the request is open again.
    """
    if plan and not has_receipt(world_of(worlds, request.project), request, "erased"):
        try:
            certify(worlds, lease, request, plan)
        except UnavailableError:
            erasures.change(request.request_id, state="open", reason="")
            raise
    erasures.close(request.request_id)


def _erase(worlds: Sequence[World], lease: Lease, erasures: Erasures, request: Request, plan: Plan) -> None:
    """Empty every sink, whatever a hold keeps of another.

    Raises:
        HeldByLaw: everything else is erased.
    """
    held: list[HeldByLaw] = []
    with exclusive(worlds, LABELLING):
        journal = erasures.journal(request.request_id) or Journal()
        for sink in SINKS:
            if journal.is_verified(sink.name) and not any(sink.count(worlds, plan).values()):
                continue
            try:
                sink.erase(worlds, lease, plan)
            except HeldByLaw as refusal:
                held.append(refusal)
            journal = journal.noted(sink.name, sink.count(worlds, plan))
            lease.check()
            erasures.note(request.request_id, journal)
        if world_of(worlds, request.project).spec.erasure.purge == "now":
            purge_reached(worlds, lease, [plan])
    if held:
        raise held[0]
    refuse_holds(holds_on(worlds, plan))
