"""Labelled units that may be exported, as tables."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from tests.builders.rows import hex_id, rows_of

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
