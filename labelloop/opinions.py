"""Opinions: annotations counted for a unit, in the shape that statistics read (unit, annotator, value).

Agreement counts planned opinions only: those asked because annotators disagreed would bias it. Consensus counts all.
"""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc


def opinions(annotations: pa.Table, control: str, *, reasons: Collection[str] | None = None) -> pa.Table:
    """Return one row per opinion on a single-choice control: `unit, annotator, value`, sorted.

    Args:
        annotations: rows of the contract `annotations`.
        control: name of the control.
        reasons: only opinions asked for one of these reasons; None for all.

    Deleted and cancelled annotations do not count, nor empty answers. Of several answers of one annotator to one unit
    the latest counts. Several chosen values are one value, joined in order.
    """
    keep = pc.and_(pc.equal(annotations["state"], "active"), pc.equal(annotations["control"], control))
    keep = pc.and_(keep, pc.greater(pc.fill_null(pc.list_value_length(annotations["choices"]), 0), 0))
    if reasons is not None:
        keep = pc.and_(keep, pc.is_in(annotations["opinion_reason"], pa.array(sorted(reasons), pa.string())))
    rows = annotations.filter(keep)
    rows = rows.append_column("value", pc.binary_join(rows["choices"], "|"))
    newest = rows.sort_by([("updated_at", "ascending"), ("annotation_id", "ascending")])
    last = newest.group_by(["unit_id", "annotator"], use_threads=False).aggregate([("value", "last")])
    found = last.rename_columns(["unit", "annotator", "value"])
    return found.sort_by([("unit", "ascending"), ("annotator", "ascending")])


def planned(annotations: pa.Table, control: str) -> pa.Table:
    """Return the opinions that were asked before anybody knew whether annotators would disagree."""
    return opinions(annotations, control, reasons=("planned", "gold"))


def split_rulings(rows: pa.Table, experts: Collection[str]) -> tuple[pa.Table, pa.Table]:
    """Return the opinions of annotators, and the rulings of experts as `unit, value`.

    Experts who rule differently on a unit leave it to the opinions.
    """
    is_expert = pc.is_in(rows["annotator"], pa.array(sorted(experts), pa.string()))
    ruled = rows.filter(is_expert).group_by("unit").aggregate([("value", "min"), ("value", "max")])
    agreed = ruled.filter(pc.equal(ruled["value_min"], ruled["value_max"]))
    return rows.filter(pc.invert(is_expert)), agreed.select(["unit", "value_min"]).rename_columns(["unit", "value"])


def controls(annotations: pa.Table) -> list[str]:
    """Return the names of the single-choice controls that were answered, sorted."""
    rows = annotations.filter(pc.equal(annotations["control_type"], "choices"))
    return sorted(set(rows["control"].to_pylist()))
