"""How many opinions a unit gets: at first, and what one more would bring where they disagree.

Which tasks are raised for it is decided in `adjudication.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.consensus import enough_opinions, resolve
from labelloop.consensus.learnt import Learnt, decide
from labelloop.onboarding import ONBOARDING
from labelloop.opinions import answered, opinions, split_rulings
from labelloop.push import planned_overlap
from labelloop.spec import ProjectSpec
from labelloop.sql import session

_CLASSES: Final = frozenset(["choices", "taxonomy"])
_CHANCES: Final = pa.schema([("unit_id", pa.string()), ("control", pa.string()), ("chance", pa.float64())])
_NOTHING: Final[Mapping[str, Learnt]] = MappingProxyType({})
_UNCERTAIN = """
SELECT unit_id, round, strategy,
       stratum = 'exploit' AND row_number() OVER (PARTITION BY round, stratum ORDER BY queue_score, unit_id)
                               <= floor($share * count(*) OVER (PARTITION BY round, stratum)) AS is_uncertain
FROM batches ORDER BY unit_id
"""


def first_overlaps(spec: ProjectSpec, batches: pa.Table) -> pa.Table:
    """Return how many opinions each unit gets at first: `unit_id, round, strategy, first`, by unit.

    Those of a random share are planned (`planned_overlap`). The exploited units of a round that come first in its
    queue, a share of `overlap.uncertain_share` (rounded down), get as many, but there all beyond the planned count as
    adaptive: whoever asks where the model doubts finds more disagreement than there is. The onboarding set gets one
    of everybody.

    Args:
        spec: the project.
        batches: `unit_id, round, stratum, strategy, queue_score` of the contract `batches`.
    """
    with session() as db:
        db.register("batches", batches)
        found = db.sql(_UNCERTAIN, params={"share": spec.overlap.uncertain_share}).to_arrow_table()
    first = [_first(spec, **row) for row in found.drop_columns("round").to_pylist()]
    return found.drop_columns("is_uncertain").append_column("first", pa.array(first, pa.int64()))


def _first(spec: ProjectSpec, unit_id: str, strategy: str, is_uncertain: bool) -> int:
    if strategy == ONBOARDING:
        return max(1, spec.annotators.count - spec.annotators.experts)
    return spec.overlap.annotators if is_uncertain else planned_overlap(spec, unit_id)


def chances(
    annotations: pa.Table,
    disputed: Collection[str],
    *,
    experts: Collection[str],
    spec: ProjectSpec,
    learnt: Mapping[str, Learnt] = _NOTHING,
) -> pa.Table:
    """Return the chance that one more opinion makes a label sure: `unit_id, control, chance`, see `enough_opinions`.

    Args:
        annotations: rows of the contract `annotations`.
        disputed: controls that matter; only those that answer with classes are looked at.
        experts: pseudonyms whose answers are rulings.
        spec: says how labels are resolved, and from when one is accepted.
        learnt: of questions that are resolved by what was learnt on other answers.
    """
    found, method = [_CHANCES.empty_table()], spec.consensus.method
    for control, kind in answered(annotations):
        if control in disputed and kind in _CLASSES:
            ratings, rulings = split_rulings(opinions(annotations, control), experts)
            if control in learnt:
                resolved = decide(ratings, rulings, method, learnt[control])
            else:
                resolved = resolve(ratings, method, rulings=rulings)
            told = enough_opinions(resolved, threshold=spec.quality.accept_confidence)
            columns = [told["unit"], pa.repeat(control, told.num_rows), told["chance"]]
            found.append(pa.table(columns, schema=_CHANCES).filter(pc.is_valid(told["chance"])))
    return pa.concat_tables(found)
