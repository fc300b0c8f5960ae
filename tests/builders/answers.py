"""Rows of `annotations`, one answer each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 1, 5, 2, tzinfo=UTC)


def answer(unit: str, annotator: str, value: str, **changes: Any) -> dict[str, Any]:
    """Return a planned opinion of one annotator on the control `digit`."""
    return {
        "annotation_id": f"{unit}-{annotator}",
        "control": "digit",
        "unit_id": unit,
        "task_id": 1,
        "annotator": annotator,
        "control_type": "choices",
        "choices": [value],
        "raw": "[]",
        "lead_time": 3.0,
        "opinion_reason": "planned",
        "prediction_shown": False,
        "guideline_version": "g",
        "state": "active",
        "created_at": NOW,
        "updated_at": NOW,
        **changes,
    }
