"""What the lake holds of an answer that was given in the browser."""

from __future__ import annotations

from typing import Any

from labelloop.interface import COLUMNS
from tasks.clients.world import World
from tests.builders.annotating import collect


def arrived(world: World) -> dict[str, Any]:
    """By control what the lake holds of the one annotation; marks are numbered, for their ids are random."""
    collect(world)
    rows = world.table("annotations").read().sort_by("control").to_pylist()
    marks = [region["region_id"] for row in rows for region in row["regions"] or ()]
    return {row["control"]: _plain(_typed(row), marks) for row in rows}


def _typed(row: dict[str, Any]) -> Any:
    (value,) = [row[column] for column in COLUMNS if row[column] is not None]
    return value


def _plain(value: Any, marks: list[str]) -> Any:
    """A value without the fields that its kind does not have."""
    if isinstance(value, dict):
        return {name: _plain(part, marks) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_plain(part, marks) for part in value]
    return marks.index(value) if value in marks else value
