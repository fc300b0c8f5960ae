"""What annotators said of a unit, in words, so that an expert sees where they differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import pyarrow as pa

from labelloop.errors import InputError
from labelloop.shown_values import shown_text

_MARKS: Final = 10  # of one answer that are told
_CORNERED: Final = 4  # numbers of a box or an ellipse: a place and a size
Titles = Mapping[str, str]  # of the items of a list, by their ids


def competing_answers(annotations: pa.Table, titles: Mapping[str, Titles]) -> dict[str, dict[str, str]]:
    """Return by unit who said what, safe to be shown: `<control> · <pseudonym>` and the answer.

    Sorted, as Label Studio shows it, answers to one control follow each other. Of several of one annotator the latest
    is told.

    Args:
        annotations: rows of the contract `annotations`; active ones count.
        titles: by unit the titles of the items that annotators sorted; an item without one goes by its id.

    >>> from labelloop.contracts import contract
    >>> row = {"unit_id": "u", "control": "kind", "annotator": "a-1", "state": "active", "choices": ["cat"]}
    >>> table = pa.Table.from_pylist([row], schema=contract("annotations").schema)
    >>> competing_answers(table, {})
    {'u': {'kind · a-1': 'cat'}}
    """
    found: dict[str, dict[str, str]] = {}
    for row in sorted((row for row in annotations.to_pylist() if row["state"] == "active"), key=_order):
        told = _told(row, titles.get(row["unit_id"], {}))
        found.setdefault(row["unit_id"], {})[f"{row['control']} · {row['annotator']}"] = told
    return found


def _order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["control"], row["annotator"], row["updated_at"], row["annotation_id"]


def _told(row: Mapping[str, Any], titles: Titles) -> str:
    said = "; ".join(tell(row[column], titles) for column, tell in _TELLERS.items() if row[column])
    number = "" if row["number"] is None else f"{row['number']:g}"
    try:
        return shown_text(said or number or "nothing")
    except InputError:  # no answer may keep a case from its expert
        return "an answer that cannot be shown"


def _sorted_items(ranked: Sequence[Mapping[str, Any]], titles: Titles) -> str:
    buckets: dict[str, list[str]] = {}
    for item in sorted(ranked, key=lambda item: (item["bucket"] or "", item["rank"])):
        buckets.setdefault(item["bucket"] or "", []).append(titles.get(item["item"], item["item"]))
    named = {"": "order", "_": "unsorted"}
    return "; ".join(f"{named.get(bucket, bucket)}: {', '.join(held)}" for bucket, held in buckets.items())


def _marks(regions: Sequence[Mapping[str, Any]], _: Titles) -> str:
    more = len(regions) - _MARKS
    return "; ".join([_mark(region) for region in regions[:_MARKS]] + ([f"and {more} more"] if more > 0 else []))


def _mark(region: Mapping[str, Any]) -> str:
    """Name a mark by what tells it from others: its words, its stretch, or its place in percent of the object."""
    label, points = ", ".join(region["labels"] or ()) or "mark", region["points"] or ()
    if region["text"]:
        return f"{label} “{region['text']}”"
    if region["start"] is not None:
        return f"{label} from {region['start']:g} to {region['end']:g}"
    if not points:
        return label
    size = f", {points[2]:.0f} x {points[3]:.0f} %" if len(points) == _CORNERED else ""
    return f"{label} at {points[0]:.0f}, {points[1]:.0f} %{size}"


def _of_each(answers: Sequence[Mapping[str, Any]], _: Titles) -> str:
    said = (answer["text"] or answer["number"] or ", ".join(answer["choices"] or ()) for answer in answers)
    return "; ".join(f"{value:g}" if isinstance(value, float) else value for value in said)


_TELLERS: Final[Mapping[str, Callable[[Any, Titles], str]]] = MappingProxyType(
    {
        "choices": lambda values, _: ", ".join(values),
        "paths": lambda paths, _: ", ".join(" > ".join(path) for path in paths),
        "text": lambda text, _: text,
        "ranked": _sorted_items,
        "regions": _marks,
        "per_region": _of_each,
        "relations": lambda arrows, _: f"arrows: {len(arrows)}",
    }
)
