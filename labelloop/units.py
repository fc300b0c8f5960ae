"""Units: what an annotator is asked about, and the batch of a round turned into units.

Choosing is the business of `labelloop.sampling`; here its references become rows of `units` and `batches`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelloop.contracts import contract
from labelloop.onboarding import ONBOARDING

_PURPOSES = {stratum: stratum for stratum in ("audit", "gold", "repeat")}


def unit_id(project: str, purpose: str, kind: str, members: Sequence[tuple[str, str]]) -> str:
    """Return the id of a unit: the same members at the same media versions, asked for the same purpose, are one unit.

    Args:
        project: name of the labelling project.
        purpose: `label`, `audit`, ...
        kind: `single`, `pair`, ...
        members: reference id and media version, in order.

    >>> unit_id("p", "label", "single", [("r", "v1")]) == unit_id("p", "label", "single", [("r", "v2")])
    False
    """
    parts = [project, purpose, kind, *(part for member in members for part in member)]
    # A length before each part keeps ("ab", "c") and ("a", "bc") apart.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def units_of_batch(
    chosen: pa.Table,
    members: Sequence[Sequence[tuple[str, str]]],
    queue_scores: NDArray[np.float64],
    *,
    kind: str,
    project: str,
    round: int,
    at: datetime,
) -> tuple[pa.Table, pa.Table]:
    """Return the rows of `units` and of `batches` for a composed batch.

    Args:
        chosen: `rank, stratum, strategy, acquisition_score, inclusion_probability, reason, seed` of each unit.
        members: of each unit, reference id and current media version.
        queue_scores: place in the annotators' queue, each in [0, 1], ascending is first.
        kind: of all units; one that is asked again is single.
        project: name of the labelling project.
        round: number of the round.
        at: when the batch was composed.
    """
    reasons = zip(chosen["stratum"].to_pylist(), chosen["strategy"].to_pylist(), strict=True)
    purposes = ["pilot" if way == ONBOARDING else _PURPOSES.get(stratum, "label") for stratum, way in reasons]
    kinds = ["single" if purpose in ("gold", "repeat", "pilot") else kind for purpose in purposes]
    ids = [unit_id(project, *each) for each in zip(purposes, kinds, members, strict=True)]
    n = len(ids)
    units = {
        "unit_id": ids,
        "kind": kinds,
        "ref_ids": [[ref for ref, _ in refs] for refs in members],
        "media_versions": [[version for _, version in refs] for refs in members],
        "purpose": purposes,
        "round": [round] * n,
        "created_at": [at] * n,
    }
    same = ("rank", "stratum", "strategy", "acquisition_score", "inclusion_probability", "reason", "seed")
    batch = {
        "unit_id": ids,
        "round": [round] * n,
        **{name: chosen[name] for name in same},
        "queue_score": queue_scores,
        "created_at": [at] * n,
    }
    return _shaped("units", units), _shaped("batches", batch)


def _shaped(name: str, columns: dict[str, object]) -> pa.Table:
    schema = contract(name).schema
    return pa.table({field: columns[field] for field in schema.names}).cast(schema)
