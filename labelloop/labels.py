"""What the nightly stage consensus writes: one resolved value for every unit and control, and who decided.

The methods are in `labelloop.consensus`; which opinions count in `labelloop.opinions`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.consensus.question import RESOLVED_BY, Question
from labelloop.contracts import contract
from labelloop.opinions import answered, opinions, split_rulings
from labelloop.sql import session

_OPINIONS: Final = pa.schema([(name, pa.string()) for name in ("control", "unit", "annotator", "value")])
_GOLD: Final = _OPINIONS.remove(_OPINIONS.get_field_index("annotator"))


@dataclass(frozen=True)
class Beside:
    """What counts beside the answers of annotators: `opinions` of imported labels or a model, and `gold`.

    `opinions` has the columns control, unit, annotator, value; `gold` control, unit, value: known answers, which win
    where no expert ruled otherwise.
    """

    opinions: pa.Table = field(default_factory=_OPINIONS.empty_table)
    gold: pa.Table = field(default_factory=_GOLD.empty_table)


def label_rows(
    annotations: pa.Table,
    present: pa.Table,
    *,
    units: pa.Table,
    experts: Collection[str],
    accept_confidence: float,
    at: datetime,
    method: str = "dawid-skene",
    beside: Beside | None = None,
) -> pa.Table:
    """Return rows of the contract `labels`: the resolved value of every unit and control, and who decided.

    Answers that are regions, and items in buckets, are not resolved here.

    Args:
        annotations: rows of the contract `annotations`; every active opinion counts.
        present: the labels as they are; a row whose value stays the same keeps its time.
        units: rows of the contract `units`, whose members comparisons are about.
        experts: pseudonyms whose ruling wins.
        accept_confidence: a label less sure than this, or a tie, is a conflict.
        at: when it is resolved.
        method: of choices; other answers have one of their own.
        beside: imported labels and a model's answers.
    """
    beside = beside or Beside()
    found = []
    imported = pa.concat_tables([beside.opinions, beside.gold], promote_options="default")["control"].to_pylist()
    kinds = dict.fromkeys(imported, "choices") | dict(answered(annotations))
    for control, kind in sorted(kinds.items()):
        if kind not in RESOLVED_BY:
            continue
        ratings, rulings = split_rulings(opinions(annotations, control), experts)
        more, gold = (_of_control(table, control) for table in (beside.opinions, beside.gold))
        gold = gold.filter(pc.invert(pc.is_in(gold["unit"], rulings["unit"].combine_chunks())))
        question = Question(_joined(ratings, more), _joined(rulings, gold), units, method)
        resolved = _gold_named(RESOLVED_BY[kind](question), gold["unit"])
        found.append(_rows(resolved, control, accept_confidence, at))
    return _keep_times(pa.concat_tables([contract("labels").schema.empty_table(), *found]), present)


def _of_control(table: pa.Table, control: str) -> pa.Table:
    return table.filter(pc.equal(table["control"], control)).drop_columns("control")


def _joined(one: pa.Table, other: pa.Table) -> pa.Table:
    return pa.concat_tables([one, other], promote_options="default")  # lake columns may not be null, others may


def _gold_named(resolved: pa.Table, gold: pa.ChunkedArray) -> pa.Table:
    """The labels with `gold` as what decided where no expert did."""
    decider = pc.coalesce(resolved["decided_by"], pa.scalar("consensus"))
    by_gold = pc.and_(pc.equal(decider, "expert"), pc.is_in(resolved["unit"], gold.combine_chunks()))
    place = resolved.column_names.index("decided_by")
    return resolved.set_column(place, "decided_by", pc.if_else(by_gold, "gold", decider))


def _rows(resolved: pa.Table, control: str, accept_confidence: float, at: datetime) -> pa.Table:
    n, schema = resolved.num_rows, contract("labels").schema
    sure = pc.and_(pc.is_valid(resolved["label"]), pc.greater_equal(resolved["confidence"], accept_confidence))
    columns = {name: resolved[name] for name in resolved.column_names} | {
        "unit_id": resolved["unit"],
        "control": pa.repeat(control, n),
        "state": pc.if_else(pc.fill_null(sure, False), "accepted", "conflict"),
        "updated_at": pa.repeat(pa.scalar(at, pa.timestamp("us", "UTC")), n),
    }
    return pa.table({name: columns[name] for name in schema.names}).cast(schema)


# Posteriors differ in their last digits when anything else changed; six digits are what anyone reads.
_SETTLED = """
WITH resolved AS (
    SELECT * REPLACE (round(confidence, 6) AS confidence,
                      list_transform(probabilities, lambda p: round(p, 6)) AS probabilities)
    FROM incoming)
SELECT r.* REPLACE (coalesce(p.updated_at, r.updated_at) AS updated_at)
FROM resolved r LEFT JOIN present p
  ON p.unit_id = r.unit_id AND p.control = r.control AND p.label IS NOT DISTINCT FROM r.label
 AND p.confidence = r.confidence AND p.n = r.n AND p.classes = r.classes AND p.probabilities = r.probabilities
 AND p.method = r.method AND p.decided_by = r.decided_by AND p.state = r.state
ORDER BY r.unit_id, r.control
"""


def _keep_times(rows: pa.Table, present: pa.Table) -> pa.Table:
    """Give rows that say what is already there their old time, so that nothing changes in the lake."""
    with session() as db:
        db.register("incoming", rows)
        db.register("present", present)
        return db.sql(_SETTLED).to_arrow_table().cast(rows.schema)
