"""One answer as it comes out of an annotation: its kind, and the column of `annotations` that holds its value.

Nothing is read here; the files `parse_*.py` do that, one for each family of controls.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

# The typed columns; an answer fills one of them.
COLUMNS: Final = ("choices", "paths", "number", "text", "ranked", "regions", "per_region", "relations")
Item = dict[str, Any]


# What the items of one control say: the kind of control, the typed column, and its value.
Reading = tuple[str, str, Any]


class Marks(NamedTuple):
    """The marks of one annotation: all their ids, those of bare shapes, and what names a mark in another control."""

    ids: set[str]
    bare: set[str]
    names: dict[str, list[Item]]


class Answer(NamedTuple):
    """One control's answer, and as JSON the list of items it was read from."""

    control: str
    control_type: str
    column: str
    value: Any
    raw: str


class Asked(NamedTuple):
    """What one question lets its answer be; without labels any will do."""

    control_type: str
    labels: frozenset[Any] = frozenset()
    multiple: bool = True
