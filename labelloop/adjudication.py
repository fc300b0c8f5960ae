"""What becomes of a label in conflict: one more opinion while the budget lasts, or an expert.

How sure a label is was decided in consensus; an expert's answer is a ruling there.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.sql import session

# Tasks that are still open will bring more opinions anyway.
_CONFLICTS = """
SELECT l.unit_id, t.task_id, t.ls_project, l.control, l.confidence, l.n, f.round, c.chance,
       greatest(t.overlap, coalesce(a.answered, 0)) + 1 AS overlap,
       coalesce(a.asked, 0) AS asked
FROM (FROM labels WHERE state = 'conflict'
      QUALIFY row_number() OVER (PARTITION BY unit_id ORDER BY confidence, control) = 1) l
JOIN tasks t ON t.unit_id = l.unit_id AND t.state = 'answered'
JOIN firsts f ON f.unit_id = l.unit_id
LEFT JOIN chances c ON c.unit_id = l.unit_id AND c.control = l.control
LEFT JOIN answers a ON a.unit_id = l.unit_id
"""

_ANSWERS = """
SELECT unit_id, count(DISTINCT annotator) FILTER (state = 'active') AS answered, count(DISTINCT annotator) AS asked
FROM annotations WHERE state <> 'deleted' GROUP BY unit_id
"""

# What a round may still spend goes first to where it most likely settles something.
_DOCKET = """
SELECT c.* EXCLUDE (asked, round, chance, can, place), can AND place <= room AS again
FROM (SELECT *, overlap <= $maximum AND asked < $annotators AS can,
             row_number() OVER (PARTITION BY round, can ORDER BY chance DESC NULLS LAST, confidence, unit_id) AS place
      FROM conflicts) c
JOIN (SELECT f.round, floor($extra * count(*)) - coalesce(sum(greatest(t.overlap - f.first, 0)), 0) AS room
      FROM firsts f LEFT JOIN tasks t USING (unit_id) GROUP BY f.round) r USING (round)
ORDER BY confidence, unit_id
"""

_SURE = """
SELECT t.unit_id, t.task_id, a.answered AS answers
FROM tasks t JOIN firsts f USING (unit_id) JOIN answers a USING (unit_id)
JOIN (SELECT unit_id FROM labels GROUP BY unit_id HAVING bool_and(state = 'accepted')) USING (unit_id)
WHERE t.state = 'open' AND t.overlap > f.first AND a.answered >= f.first ORDER BY t.task_id
"""


@dataclass(frozen=True)
class Docket:
    """Conflicts by what to do about them, least sure first; and tasks that were raised and need not be.

    Columns of `ask_again` and `for_expert`: unit_id, task_id, ls_project, control (the least sure one), confidence,
    n, overlap (wanted from now on). Of `sure`: unit_id, task_id, answers (given so far).
    """

    ask_again: pa.Table
    for_expert: pa.Table
    sure: pa.Table


def adjudicate(
    labels: pa.Table,
    tasks: pa.Table,
    annotations: pa.Table,
    *,
    firsts: pa.Table,
    chances: pa.Table,
    maximum: int,
    annotators: int,
    extra_share: float,
) -> Docket:
    """Return which units in conflict get one more opinion, which wait for an expert, and which became sure meanwhile.

    Args:
        labels: rows of the contract `labels`.
        tasks: rows of the contract `tasks`; conflicts of finished ones alone are looked at.
        annotations: rows of the contract `annotations`; one opinion is one annotator of a unit.
        firsts: `unit_id, round, first` of every chosen unit, see `first_overlaps`.
        chances: `unit_id, control, chance` that one more opinion settles it; the likeliest are asked first.
        maximum: opinions at most.
        annotators: people on the project; when all have answered or skipped, nobody is left to ask.
        extra_share: opinions beyond the first at most, for each unit of a round; what is spent is spent.
    """
    given = {"maximum": maximum, "annotators": annotators, "extra": extra_share}
    tables = {"labels": labels, "tasks": tasks, "annotations": annotations, "firsts": firsts, "chances": chances}
    with session() as db:
        for name, table in tables.items():
            db.register(name, table)
        db.execute(f"CREATE TEMP TABLE answers AS {_ANSWERS}")
        db.execute(f"CREATE TEMP TABLE conflicts AS {_CONFLICTS}")
        docket = db.sql(_DOCKET, params=given).to_arrow_table()
        sure = db.sql(_SURE).to_arrow_table()
    again, rows = docket["again"], docket.drop_columns("again")
    return Docket(rows.filter(again), rows.filter(pc.invert(again)), sure)
