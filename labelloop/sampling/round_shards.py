"""The batch of a round from a pool in shards: what each shard hands on for `compose_batch` to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.sampling.audit import permanent_numbers
from labelloop.sampling.auto import resolve
from labelloop.sampling.draws import groups
from labelloop.sampling.pool import candidates
from labelloop.sampling.shards import Choice, shortlist
from labelloop.spec.sampling import Objectives

SPARE: Final = 2  # times the batch: near-duplicates and quotas keep some of a short list out


@dataclass(frozen=True)
class Wanted:
    """What a round asks of every shard, as `compose_batch` is asked for it."""

    size: int
    strategy: str
    seed: int
    round_number: int
    salt: str
    audit_rate: float
    share: float  # of the pool that each shard is
    objectives: Objectives


@dataclass(frozen=True)
class Shortlist:
    """Rows of a shard with a column `lot`, a random number or null; `open_rows` of the shard are no audit."""

    rows: pa.Table
    open_rows: int


def shortlist_round(pool: pa.Table, wanted: Wanted, labelled: pa.Table) -> Shortlist:
    """The rows of one shard that the batch of a round may hold.

    Of the audit those with the lowest permanent numbers, so that the lowest of the whole pool are among them; an even
    draw to explore from; and the short list of the strategy, twice the batch.

    Args:
        pool: one shard, with the columns that `compose_batch` needs.
        wanted: the same for all shards.
        labelled: what was asked before, of the whole pool.
    """
    table = candidates(pool, labelled)
    numbers = permanent_numbers(groups(table), wanted.salt)
    audited = numbers < wanted.audit_rate
    lowest = np.argsort(numbers[audited], kind="stable")[: wanted.size]
    rest = table.filter(pa.array(~audited))
    lots = permanent_numbers(rest["ref_id"], f"{wanted.salt}/{wanted.seed}/{wanted.round_number}")
    lots[np.argsort(lots, kind="stable")[wanted.size :]] = np.nan
    keep = np.isfinite(lots) | np.asarray(pc.is_in(rest["ref_id"], value_set=_of_strategy(rest, wanted, labelled)))
    parts = [
        _with_lots(table.filter(pa.array(audited)).take(lowest), np.full(len(lowest), np.nan)),
        _with_lots(rest, lots).filter(pa.array(keep)),
    ]
    return Shortlist(pa.concat_tables(parts), len(rest))


def together(lists: Sequence[Shortlist], size: int) -> tuple[pa.Table, int]:
    """The pool and the `open_rows` for `compose_batch`, from the short lists of all shards, at least one.

    The lowest lots of all are an even draw from the whole pool, whatever the sizes of the shards: they are `drawn`.

    >>> one, two = (Shortlist(pa.table({"ref_id": [ref], "lot": [lot]}), 10) for ref, lot in (("a", 0.1), ("b", 0.9)))
    >>> together([one, two], 1)[0]["drawn"].to_pylist()
    [True, False]
    """
    rows = pa.concat_tables([found.rows for found in lists], promote_options="permissive")
    lots = rows["lot"].fill_null(np.inf).to_numpy()
    drawn = np.zeros(len(rows), dtype=bool)
    drawn[np.argsort(lots, kind="stable")[:size]] = True
    drawn &= np.isfinite(lots)
    return rows.drop_columns(["lot"]).append_column("drawn", pa.array(drawn)), sum(f.open_rows for f in lists)


def _of_strategy(rest: pa.Table, wanted: Wanted, labelled: pa.Table) -> pa.Array:
    if not len(rest):
        return rest["ref_id"].combine_chunks()
    name = resolve(wanted.strategy, rest, len(labelled)).name
    choice = Choice(SPARE * wanted.size, name, wanted.share, wanted.seed, labelled, wanted.objectives)
    return shortlist(rest, choice)["ref_id"].combine_chunks()


def _with_lots(rows: pa.Table, lots: NDArray[np.float64]) -> pa.Table:
    return rows.append_column("lot", pa.array(lots, pa.float64(), from_pandas=True))
