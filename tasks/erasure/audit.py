"""Looking without erasing: what open requests would reach, and whether anything erased has come back."""

from __future__ import annotations

from prefect import task

from labelloop.erasure.decisions import needs_approval
from labelloop.erasure.receipt_chain import verify_chain
from labelloop.erasure.request import Request
from labelloop.errors import DecisionNeeded
from labelloop.summary import Summary
from tasks.artifacts import announce, publish_table
from tasks.clients.erasures import Erasures
from tasks.clients.receipt_keys import genuine, published
from tasks.clients.receipts import receipts
from tasks.clients.world import World, open_world
from tasks.erasure.ledger import lost_from_lake
from tasks.erasure.reach import reach_of
from tasks.erasure.returned import returned
from tasks.policies import OUTSIDE
from tasks.stage import finish
from tasks.suppression import suppressions_in_force

# What must not be, and the event that tells of it; automations wait for these.
_WRONG = {
    "returned": "labelloop.erasure.returned",
    "lost": "labelloop.erasure.returned",
    "overdue": "labelloop.erasure.overdue",
    "unproven": "labelloop.erasure.unproven",
}


@task(name="erasure-audit", description="Look whether anything erased has come back", **OUTSIDE)
def erasure_audit(project: str) -> dict[str, object]:
    """Check receipts, deadlines, references and the bucket against the suppressions."""
    return finish(audit_erasures(open_world(project)))


@task(name="erase-plan", description="Count what open requests would reach", **OUTSIDE)
def erasure_plan(project: str) -> list[dict[str, object]]:
    """Count what each open request would reach; nothing is changed."""
    return [finish(summary) for summary in preview_requests(open_world(project))]


def preview_requests(world: World) -> list[Summary]:
    """Return for each unfinished request how much it reaches in each place, and what it needs; no identifiers."""
    suppressions_in_force(world)
    erasures = Erasures(world.hot, world.vault)
    unfinished = [request for request in erasures.all() if not request.is_finished]
    worlds = world.neighbours() if unfinished else []
    return [_preview(worlds, erasures, request) for request in unfinished]


def audit_erasures(world: World) -> Summary:
    """Return how things stand if nothing is wrong.

    `offered` counts suppressed objects that lie in a bucket again: sync refuses them, their owner should know.
    `returned` counts those that references or tasks of Label Studio have again, `lost` the suppressions and receipts
    that the ledger has and the lake has not: a backup was restored.

    Raises:
        InputError: a receipt was changed, or the chain of receipts is broken.
        DecisionNeeded: something erased is back, the lake has lost something, a request is overdue, or one is done
            without a receipt.
    """
    counts = _findings(world)
    publish_table("erasure-audit", [counts], "Whether anything erased has come back")
    wrong = {name: counts[name] for name in _WRONG if counts[name]}
    for event in sorted({_WRONG[name] for name in wrong}):
        announce(event, counts)
    if wrong:
        told = ", ".join(f"{name} {number}" for name, number in wrong.items())
        raise DecisionNeeded(
            f"the erasure audit found: {told}",
            remedy="see `labelloop erase status` and docs/runbook.md#erase",
            **counts,
        )
    return Summary(stage="erasure-audit", counts=counts)


def _findings(world: World) -> dict[str, int]:
    in_force, issued = suppressions_in_force(world), receipts(world.lake)
    verify_chain(issued, genuine(published(world.hot, world.settings)))
    requests = Erasures(world.hot, world.vault).all()
    done = {request.request_id for request in requests if request.state == "done"}
    back = returned(world.neighbours(), in_force)
    return {
        "receipts": len(issued),
        "offered": len(back.objects),
        "returned": len(back.references | back.tasks),
        "lost": sum(rows.num_rows for rows in lost_from_lake(world).values()),
        "overdue": sum(request.is_overdue(world.now()) for request in requests),
        "unproven": len(done - {receipt.request_id for receipt in issued}),
    }


def _preview(worlds: list[World], erasures: Erasures, request: Request) -> Summary:
    own = next((world for world in worlds if world.project == request.project), worlds[0])
    plan = erasures.plan(request.request_id)
    if plan is None:
        wanted = erasures.identifiers(request)
        plan = reach_of(worlds, wanted, own.spec.media.bucket, request.inbox_files)
    notes = [f"request {request.request_id}", request.state, f"due {request.due_at.date().isoformat()}"]
    if warning := request.warning(own.now()):
        notes.append(f"time: {warning}")
    if needs_approval(request, len(plan.objects), own.spec.erasure.max_objects_without_approval):
        notes.append("needs a second person: `labelloop erase approve`")
    return Summary(stage="erase-plan", counts={"objects": len(plan.objects)} | plan.found, notes=tuple(notes))
