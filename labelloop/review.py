"""Which units experts look at, and in which order: first where their ruling would most likely change the label."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.drawn import SHAPES
from labelloop.agreement.region_figures import mean_iou
from labelloop.agreement.regions import read_regions
from labelloop.errors import InputError, NotEstimable
from labelloop.shares import in_share
from labelloop.spec import ProjectSpec
from labelloop.sql import session

_LIKENESS: Final = pa.schema([("unit_id", pa.string()), ("likeness", pa.float64())])

# One answer of each annotator to each control: the latest.
_LATEST = """
SELECT * FROM annotations WHERE state = 'active'
QUALIFY row_number() OVER (PARTITION BY unit_id, annotator, control ORDER BY updated_at DESC, annotation_id DESC) = 1
"""

_SAME_BUCKET = """
WITH placed AS (
    SELECT unit_id, control, annotator, item.item AS item, item.bucket AS bucket
    FROM (SELECT unit_id, control, annotator, unnest(ranked) AS item FROM latest) WHERE item.bucket IS NOT NULL)
SELECT a.unit_id, avg((a.bucket = b.bucket)::INT) AS likeness
FROM placed a JOIN placed b ON a.unit_id = b.unit_id AND a.control = b.control AND a.item = b.item
                           AND a.annotator < b.annotator
GROUP BY a.unit_id, a.control
"""

_CASES = """
WITH sure AS (SELECT unit_id, min(confidence) AS confidence, bool_and(state = 'accepted') AS accepted
              FROM labels WHERE NOT list_contains($remarks, control) GROUP BY unit_id),
     ruled AS (SELECT unit_id FROM labels WHERE decided_by IN ('expert', 'gold')
               UNION SELECT unit_id FROM latest JOIN people USING (annotator) WHERE level = 'expert'),
     turns AS (SELECT unit_id, annotator, row_number() OVER (PARTITION BY annotator ORDER BY min(created_at), unit_id)
                                          AS turn
               FROM latest GROUP BY unit_id, annotator),
     novices AS (SELECT unit_id FROM turns GROUP BY unit_id HAVING bool_and(turn <= $novice_answers)),
     found AS (
        SELECT unit_id, 'conflict' AS reason, 1 - confidence AS change FROM conflicts
        UNION ALL SELECT unit_id, 'unlike', 1 - min(likeness) FROM likeness GROUP BY unit_id
                  HAVING min(likeness) < $least_alike
        UNION ALL SELECT unit_id, 'novice', 1 - coalesce(confidence, 0.5) FROM novices LEFT JOIN sure USING (unit_id)
        UNION ALL SELECT unit_id, 'sample', 1 - confidence FROM drawn JOIN sure USING (unit_id) WHERE accepted)
SELECT f.unit_id, f.reason, least(greatest(f.change, 0), 1) AS change
FROM found f SEMI JOIN (FROM tasks WHERE state = 'answered') t USING (unit_id) ANTI JOIN ruled USING (unit_id)
QUALIFY row_number() OVER (PARTITION BY unit_id ORDER BY change DESC, reason) = 1
ORDER BY change DESC, unit_id
"""

_UNRULED = """
WITH given AS (SELECT unit_id, annotator, bool_or(level = 'expert') AS ruled, bool_or(state = 'active') AS answered
               FROM annotations JOIN people USING (annotator) WHERE state <> 'deleted' GROUP BY unit_id, annotator)
