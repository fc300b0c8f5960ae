"""What annotators said of a unit, in words, so that an expert sees where they differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import pyarrow as pa

from labelloop.errors import InputError
from labelloop.shown_values import shown_text

_FIRST: Final = 10  # marks, or arrows between them, of one answer that are told
_CORNERED: Final = 4  # numbers of a box or an ellipse: a place and a size
_ARROWS: Final[Mapping[str, str]] = MappingProxyType({"right": "→", "left": "←", "bi": "↔"})
Names = Mapping[str, str]  # by their ids, what items of a list and marks are called


def competing_answers(annotations: pa.Table, titles: Mapping[str, Names]) -> dict[str, dict[str, str]]:
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
    active = sorted((row for row in annotations.to_pylist() if row["state"] == "active"), key=_order)
    names: dict[tuple[str, str], dict[str, str]] = {}
    for row in active:
        own = names.setdefault((row["unit_id"], row["annotator"]), {**titles.get(row["unit_id"], {})})
        own.update({region["region_id"]: _mark(region) for region in row["regions"] or ()})
    found: dict[str, dict[str, str]] = {}
    for row in active:
        told = _told(row, names[row["unit_id"], row["annotator"]])
        found.setdefault(row["unit_id"], {})[f"{row['control']} · {row['annotator']}"] = told
    return found


def _order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["control"], row["annotator"], row["updated_at"], row["annotation_id"]


def _told(row: Mapping[str, Any], names: Names) -> str:
    said = "; ".join(tell(row[column], names) for column, tell in _TELLERS.items() if row[column])
    number = "" if row["number"] is None else f"{row['number']:g}"
    try:
        return shown_text(said or number or "nothing")
    except InputError:  # no answer may keep a case from its expert
        return "an answer that cannot be shown"


def _sorted_items(ranked: Sequence[Mapping[str, Any]], names: Names) -> str:
    buckets: dict[str, list[str]] = {}
    for item in sorted(ranked, key=lambda item: (item["bucket"] or "", item["rank"])):
        buckets.setdefault(item["bucket"] or "", []).append(names.get(item["item"], item["item"]))
    named = {"": "order", "_": "unsorted"}
    return "; ".join(f"{named.get(bucket, bucket)}: {', '.join(held)}" for bucket, held in buckets.items())


def _listed(tell: Callable[[Any, Names], str]) -> Callable[[Sequence[Any], Names], str]:
    """Tell the first of many, and how many more there are."""

    def told(several: Sequence[Any], names: Names) -> str:
        more = len(several) - _FIRST
        return "; ".join([tell(one, names) for one in several[:_FIRST]] + ([f"and {more} more"] if more > 0 else []))

    return told


def _mark(region: Mapping[str, Any]) -> str:
    """Name a mark by what tells it from others: its words, its stretch, or its place in percent of the object."""
    label = ", ".join(region["labels"] or ()) or "mark"
    if region["text"]:
        return f"{label} “{region['text']}”"
    if region["start"] is not None:
        return f"{label} from {region['start']:g} to {region['end']:g}"
    if frames := region["frames"]:
        return f"{label}{_place(frames[0]['points'])} from frame {frames[0]['frame']} to {frames[-1]['frame']}"
    return f"{label}{_place(region['points'])}"


def _place(points: Sequence[float] | None) -> str:
    if not points:
        return ""
    size = f", {points[2]:.0f} x {points[3]:.0f} %" if len(points) == _CORNERED else ""
    return f" at {points[0]:.0f}, {points[1]:.0f} %{size}"


def _of_mark(answer: Mapping[str, Any], names: Names) -> str:
    number = "" if answer["number"] is None else f"{answer['number']:g}"
    said = answer["text"] or number or ", ".join(answer["choices"] or ())
    return f"{names.get(answer['region_id'], 'mark')}: {said}"


def _arrow(arrow: Mapping[str, Any], names: Names) -> str:
    ends = (names.get(arrow[end], "mark") for end in ("from_id", "to_id"))
    named = f" ({', '.join(arrow['labels'])})" if arrow["labels"] else ""
    return f" {_ARROWS.get(arrow['direction'], '—')} ".join(ends) + named


_TELLERS: Final[Mapping[str, Callable[[Any, Names], str]]] = MappingProxyType(
    {
        "choices": lambda values, _: ", ".join(values),
        "paths": lambda paths, _: ", ".join(" > ".join(path) for path in paths),
        "text": lambda text, _: text,
        "ranked": _sorted_items,
        "regions": _listed(lambda region, _: _mark(region)),
        "per_region": _listed(_of_mark),
        "relations": _listed(_arrow),
    }
)
