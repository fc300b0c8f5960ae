"""What the nightly stage consensus writes: one resolved value for every unit and control, and who decided.

The methods are in `labelloop.consensus`; which opinions count in `labelloop.opinions`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.beside import Beside, joined
from labelloop.consensus.learnt import Learnt
from labelloop.consensus.question import EACH_BY_ITSELF, LEARNT, RESOLVED_BY, Question, learnt_by
from labelloop.consensus.shaped import Shape, fused, shape_of, shaped_labels, unanimous
from labelloop.contracts import contract
from labelloop.opinions import answered, answers_to, opinions, split_rulings
from labelloop.sql import session

_NO_BUCKETS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
_NOTHING: Final[Mapping[str, Learnt]] = MappingProxyType({})


def label_rows(
    annotations: pa.Table,
    *,
    units: pa.Table,
    experts: Collection[str],
    accept_confidence: float,
    at: datetime,
    method: str = "dawid-skene",
    beside: Beside | None = None,
    buckets: Mapping[str, tuple[str, ...]] = _NO_BUCKETS,
    learnt: Mapping[str, Learnt] = _NOTHING,
    remarks: Collection[str] = (),
) -> pa.Table:
    """Return rows of the contract `labels`: the resolved value of every unit and control, and who decided.

    Args:
        annotations: rows of the contract `annotations`; every active opinion counts.
        units: rows of the contract `units`, whose members comparisons are about.
        experts: pseudonyms whose ruling wins.
        accept_confidence: a label less sure than this, or a tie, is a conflict.
        at: when it is resolved.
        method: of choices; other answers have one of their own.
        beside: imported labels and a model's answers.
        buckets: of each question that is a triage, in their order.
        learnt: of questions whose labels follow from what was learnt on other answers.
        remarks: questions whose answers need not be alike; the most central text is accepted.
    """
    beside = beside or Beside()
    found = [contract("labels").schema.empty_table()]
    for control, kind in sorted((beside.kinds | dict(answered(annotations))).items()):
        known = beside.of(control)
        if shape := shape_of(kind, buckets.get(control, ())):
            resolved = _by_shape(answers_to(annotations, control), known, experts, shape)
        elif kind in RESOLVED_BY:
            is_remark = control in remarks
            question = partial(Question, units=units, method=method, learnt=learnt.get(control), is_remark=is_remark)
            resolved = _by_value(opinions(annotations, control), known, experts, question, RESOLVED_BY[kind])
        else:
            continue
        found.append(_rows(resolved, control, 0.0 if control in remarks else accept_confidence, at))
    return pa.concat_tables(found)


def learnt_of(annotations: pa.Table, *, experts: Collection[str], method: str) -> dict[str, Learnt]:
    """Return what is learnt from the opinions on every question whose units can be decided by it.

    Args:
        annotations: and all others as for `label_rows`.
        experts: see there.
        method: see there; nothing is learnt for GLAD, which says of each unit how easy it is.
    """
    found, units = {}, contract("units").schema.empty_table()
    for control, kind in answered(annotations):
        if kind in LEARNT and (kind == "rating" or method != "glad"):
            ratings, rulings = split_rulings(opinions(annotations, control), experts)
            found[control] = learnt_by(Question(ratings, rulings, units, method), kind)
    return found


def not_decided_apart(
    annotations: pa.Table, learnt: Mapping[str, Learnt], buckets: Mapping[str, tuple[str, ...]] = _NO_BUCKETS
) -> list[str]:
    """Return the questions, by name, of which units cannot be decided without the answers to all others.

    These compare items, have no method that decides by what was learnt, or were answered with something new.

    Args:
        annotations: rows of the contract `annotations`, to be decided.
        learnt: on other answers.
        buckets: of each question that is a triage.
    """
    return [
        control
        for control, kind in answered(annotations)
        if kind in RESOLVED_BY and kind not in EACH_BY_ITSELF and not shape_of(kind, buckets.get(control, ()))
        if control not in learnt or not learnt[control].knows(opinions(annotations, control)["value"])
    ]


def _by_value(
    said: pa.Table,
    beside: Beside,
    experts: Collection[str],
    question: Callable[[pa.Table, pa.Table], Question],
    resolve: Callable[[Question], pa.Table],
) -> pa.Table:
    """Labels of answers that a text tells."""
    ratings, rulings = split_rulings(said, experts)
    gold = _not_ruled(beside.gold, rulings).select(["unit", "value"])
    more = beside.opinions.select(ratings.column_names)
    return _gold_named(resolve(question(joined(ratings, more), joined(rulings, gold))), gold["unit"])


def _by_shape(answers: pa.Table, beside: Beside, experts: Collection[str], shape: Shape) -> pa.Table:
    """Labels of regions and triages; experts who rule differently on a unit leave it to the opinions."""
    names = ["unit", "annotator", shape.column, "raw"]
    said = answers.rename_columns({"unit_id": "unit"}).select(names)
    is_expert = pc.is_in(said["annotator"], pa.array(sorted(experts), pa.string()))
    rulings = unanimous(fused(said.filter(is_expert), shape))
    gold = unanimous(fused(_not_ruled(beside.gold, rulings).select(names), shape))
    found = fused(joined(said.filter(pc.invert(is_expert)), beside.opinions.select(names)), shape)
    return _gold_named(shaped_labels(found, pa.concat_tables([rulings, gold]), shape), gold["unit"])


def _not_ruled(gold: pa.Table, rulings: pa.Table) -> pa.Table:
    return gold.filter(pc.invert(pc.is_in(gold["unit"], rulings["unit"].combine_chunks())))


def _gold_named(resolved: pa.Table, gold: pa.ChunkedArray) -> pa.Table:
    """The labels with `gold` as what decided where no expert did."""
    decider = pc.coalesce(resolved["decided_by"], pa.scalar("consensus"))
    by_gold = pc.and_(pc.equal(decider, "expert"), pc.is_in(resolved["unit"], gold.combine_chunks()))
    place = resolved.column_names.index("decided_by")
    return resolved.set_column(place, "decided_by", pc.if_else(by_gold, "gold", decider))


def _rows(resolved: pa.Table, control: str, accept_confidence: float, at: datetime) -> pa.Table:
    n, schema = resolved.num_rows, contract("labels").schema
    sure = pc.and_(pc.is_valid(resolved["label"]), pc.greater_equal(resolved["confidence"], accept_confidence))
    columns = {
        **{name: pa.nulls(n, schema.field(name).type) for name in ("regions", "ranked")},
        **{name: resolved[name] for name in resolved.column_names},
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
 AND p.regions IS NOT DISTINCT FROM r.regions AND p.ranked IS NOT DISTINCT FROM r.ranked
ORDER BY r.unit_id, r.control
"""


def keep_times(rows: pa.Table, present: pa.Table) -> pa.Table:
    """Return labels, to six digits, by unit and control; those that are there already keep their time.

    So nothing of them changes in the lake.

    Args:
        rows: of the contract `labels`.
        present: the labels as they are.
    """
    with session() as db:
        db.register("incoming", rows)
        db.register("present", present)
        return db.sql(_SETTLED).to_arrow_table().cast(rows.schema)
