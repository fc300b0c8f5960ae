"""What several annotators said of a unit, and the labels it is resolved to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labelloop.labels import keep_times, label_rows
from tests.builders.answers import NOW, answer
from tests.builders.rows import hex_id, rows_of

Row = dict[str, Any]


def labels_of(
    answers: Sequence[Row], *, experts: Sequence[str] = (), units: Sequence[Row] = (), **options: Any
) -> dict[str, Row]:
    """Return the labels of one question by unit; answers are rows of `annotations`."""
    given = {"units": rows_of("units", units), "experts": experts, "accept_confidence": 0.6, "at": NOW} | options
    found = keep_times(label_rows(rows_of("annotations", answers), **given), rows_of("labels", []))
    return {row["unit_id"]: row for row in found.to_pylist()}


def said(kind: str, column: str, *values: Any, control: str = "digit", unit: int = 0) -> list[Row]:
    """Return one answer for each value, by annotators a, b, c ..."""
    typed = {"choices": None, "control": control, "control_type": kind}
    return [
        answer(hex_id(unit), f"{control}-{name}", "", **{**typed, column: value})
        for name, value in zip("abcdef", values, strict=False)
    ]
