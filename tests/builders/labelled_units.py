"""Labelled units that may be exported, and a world that holds some."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from labelloop.rounds import Round
from labelloop.summary import Summary
from tasks.clients.rounds import begin_round
from tasks.clients.world import World
from tasks.export import publish_dataset
from tests.builders.digits import START
from tests.builders.rows import hex_id, rows_of, write
from tests.fakes.world import under_lease

N = 8


def tables(n: int = N, *, labels: Any = None, units: Any = None, references: Any = None) -> dict[str, pa.Table]:
    """N units that may be exported; each argument changes columns of all rows, or by row number."""

    def changed(table: str, base: Any, changes: Any) -> pa.Table:
        changes = changes or {}
        rows = [base(i) | {k: v for k, v in changes.items() if isinstance(k, str)} for i in range(n)]
        for i, row in enumerate(rows):
            row |= changes.get(i, {})
        return rows_of(table, rows)

    soft = {"classes": ["0", "1"], "probabilities": [0.9, 0.1], "confidence": 0.9, "n": 1, "control": "digit"}
    return {
        "labels": changed("labels", lambda i: {"label": str(i % 2), "state": "accepted", **soft}, labels),
        "units": changed(
            "units", lambda i: {"ref_ids": [hex_id(i)], "media_versions": ["v1"], "purpose": "label"}, units
        ),
        "references": changed(
            "references", lambda i: {"bucket": "media", "key": f"in/{i}", "media_version": "v1"}, references
        ),
        "batches": rows_of("batches", [{} for _ in range(n)]),
    }


def figure(value: float | None, low: float | None = None, high: float | None = None, **more: Any) -> dict[str, Any]:
    """Krippendorff's alpha of the project, as columns of `agreement`."""
    base = {"round": 1, "control": "digit", "metric": "krippendorff_alpha", "scope": "project", "who": ""}
    return base | {"value": value, "low": low, "high": high, "reason": None if value is not None else "few"} | more


def fill(world: World, n: int = N, **changes: Any) -> None:
    """Write the tables of labelled units into the lake; see `tables`."""
    for name, rows in tables(n, **changes).items():
        world.table(name).upsert(rows, fence=lambda: None)


def labelled_world(world: World, n: int = N, **changes: Any) -> World:
    """Fill a world with labelled units of one closed round on which annotators agree."""
    fill(world, n, **changes)
    write(world, "agreement", [figure(0.8, 0.7, 0.9)])
    record = Round(number=1, state="closed", seed=1, size=n, strategy="random", opened_at=START)
    begin_round(world.hot, world.project, record)
    return world


def publish(world: World) -> Summary:
    """Run the export stage."""
    return under_lease(world, "export", publish_dataset)
