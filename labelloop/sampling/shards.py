"""A pool in shards: a short list of each, then a choice among the short lists, with a stated guarantee.

A shard must fit in memory, the pool need not. Reading shards, and where they are worked on, is the business of
`tasks/`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.acquisition.table import SCORINGS
from labelloop.sampling.audit import lowest
from labelloop.sampling.facility_location import represented
from labelloop.sampling.selection import select
from labelloop.spec.sampling import Objectives

Guarantee = Literal["exact", "core-set", "sample"]

SAMPLE: Final = 100_000  # rows drawn from the whole pool for strategies that must see all they choose from
_CORE_SETS: Final = frozenset({"k_center", "hybrid", "facility_location"})


@dataclass(frozen=True)
class Choice:
    """What is asked of a pool in shards: n references by a strategy, and all else as for `select`.

    `share` of the pool, in (0, 1], is each shard; it matters where a sample is drawn.
    """

    n: int
    strategy: str
    share: float = 1.0
    seed: int = 0
    labelled: pa.Table | None = None
    objectives: Objectives | None = None

    def of(self, pool: pa.Table) -> pa.Table:
        """The choice from this part of the pool, whatever else there is."""
        return select(
            pool,
            self.n,
            self.strategy,
            seed=self.seed,
            labelled=self.labelled,
            labels_count=0,
            objectives=self.objectives,
        )


def guarantee(strategy: str) -> Guarantee:
    """What choosing among short lists is worth, against choosing from the whole pool at once.

    - `exact`: the same references. The highest n of a pool are the highest among the highest n of its shards.
    - `core-set`: the greedy of each shard, then the greedy of what these chose. k-center: the picks of each shard lie
      within twice the best radius of all its rows, those of the merge within twice of the short lists; together at
      most four times, and in every measurement below twice, the one-machine radius (Malkomes et al., NIPS 2015).
      facility_location: the merge raises the function that one machine raises (GreeDi, Mirzasoleiman et al., NIPS
      2013); at random shards half of what the greedy is sure to reach is expected (Barbosa et al., ICML 2015, who
      also look at each shard's own picks), and 95 % of what it does reach is measured.
      hybrid: by measurement alone.
    - `sample`: the strategy itself, on an even random sample of 100,000 references.

    >>> guarantee("margin"), guarantee("k_center"), guarantee("typiclust")
    ('exact', 'core-set', 'sample')
    """
    if strategy in SCORINGS:
        return "exact"
    return "core-set" if strategy in _CORE_SETS else "sample"


def shortlist(shard: pa.Table, choice: Choice) -> pa.Table:
    """The rows of one shard among which those of the whole pool are chosen, with all their columns.

    Which rows are in the shard may not depend on what they hold.

    Raises:
        InputError: as `select`.
    """
    keep = np.zeros(len(shard), dtype=bool)
    if guarantee(choice.strategy) != "sample":
        keep |= np.asarray(pc.is_in(shard["ref_id"], value_set=choice.of(shard)["ref_id"].combine_chunks()))
    keep[_sampled(shard["ref_id"], choice)] = True
    return shard.filter(pa.array(keep))


def select_from_shards(shards: Iterable[pa.Table], choice: Choice) -> pa.Table:
    """As `select` from all shards together, one of them in memory at a time; what it is worth says `guarantee`.

    Args:
        shards: parts of a pool, at least one; no reference in two.
        choice: the same for all.

    Raises:
        InputError: as `select`.

    >>> rows = pa.table({"ref_id": ["a", "b", "c"], "probabilities": [[0.9, 0.1], [0.6, 0.4], [0.5, 0.5]]})
    >>> select_from_shards([rows[:2], rows[2:]], Choice(2, "margin"))["ref_id"].to_pylist()
    ['c', 'b']
    """
    held, size = pa.table({}), 0
    for shard in shards:
        found = shortlist(shard, choice)
        held, size = pa.concat_tables([held, found]) if size else found, size + len(shard)
        del shard  # or it would be held while the next is read
        if guarantee(choice.strategy) == "exact":  # one short list is enough, however many shards come
            held = shortlist(held, choice)
    return _of_sample(choice.of(held), len(held) / max(size, 1))


def _sampled(ids: pa.ChunkedArray, choice: Choice) -> NDArray[np.intp]:
    """Rows that stand for the shard in a sample of the whole pool."""
    if choice.strategy == "facility_location":
        return represented(ids, choice.share)
    if guarantee(choice.strategy) == "sample":
        return lowest(ids, math.ceil(SAMPLE * choice.share), f"sample/{choice.seed}")
    return np.empty(0, dtype=np.intp)


def _of_sample(chosen: pa.Table, share: float) -> pa.Table:
    """Inclusion probabilities in the whole pool of what was drawn from this share of it."""
    place = chosen.schema.get_field_index("inclusion_probability")
    return chosen.set_column(place, "inclusion_probability", pc.multiply(chosen["inclusion_probability"], share))
