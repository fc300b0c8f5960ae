"""What came into a training set, went, or changed what it says or its split between two versions, in counts alone."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa

from labelloop.sql import session

_COLUMNS: Final = ["unit_id", "ref_id", "control", "label", "regions", "ranked", "split"]

_BOTH = """
SELECT coalesce(o.control, n.control) AS control, o.unit_id IS NOT NULL AS was, n.unit_id IS NOT NULL AS stays,
       o.label AS old_label, n.label AS new_label, o.split AS old_split, n.split AS new_split,
       was AND stays AND (old_label, old_split, o.regions, o.ranked)
                         IS DISTINCT FROM (new_label, new_split, n.regions, n.ranked) AS changed
FROM old o FULL JOIN new n ON o.unit_id = n.unit_id AND o.ref_id = n.ref_id AND o.control = n.control
"""
# Each row counts once where it was and once where it is: came and went are rows of one version only.
_GROUPS = """
SELECT split, control, label,
       count(*) FILTER (NOT here) AS before, count(*) FILTER (here AND NOT was) AS came,
       count(*) FILTER (NOT here AND NOT stays) AS went, count(*) FILTER (here AND changed) AS changed_to,
       count(*) FILTER (NOT here AND changed) AS changed_from, count(*) FILTER (here) AS after
FROM (SELECT *, old_split AS split, old_label AS label, false AS here FROM rows WHERE was UNION ALL
      SELECT *, new_split AS split, new_label AS label, true AS here FROM rows WHERE stays)
GROUP BY split, control, label ORDER BY split, control, label
"""
_RELABELLED = """
SELECT control, old_label AS "from", new_label AS "to", count(*) AS n FROM rows
WHERE was AND stays AND old_label <> new_label GROUP BY ALL ORDER BY n DESC, control, "from", "to"
"""


def dataset_changes(old: pa.Table, new: pa.Table) -> dict[str, list[dict[str, Any]]]:
    """The changes from one version of a training set to another, JSON-safe and without a single id.

    A row is the same in both when unit, reference and question are.

    Args:
        old: rows of the contract `training_set`.
        new: those of the other version.

    Returns:
        `groups`, by split, question and label: how many rows were there `before`, `came`, `went`, `changed_to` it and
        `changed_from` it in label, regions, ranks or split, and are there `after`. `relabelled`: `control, from, to,
        n`, the most frequent first.

    >>> row = dict.fromkeys(_COLUMNS, ["x"])
    >>> dataset_changes(pa.table(row | {"label": ["cat"]}), pa.table(row | {"label": ["dog"]}))["relabelled"]
    [{'control': 'x', 'from': 'cat', 'to': 'dog', 'n': 1}]
    """
    with session() as db:
        db.register("old", old.select(_COLUMNS))
        db.register("new", new.select(_COLUMNS))
        db.register("rows", db.sql(_BOTH).to_arrow_table())
        queries = {"groups": _GROUPS, "relabelled": _RELABELLED}
        return {name: db.sql(query).to_arrow_table().to_pylist() for name, query in queries.items()}
