"""A pool in shards: a short list of each, then a choice among the short lists, with a stated guarantee.

A shard must fit in memory, the pool need not. Reading shards, and where they are worked on, is the business of
`tasks/`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.acquisition.table import SCORINGS
from labelloop.sampling.audit import permanent_numbers
from labelloop.sampling.selection import select
from labelloop.spec.sampling import Objectives

Guarantee = Literal["exact", "core-set", "sample"]

SAMPLE: Final = 100_000  # rows drawn from the whole pool for strategies that must see all they choose from
REPRESENTING: Final = 10_000  # rows that stand for the pool beside the facilities chosen in its shards
_SAMPLED: Final = {"facility_location": REPRESENTING}
_CORE_SETS: Final = frozenset({"k_center", "hybrid", "facility_location"})


def guarantee(strategy: str) -> Guarantee:
    """What choosing among short lists is worth, against choosing from the whole pool at once.

    - `exact`: the same references. The highest n of a pool are the highest among the highest n of its shards.
    - `core-set`: the greedy of each shard, then the greedy of what these chose. k-center: the picks of each shard lie
      within twice the best radius of all its rows, those of the merge within twice of the short lists; together at
      most four times, and in every measurement below twice, the one-machine radius (Malkomes et al., NIPS 2015).
      facility_location: beside a random sample that stands for the pool (GreeDi, Mirzasoleiman et al., NIPS 2013).
      hybrid: by measurement alone.
    - `sample`: the strategy itself, on an even random sample of 100,000 references.

    >>> guarantee("margin"), guarantee("k_center"), guarantee("typiclust")
    ('exact', 'core-set', 'sample')
    """
    if strategy in SCORINGS:
        return "exact"
    return "core-set" if strategy in _CORE_SETS else "sample"


def shortlist(
    shard: pa.Table,
    n: int,
    strategy: str,
    *,
    share: float = 1.0,
    seed: int = 0,
    labelled: pa.Table | None = None,
    objectives: Objectives | None = None,
) -> pa.Table:
    """The rows of one shard among which the n of the whole pool are chosen, with all their columns.

    Args:
        shard: a part of a pool as for `select`; which part may not depend on what the rows hold.
        n: how many the whole pool shall give.
        strategy: a name of `STRATEGIES`.
        share: of the pool that this shard is, in (0, 1]; matters where a sample is drawn.
        seed: the same for every shard.
        labelled: as for `select`.
        objectives: as for `select`.

    Raises:
        InputError: as `select`.
    """
    chosen = pa.array([], shard.schema.field("ref_id").type)
    kind = guarantee(strategy)
    if kind != "sample":
        picks = select(shard, n, strategy, seed=seed, labelled=labelled, labels_count=0, objectives=objectives)
        chosen = picks["ref_id"].combine_chunks()
    drawn = SAMPLE if kind == "sample" else _SAMPLED.get(strategy, 0)
    keep = np.asarray(pc.is_in(shard["ref_id"], value_set=chosen))
    keep[_lowest(shard["ref_id"], math.ceil(drawn * share), seed)] = True
    return shard.filter(pa.array(keep))


def select_from_shards(
    shards: Iterable[pa.Table],
    n: int,
    strategy: str,
    *,
    share: float = 1.0,
    seed: int = 0,
    labelled: pa.Table | None = None,
    objectives: Objectives | None = None,
) -> pa.Table:
    """As `select` from all shards together, one of them in memory at a time; what it is worth says `guarantee`.

    Args:
        shards: parts of a pool, at least one; no reference in two.
        n: as for `select`.
        strategy: a name of `STRATEGIES`.
        share: as for `shortlist`, of every shard.
        seed: as for `select`.
        labelled: as for `select`.
        objectives: as for `select`.

    Raises:
        InputError: as `select`.

    >>> rows = pa.table({"ref_id": ["a", "b", "c"], "probabilities": [[0.9, 0.1], [0.6, 0.4], [0.5, 0.5]]})
    >>> select_from_shards([rows[:2], rows[2:]], 2, "margin")["ref_id"].to_pylist()
    ['c', 'b']
    """
    held, size = pa.table({}), 0
    known: dict[str, Any] = {"seed": seed, "labelled": labelled, "objectives": objectives}
    for shard in shards:
        found = shortlist(shard, n, strategy, share=share, **known)
        held, size = pa.concat_tables([held, found]) if size else found, size + len(shard)
        del shard  # or it would be held while the next is read
        if guarantee(strategy) == "exact":  # one short list is enough, however many shards come
            held = shortlist(held, n, strategy, **known)
    return _of_sample(select(held, n, strategy, labels_count=0, **known), len(held) / max(size, 1))


def _of_sample(chosen: pa.Table, share: float) -> pa.Table:
    """Inclusion probabilities in the whole pool of what was drawn from this share of it."""
    place = chosen.schema.get_field_index("inclusion_probability")
    return chosen.set_column(place, "inclusion_probability", pc.multiply(chosen["inclusion_probability"], share))


def _lowest(ids: pa.ChunkedArray, n: int, seed: int) -> NDArray[np.intp]:
    """Rows of the n lowest random numbers that belong to references for this seed: an even draw, shard by shard."""
    if n == 0:
        return np.empty(0, dtype=np.intp)
    return np.argsort(permanent_numbers(ids, f"sample/{seed}"), kind="stable")[:n]
