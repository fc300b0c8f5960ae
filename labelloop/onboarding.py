"""The onboarding set: units with a known answer that everybody who comes new to a project answers first."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.sql import session
from labelloop.unit_builders import Built

ONBOARDING: Final = "onboarding"  # the strategy that chose them
_DUE: Final = """
SELECT t.unit_id, t.task_id, f.first AS overlap FROM tasks t JOIN firsts f USING (unit_id)
WHERE f.strategy = $strategy AND t.overlap < f.first AND t.state IN ('open', 'answered') ORDER BY t.task_id
"""


def onboarding_first(rows: pa.Table, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return places in the queue with the onboarding set before all others.

    >>> onboarding_first(pa.table({"strategy": ["margin", "onboarding"]}), np.array([0.2, 0.7])).tolist()
    [0.2, 0.0]
    """
    return np.where(np.asarray(pc.equal(rows["strategy"], ONBOARDING)), 0.0, places)


def due(firsts: pa.Table, tasks: pa.Table) -> pa.Table:
    """Return tasks of the onboarding set that newcomers still have to get: `unit_id, task_id, overlap`.

    Args:
        firsts: `unit_id, strategy, first`, see `first_overlaps`.
        tasks: rows of the contract `tasks`.
    """
    with session() as db:
        db.register("firsts", firsts)
        db.register("tasks", tasks)
        return db.sql(_DUE, params={"strategy": ONBOARDING}).to_arrow_table()


def with_onboarding(built: Built, gold: pa.Table, units: pa.Table, *, size: int, seed: int) -> Built:
    """Return the units of a batch with those that the onboarding set still lacks, drawn evenly.

    Args:
        built: the units of the batch.
        gold: `ref_id` of references whose answer an expert has given.
        units: `purpose, ref_ids` of the units there are.
        size: of the set; once complete it stays as it is, so that all newcomers answer the same.
        seed: of the draw.
    """
    present = [refs[0] for refs in units.filter(pc.equal(units["purpose"], "pilot"))["ref_ids"].to_pylist()]
    taken = set(present) | {ref for refs in built.members for ref in refs}
    free = sorted(ref for ref in gold["ref_id"].to_pylist() if ref not in taken)
    n = max(0, min(size - len(present), len(free)))
    drawn = [free[place] for place in np.random.default_rng(seed).permutation(len(free))[:n]]
    rows = [
        dict.fromkeys(built.rows.column_names)
        | {"rank": len(built.members) + place, "stratum": "gold", "strategy": ONBOARDING, "seed": seed}
        | {"reason": "onboarding: everybody answers it first"}
        for place in range(n)
    ]
    more = pa.Table.from_pylist(rows, schema=built.rows.schema)
    return Built(pa.concat_tables([built.rows, more]), [*built.members, *([ref] for ref in drawn)])
