"""Refused rows of a project: kept with their reason, the row itself sealed and for 30 days only.

Each day has its own key in the vault, so that shredding it ends the payloads of that day in every copy of the lake.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.contracts import Refusal, quarantine_rows
from tasks.clients.lease import Lease
from tasks.clients.vault import opened_many, sealed_many, shred
from tasks.clients.world import World


def quarantine(world: World, lease: Lease, found: Sequence[Refusal], *, stage: str) -> int:
    """Keep refused rows and return how many refusals are new; those already kept are left as they are."""
    if not found:
        return 0
    now = world.now()
    payloads = sealed_many(world.vault, _key_name(world, now), (refusal.plaintext() for refusal in found))
    rows = quarantine_rows(
        found, payloads, stage=stage, now=now, digest=lambda text: world.keys.digest("quarantine", text)
    )
    table = world.table("quarantine")
    known = table.read(columns=["row_id"]).column("row_id")
    new = rows.filter(pc.invert(pc.is_in(rows.column("row_id"), value_set=pa.array(known.to_pylist(), pa.string()))))
    table.upsert(new, fence=lease.check)
    return int(new.num_rows)


def payloads(world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield row id and opened payload of each row whose time is not over; the eraser looks for its subjects there."""
    in_time = pc.field("expires_at") > world.now()
    kept = world.table("quarantine").read(columns=["row_id", "payload", "created_at"], where=in_time).to_pylist()
    for key_name in sorted({_key_name(world, row["created_at"]) for row in kept}):
        rows = [row for row in kept if row["payload"] and _key_name(world, row["created_at"]) == key_name]
        texts = opened_many(world.vault, key_name, (row["payload"] for row in rows))
        yield from ((row["row_id"], json.loads(text)) for row, text in zip(rows, texts, strict=True))


def expire(world: World, lease: Lease) -> int:
    """Delete the rows whose time is over, keys first, and return how many went."""
    kept = world.table("quarantine").read(columns=["row_id", "created_at", "expires_at"]).to_pylist()
    over = [row for row in kept if row["expires_at"] <= world.now()]
    needed = {_key_name(world, row["created_at"]) for row in kept if row["expires_at"] > world.now()}
    for key_name in sorted({_key_name(world, row["created_at"]) for row in over} - needed):
        lease.check()
        shred(world.vault, key_name)
    return world.table("quarantine").delete("row_id", [row["row_id"] for row in over], fence=lease.check)


def _key_name(world: World, moment: datetime) -> str:
    return f"quarantine/{world.project}/{moment:%Y-%m-%d}"
