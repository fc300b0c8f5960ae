"""What becomes of a label in conflict: one more opinion, or an expert.

How sure a label is was decided in consensus; an expert's answer is a ruling there.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from labelloop.sql import session

# Tasks that are still open will bring more opinions anyway.
_CONFLICTS = """
SELECT l.unit_id, t.task_id, t.ls_project, l.control, l.confidence, l.n,
       greatest(t.overlap, coalesce(a.answered, 0)) + 1 AS overlap,
       coalesce(a.asked, 0) AS asked
FROM (FROM labels WHERE state = 'conflict'
      QUALIFY row_number() OVER (PARTITION BY unit_id ORDER BY confidence, control) = 1) l
JOIN tasks t ON t.unit_id = l.unit_id AND t.state = 'answered'
LEFT JOIN (SELECT unit_id, count(DISTINCT annotator) FILTER (state = 'active') AS answered,
                  count(DISTINCT annotator) AS asked
           FROM annotations WHERE state <> 'deleted' GROUP BY unit_id) a ON a.unit_id = l.unit_id
ORDER BY l.confidence, l.unit_id
"""


@dataclass(frozen=True)
class Docket:
    """Conflicts by what to do about them, least sure first.

    Columns: unit_id, task_id, ls_project, control (the least sure one), confidence, n, overlap (wanted from now on).
    """

    ask_again: pa.Table
    for_expert: pa.Table


def adjudicate(labels: pa.Table, tasks: pa.Table, annotations: pa.Table, *, maximum: int, annotators: int) -> Docket:
    """Return which units in conflict get one more opinion, and which wait for an expert.

    Args:
        labels: rows of the contract `labels`.
        tasks: rows of the contract `tasks`; only finished ones are looked at.
        annotations: rows of the contract `annotations`; one opinion is one annotator of a unit.
        maximum: opinions at most.
        annotators: people on the project; when all have answered or skipped, nobody is left to ask.
    """
    with session() as db:
        for name, table in {"labels": labels, "tasks": tasks, "annotations": annotations}.items():
            db.register(name, table)
        db.execute(f"CREATE TEMP TABLE conflicts AS {_CONFLICTS}")
        given = {"maximum": maximum, "annotators": annotators}
        can = "overlap <= $maximum AND asked < $annotators"
        order = "ORDER BY confidence, unit_id"
        return Docket(
            ask_again=db.sql(f"FROM conflicts WHERE {can} {order}", params=given).to_arrow_table(),
            for_expert=db.sql(f"FROM conflicts WHERE NOT ({can}) {order}", params=given).to_arrow_table(),
        )
