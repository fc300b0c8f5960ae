"""Labels by how their units were chosen: which were drawn at random, and what the last exploited batch brought."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.errors import NotEstimable
from labelloop.sampling.evidence import Gain, Labelled, exploit_gain


class Strata(NamedTuple):
    """Of n labels: the `round` that asked, the `stratum` and the `strategy` it was asked by; empty where unknown."""

    round: NDArray[np.int64]
    stratum: NDArray[np.object_]
    strategy: NDArray[np.object_]


def strata_of(unit_ids: pa.ChunkedArray, batches: pa.Table) -> Strata:
    """Return how each unit was chosen.

    Args:
        unit_ids: of the labels.
        batches: `unit_id, round, stratum, strategy` of the contract `batches`.

    >>> batches = pa.table({"unit_id": ["a"], "round": [3], "stratum": ["explore"], "strategy": ["random"]})
    >>> strata_of(pa.chunked_array([["a", "b"]]), batches).round.tolist()
    [3, 0]
    """
    found = batches.take(pc.index_in(unit_ids, batches["unit_id"].combine_chunks()))
    rounds = pc.fill_null(found["round"], 0).to_numpy()
    stratum, strategy = (pc.fill_null(found[name], "").to_numpy() for name in ("stratum", "strategy"))
    return Strata(rounds, np.asarray(stratum, dtype=object), np.asarray(strategy, dtype=object))


def last_exploit_gain(strata: Strata, train: Labelled, audit: Labelled, *, seed: int) -> Gain:
    """Return what the newest exploited batch among the labels taught beyond as many of its round's random ones.

    Args:
        strata: of the training labels.
        train: the training labels.
        audit: audit units.
        seed: of the comparison.

    Raises:
        NotEstimable: nothing was exploited yet, or what `exploit_gain` raises.
    """
    exploited = strata.stratum == "exploit"
    if not exploited.any():
        raise NotEstimable("nothing chosen by a strategy is labelled yet", remedy="wait for answers")
    last = int(strata.round[exploited].max())
    chosen, drawn = exploited & (strata.round == last), (strata.stratum == "explore") & (strata.round == last)
    return exploit_gain(
        str(strata.strategy[chosen][0]),
        before=_part(train, strata.round < last),
        exploited=_part(train, chosen),
        explored=_part(train, drawn),
        audit=audit,
        seed=seed,
    )


def _part(rows: Labelled, mask: NDArray[np.bool_]) -> Labelled:
    return Labelled(rows.features[mask], np.array(rows.labels, dtype=object)[mask].tolist())
