"""Agreement on a question that is asked of each region: what annotators said of the same object."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.answer_figures import answer_figures
from labelloop.agreement.figure import Figure
from labelloop.agreement.regions import read_regions
from labelloop.agreement.scope import measure
from labelloop.agreement.seen_objects import ratings_of_regions
from labelloop.errors import NotEstimable

Marks = tuple[pa.Table, str]  # rows with regions, and their control type
_SAID: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "choices": ("choices", "masi"),
        "rating": ("number", "ordinal"),
        "number": ("number", "interval"),
        "text": ("text", "edit_distance"),
    }
)


def marks_of(rows: pa.Table, annotations: pa.Table) -> Marks | None:
    """The rows with the regions that these answers are about, and their control type; None where there are none.

    Args:
        rows: answers to one question, of the contract `annotations`.
        annotations: all rows of the contract.

    Where several questions ask for regions, the one whose regions are spoken of most often.
    """
    ids = pc.struct_field(pc.list_flatten(rows["per_region"]).combine_chunks(), "region_id")
    beside = pc.is_in(annotations["annotation_id"], value_set=rows["annotation_id"].combine_chunks())
    drawn = annotations.filter(pc.and_(beside, pc.is_valid(annotations["regions"])))
    spoken_of = {}
    for control in sorted(pc.unique(drawn["control"]).to_pylist()):
        of_one = drawn.filter(pc.equal(drawn["control"], control))
        own = pc.struct_field(pc.list_flatten(of_one["regions"]).combine_chunks(), "region_id")
        spoken_of[control] = pc.sum(pc.is_in(own, value_set=ids)).as_py() or 0
    if not any(spoken_of.values()):
        return None
    found = drawn.filter(pc.equal(drawn["control"], max(spoken_of, key=spoken_of.__getitem__)))
    return found, found["control_type"][-1].as_py()


def figures_of_each_region(rows: pa.Table, kind: str, marks: Marks, settings: Mapping[str, Any]) -> list[Figure]:
    """Figures of answers about the objects that several annotators saw; units are resampled whole.

    Args:
        rows: the answers, of the contract `annotations`.
        kind: their control type: choices, rating, number or text.
        marks: what `marks_of` found.
        settings: seed, n_boot, confidence, n_min and group, a column of the rows.
    """
    said, level = _SAID[kind]
    drawn, marks_kind = marks
    group = settings.get("group")
    place = pc.index_in(drawn["annotation_id"], value_set=rows["annotation_id"].combine_chunks())
    own, place = drawn.filter(pc.is_valid(place)), pc.drop_null(place)
    if group is not None:
        own = own.append_column(group, rows[group].take(place))
    grouped = {**settings, "group": "group"}
    try:
        regions = read_regions(named(own, "regions", "raw", group=group), marks_kind, group=group)
        found = ratings_of_regions(regions, named(rows, "per_region"), said)
        if kind == "text":
            return answer_figures(found, "text", **grouped)
        return measure(found, None, "nominal" if _single(found) else level, **grouped)
    except NotEstimable as error:
        return [Figure("krippendorff_alpha", level, reason=str(error))]


def named(rows: pa.Table, *columns: str, group: str | None = None) -> pa.Table:
    """Columns of answers beside `unit`, `annotator` and the column of groups, as statistics read them."""
    kept = [*columns, *([group] if group else [])]
    return rows.select(["unit_id", "annotator", *kept]).rename_columns(["unit", "annotator", *kept])


def _single(found: pd.DataFrame) -> bool:
    """Whether the values are sets of one label each."""
    return found["value"].dtype == object and not found["value"].str.contains('", "', regex=False).any()
