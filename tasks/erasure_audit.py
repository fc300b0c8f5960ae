"""Looking without erasing: what open requests would reach, and whether anything erased has come back."""

from __future__ import annotations

import pyarrow.compute as pc
from prefect import task

from labelloop.erasure.decisions import needs_approval
from labelloop.erasure.receipt_chain import verify_chain
from labelloop.erasure.request import Request
from labelloop.erasure.suppression import Suppressions
from labelloop.errors import DecisionNeeded
from labelloop.identifiers import subject_ids
from labelloop.summary import Summary
from tasks.artifacts import publish_table
from tasks.clients.erasures import Erasures
from tasks.clients.receipt_keys import genuine, published
from tasks.clients.receipts import receipts
from tasks.clients.world import World, open_world
from tasks.erasure_reach import reach_of
from tasks.policies import OUTSIDE
from tasks.stage import finish
from tasks.suppression import suppressions_in_force


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

    `offered` counts suppressed objects that lie in the bucket again: sync refuses them, their owner should know.

    Raises:
        InputError: a receipt was changed, or the chain of receipts is broken.
        DecisionNeeded: something erased is back among the references, a request is overdue, or one is done without
            a receipt.
    """
    in_force, issued = suppressions_in_force(world), receipts(world.lake)
    verify_chain(issued, genuine(published(world.hot, world.settings)))
    requests = Erasures(world.hot, world.vault).all()
    done = {request.request_id for request in requests if request.state == "done"}
    counts = {
        "receipts": len(issued),
        "offered": _covered(world, in_force, list(world.media.keys_ever(world.spec.media.bucket))),
        "returned": _covered(world, in_force, _known_keys(world)),
        "overdue": sum(request.is_overdue(world.now()) for request in requests),
        "unproven": len(done - {receipt.request_id for receipt in issued}),
    }
    publish_table("erasure-audit", [counts], "Whether anything erased has come back")
    wrong = [f"{name} {counts[name]}" for name in ("returned", "overdue", "unproven") if counts[name]]
    if wrong:
        raise DecisionNeeded(
            f"the erasure audit found: {', '.join(wrong)}",
            remedy="see `labelloop erase status` and docs/runbook.md#erase",
            **counts,
        )
    return Summary(stage="erasure-audit", counts=counts)


def _preview(worlds: list[World], erasures: Erasures, request: Request) -> Summary:
    own = next((world for world in worlds if world.project == request.project), worlds[0])
    plan = erasures.plan(request.request_id)
    if plan is None:
        plan = reach_of(worlds, erasures.identifiers(request), own.spec.media.bucket)
    notes = [f"request {request.request_id}", request.state, f"due {request.due_at.date().isoformat()}"]
    if warning := request.warning(own.now()):
        notes.append(f"time: {warning}")
    if needs_approval(request, len(plan.objects), own.spec.erasure.max_objects_without_approval):
        notes.append("needs a second person: `labelloop erase approve`")
    return Summary(stage="erase-plan", counts={"objects": len(plan.objects)} | plan.found, notes=tuple(notes))


def _known_keys(world: World) -> list[str]:
    """Return the keys of references an erasure does not work on."""
    rows = world.table("references").read(columns=["bucket", "key", "state"])
    mine = pc.and_(pc.equal(rows["bucket"], world.spec.media.bucket), pc.not_equal(rows["state"], "restricted"))
    return list(rows.filter(mine)["key"].to_pylist())


def _covered(world: World, in_force: Suppressions, keys: list[str]) -> int:
    media = world.spec.media
    return sum(in_force.cover(media.bucket, keys, subject_ids(keys, media.subject_pattern)))
