"""One answer as it comes out of an annotation: its kind, and the column of `annotations` that holds its value.

Nothing is read here; the files `parse_*.py` do that, one for each family of controls.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

# The typed columns; an answer fills one of them.
COLUMNS: Final = ("choices", "paths", "number", "text", "ranked", "regions", "per_region", "relations")
Item = dict[str, Any]


class Reading(NamedTuple):
    """What the items of one control say: the value of one typed column."""

    control_type: str
    column: str
    value: Any


class Marks(NamedTuple):
    """The marks of one annotation by their ids: the labels each was given, and which are bare shapes.

    A bare shape has its labels from another control, which is asked of each shape.
    """

    labels: dict[Any, list[Any]]
    bare: set[Any]


class Answer(NamedTuple):
    """One control's answer and the items it was read from."""

    control: str
    control_type: str
    column: str
    value: Any
    raw: list[Any]


class Asked(NamedTuple):
    """What one question lets its answer be; without labels any will do."""

    control_type: str
    labels: frozenset[Any] = frozenset()
    multiple: bool = True
