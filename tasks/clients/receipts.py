"""Receipts as the lake keeps them: one row each, chained in the order of issue."""

from __future__ import annotations

from labelloop.erasure.receipt import Receipt
from tasks.clients.lake import Lake


def receipts(lake: Lake) -> list[Receipt]:
    """Return every receipt, oldest first."""
    rows = lake.table("receipts").read().sort_by([("issued_at", "ascending"), ("receipt_id", "ascending")])
    return [Receipt.model_validate(row) for row in rows.to_pylist()]
