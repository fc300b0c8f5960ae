"""The last look of an erasure, and the receipt that says what it saw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from labelloop.contracts import contract
from labelloop.contracts.data_map import data_map
from labelloop.erasure.evidence import (
    hold_counts,
    models_flagged,
    recipients,
    replaced_sets,
    sink_counts,
    times,
    version_changes,
)
from labelloop.erasure.plan import Plan
from labelloop.erasure.receipt import Outcome, Receipt, issue
from labelloop.erasure.receipt_chain import last_digest
from labelloop.erasure.request import Request
from labelloop.errors import UnavailableError
from tasks.artifacts import publish_table
from tasks.clients.datasets import datasets
from tasks.clients.lease import Lease
from tasks.clients.receipt_keys import publish, signer
from tasks.clients.receipts import receipts
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.erasure.media import held_objects, holds_on, lifted_by
from tasks.erasure.rows import table_versions
from tasks.erasure.sinks import SINKS, count, methods
from tasks.erasure.worlds import reached, world_of
from tasks.leftovers import leftovers


def has_receipt(world: World, request: Request, outcome: Outcome) -> bool:
    """Return whether a receipt of this outcome was issued for the request."""
    return any(r.request_id == request.request_id and r.outcome == outcome for r in receipts(world.lake))


def certify(worlds: Sequence[World], lease: Lease, request: Request, plan: Plan) -> None:
    """Look again everywhere and sign what was found and that nothing remains.

    Raises:
        UnavailableError: something remains.
    """
    remaining, unpurged = count(worlds, plan), leftovers(worlds, plan)
    left = {place: number for place, number in {**remaining, "unpurged_files": unpurged}.items() if number}
    if left:
        told = ", ".join(f"{place} {number}" for place, number in left.items())
        raise UnavailableError(f"after the erasure there is still: {told}", remedy="run the erasure again")
    _issue(worlds, lease, request, "erased", _payload(worlds, request, plan, remaining, unpurged))


def certify_blocked(worlds: Sequence[World], lease: Lease, request: Request, plan: Plan) -> None:
    """Sign once, for the time being, what is erased and what a hold keeps."""
    if not has_receipt(world_of(worlds, request.project), request, "blocked"):
        payload = _payload(worlds, request, plan, count(worlds, plan), leftovers(worlds, plan))
        _issue(worlds, lease, request, "blocked", payload)


def _payload(
    worlds: Sequence[World], request: Request, plan: Plan, remaining: dict[str, int], unpurged: int
) -> dict[str, Any]:
    own, holds = world_of(worlds, request.project), holds_on(worlds, plan)
    blocked = {"media_versions": len(holds), "references": len(held_objects(worlds, plan)) if holds else 0}
    sets = [
        row
        for world, reach in reached(worlds, plan)
        for row in replaced_sets(world.project, datasets(world), reach.dataset_versions)
    ]
    return {
        **times(request, own.now()),
        "sinks": sink_counts(plan.found, remaining, blocked, methods()),
        "tables": version_changes(plan.versions, table_versions(worlds)),
        "training_sets": sets,
        "recipients": recipients(sets, {world.project: world.spec.export.recipients for world in worlds}),
        "models_flagged": models_flagged(plan),
        "holds": hold_counts((hold.mode, hold.until, lifted_by(hold.mode)) for hold in holds),
        "purged": unpurged == 0,
        "told": data_map().told() | _out_of_reach(own),
        "suppression_key_id": own.keys.current,
    }


def _out_of_reach(world: World) -> dict[str, str]:
    found = {sink.name: sink.out_of_reach(world) for sink in SINKS}
    return {name: told for name, told in found.items() if told}


def _issue(
    worlds: Sequence[World], lease: Lease, request: Request, outcome: Outcome, payload: dict[str, Any]
) -> Receipt:
    own = world_of(worlds, request.project)
    publish(own.hot, own.settings, lease)
    receipt = issue(
        payload,
        receipt_id=own.new_id(),
        request_id=request.request_id,
        outcome=outcome,
        issued_at=own.now(),
        previous_digest=last_digest(receipts(own.lake)),
        signer=signer(own.settings),
    )
    row = pa.Table.from_pylist([receipt.model_dump()], schema=contract("receipts").schema)
    commit(own, lease, "receipts", row, stage="erasure")
    rows = [{"place": place, **counted} for place, counted in payload["sinks"].items()]
    publish_table(
        "erasure", rows, "What was erased" if outcome == "erased" else "What is erased, and what is blocked"
    )
    return receipt