SELECT t.unit_id, t.task_id, count(*) FILTER (g.answered) + 1 AS overlap
FROM (FROM tasks WHERE state = 'answered') t JOIN given g USING (unit_id)
GROUP BY t.unit_id, t.task_id HAVING NOT bool_or(g.ruled) ORDER BY t.task_id
"""


def review_cases(
    spec: ProjectSpec,
    *,
    labels: pa.Table,
    conflicts: pa.Table,
    annotations: pa.Table,
    people: pa.Table,
    tasks: pa.Table,
) -> pa.Table:
    """Return the units that wait for an expert: `unit_id, reason, change`, the likeliest change first.

    `change` is how likely a ruling changes the label, in 0..1: 1 less its confidence, or for regions and buckets
    that are unlike, 1 less the mean likeness of each two answers, if that is more. `reason`: `conflict`, `unlike`
    (regions or buckets), `novice`, or `sample` of what annotators agree on. Units that an expert or gold decided are
    no cases.

    Args:
        spec: says what is reviewed.
        labels: rows of the contract `labels`.
        conflicts: `unit_id, confidence` of conflicts that no further opinion may settle.
        annotations: rows of the contract `annotations`.
        people: `annotator, level` of the contract `annotators`.
        tasks: `unit_id, state` of tasks whose media is as it was; only answered ones are looked at.
    """
    chosen = [unit for unit in pc.unique(labels["unit_id"]).to_pylist() if _is_drawn(spec, unit)]
    drawn = pa.table({"unit_id": pa.array(chosen, pa.string())})
    tables = {"labels": labels, "conflicts": conflicts, "annotations": annotations, "people": people, "tasks": tasks}
    given = {
        "least_alike": spec.review.least_alike,
        "novice_answers": spec.review.novice_answers,
        "remarks": list(spec.interface.remarks),
    }
    with session() as db:
        for name, table in {**tables, "drawn": drawn}.items():
            db.register(name, table)
        db.execute(f"CREATE TEMP TABLE latest AS {_LATEST}")
        areas = _areas(
            db.sql("SELECT unit_id, annotator, control, control_type, regions, raw FROM latest").to_arrow_table()
        )
        buckets = db.sql(_SAME_BUCKET).to_arrow_table().cast(_LIKENESS)
        db.register("likeness", pa.concat_tables([areas, buckets]))
        return db.sql(_CASES, params=given).to_arrow_table()


def unruled(tasks: pa.Table, annotations: pa.Table, people: pa.Table) -> pa.Table:
    """Return the cases that only others than experts answered: `unit_id, task_id, overlap` that leaves room for one.

    What an expert skipped is no such case.

    Args:
        tasks: rows of the contract `tasks` of the reviewing project.
        annotations: its rows of the contract `annotations`.
        people: its `annotator, level` of the contract `annotators`.
    """
    with session() as db:
        for name, table in (("tasks", tasks), ("annotations", annotations), ("people", people)):
            db.register(name, table)
        return db.sql(_UNRULED).to_arrow_table()


def _is_drawn(spec: ProjectSpec, unit: str) -> bool:
    return in_share(spec.review.share, "review", spec.name, unit)


def _areas(latest: pa.Table) -> pa.Table:
    """The mean likeness of each two answers that are regions, by unit; one row for each control."""
    found = [_LIKENESS.empty_table()]
    kinds = latest.group_by(["control", "control_type"]).aggregate([]).to_pylist()
    for control, kind in sorted(
        (row["control"], row["control_type"]) for row in kinds if row["control_type"] in SHAPES
    ):
        rows = latest.filter(pc.and_(pc.equal(latest["control"], control), pc.equal(latest["control_type"], kind)))
        # Marks that nobody can place, as spans of HTML, are told neither alike nor unlike.
        with suppress(InputError, NotEstimable):
            found.append(_mean_of_pairs(rows.rename_columns({"unit_id": "unit"}), kind))
    return pa.concat_tables(found)


def _mean_of_pairs(rows: pa.Table, kind: str) -> pa.Table:
    regions = read_regions(rows.select(["unit", "annotator", "regions", "raw"]), kind)
    pairs, units = regions.pairs, regions.ratings.units
    n = np.bincount(pairs.unit, minlength=len(units))
    total = np.bincount(pairs.unit, weights=mean_iou(regions), minlength=len(units))
    several = n > 0
    columns = [units.filter(pa.array(several)), total[several] / n[several]]
    return pa.table(columns, names=_LIKENESS.names).cast(_LIKENESS)
