"""The batch of a round: the random parts, which are drawn in `draws.py`, and the rest by the strategy.

Turning references into units and rows of `batches` is done in `labelloop.units`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.errors import InputError
from labelloop.sampling.auto import resolve
from labelloop.sampling.draws import (
    PERMANENT,
    Again,
    again_draw,
    audit_draw,
    audited,
    explore_draw,
    share_of,
)
from labelloop.sampling.evidence import Gain
from labelloop.sampling.limits import Limits
from labelloop.sampling.pool import candidates, refused_rows, with_refused
from labelloop.sampling.selection import select
from labelloop.spec.sampling import Objectives

# what a choice has to know of references that are labelled or taken
_KNOWN: Final = ("ref_id", "embedding", "stratum", "digest", "perceptual_hash")


def compose_batch(
    pool: pa.Table,
    *,
    size: int,
    strategy: str,
    seed: int,
    round_number: int,
    salt: str,
    audit_rate: float,
    explore_share: float,
    labelled: pa.Table | None = None,
    objectives: Objectives | None = None,
    limits: Limits | None = None,
    gold: Again | None = None,
    repeats: Again | None = None,
    open_rows: int | None = None,
    evidence: Gain | None = None,
) -> pa.Table:
    """The references of one round: exploit, explore, audit, gold and repeat, in this order.

    Audit: of the references whose permanent number is below `audit_rate`, the lowest round(size * audit_rate); the
    others of them wait for later rounds and are never exploited. Their inclusion probability is `audit_rate`, the
    chance of belonging to the audit: equal for all, as ratios of weighted sums need it. Explore: round(size *
    explore_share) drawn evenly from what is no audit (k / N). Gold and repeat: their shares, drawn evenly (k / N).
    Exploit: the rest by `strategy`, which knows what is explored and audited beside it; inclusion probability null,
    whatever the strategy. Limits bind the exploited alone, since a random draw that is filtered is none; hours cut
    the batch to what they pay at the mean cost, and the exploited to what is left of them. Halves round up.

    Args:
        pool: as for `select`; with a column `group`, the references of one group share one permanent number, so that
            nobody is both in the audit and trained on.
        size: of the batch, from 0; a smaller pool gives a smaller batch.
        strategy: of the exploit part.
        seed: of the project; each round draws from (seed, round_number).
        round_number: from 0.
        salt: of the project; keeps permanent numbers of projects apart.
        audit_rate: 0 to 1.
        explore_share: 0 to 1; all shares together at most 1.
        labelled: as for `select`.
        objectives: as for `select`.
        limits: as for `select`.
        gold: references whose answer an expert has given, to test annotators with.
        repeats: references that were answered before, to see whether people answer alike.
        open_rows: where `pool` holds short lists of shards (`round_shards`): how many rows of the whole are no audit.
            Its column `drawn` then marks the even draw that is explored from.
        evidence: as for `select`.

    Returns:
        `ref_id, rank, stratum, strategy, acquisition_score, inclusion_probability, reason, seed`.

    Raises:
        InputError: shares out of range, a negative size or seed, or what `select` raises.
    """
    twice = {stratum: again for stratum, again in (("gold", gold), ("repeat", repeats)) if again}
    shares = {"audit": audit_rate, "explore": explore_share, **{name: again.share for name, again in twice.items()}}
    _check(size, seed, shares)
    table, bounds = candidates(pool, labelled), limits or Limits()
    size = _affordable(table, bounds.hours, size)
    seeds = np.random.SeedSequence([seed, round_number]).generate_state(2 + len(twice))
    explore_seed, exploit_seed, *again_seeds = seeds.tolist()
    inside = audited(table, salt, audit_rate)
    open_pool = table.filter(~inside)
    audit = audit_draw(table.filter(inside), share_of(size, audit_rate), salt, audit_rate)
    room = min(share_of(size, explore_share), size - len(audit))
    explore = explore_draw(open_pool, room, explore_seed, open_rows)
    beside = [("explore", "random", explore), ("audit", PERMANENT, audit)]
    for (name, again), again_seed in zip(twice.items(), again_seeds, strict=True):
        beside.append((name, "random", again_draw(name, again, size, again_seed)))
    count = len(labelled) if labelled is not None else 0
    exploit = select(
        open_pool,
        max(0, size - sum(len(rows) for _, _, rows in beside)),
        strategy,
        seed=exploit_seed,
        labelled=_covered(table.filter(pc.is_in(table["ref_id"], value_set=_ids([explore, audit]))), labelled),
        labels_count=count,
        objectives=objectives,
        limits=bounds.left(_cost(table, beside)),
        evidence=evidence,
    )
    name = resolve(strategy, open_pool, count, evidence).name
    return with_refused(_whole([("exploit", name, _without_chances(exploit)), *beside], seed), refused_rows(exploit))


def _check(size: int, seed: int, shares: dict[str, float]) -> None:
    if size < 0 or seed < 0:
        raise InputError(f"batch size {size}, seed {seed}", remedy="give whole numbers from 0")
    if not (all(share >= 0 for share in shares.values()) and sum(shares.values()) <= 1):
        told = ", ".join(f"{name} {share}" for name, share in shares.items())
        raise InputError(f"shares of the batch: {told}", remedy="give shares from 0 to 1 that sum to at most 1")


def _affordable(table: pa.Table, hours: float | None, size: int) -> int:
    """The size of a batch that the hours pay at the mean cost of the pool."""
    mean = _mean_cost(table)
    return size if hours is None or not mean else min(size, int(hours / mean + 1e-9))


def _mean_cost(table: pa.Table) -> float:
    mean = pc.mean(table["cost"]).as_py() if "cost" in table.column_names else None
    return float(mean or 0.0)


def _cost(table: pa.Table, parts: list[tuple[str, str, pa.Table]]) -> float:
    """What is drawn beside the exploited costs, at the mean cost of the pool."""
    return _mean_cost(table) * sum(len(rows) for _, _, rows in parts)


def _covered(taken: pa.Table, labelled: pa.Table | None) -> pa.Table:
    """What is labelled and what is taken beside it: none of it may be chosen, all of it counts as covered."""
    tables = [taken] if labelled is None else [taken, labelled]
    narrow = [table.select([c for c in _KNOWN if c in table.column_names]) for table in tables]
    return pa.concat_tables(narrow, promote_options="permissive")


def _ids(tables: list[pa.Table]) -> pa.Array:
    return pa.concat_tables([table.select(["ref_id"]) for table in tables])["ref_id"].combine_chunks()


def _without_chances(chosen: pa.Table) -> pa.Table:
    """The choice with its inclusion probabilities struck out: a strategy's picks are a certainty stratum."""
    column = chosen.schema.get_field_index("inclusion_probability")
    return chosen.set_column(column, "inclusion_probability", pa.nulls(len(chosen), pa.float64()))


def _whole(parts: list[tuple[str, str, pa.Table]], seed: int) -> pa.Table:
    """The parts, each with its stratum and strategy, as one table in rank order."""
    whole = pa.concat_tables([_part(*part) for part in parts])
    whole = whole.set_column(1, "rank", pa.array(np.arange(len(whole))))
    return whole.append_column("seed", pa.array(np.full(len(whole), seed, dtype=np.int64)))


def _part(stratum: str, strategy: str, rows: pa.Table) -> pa.Table:
    n = len(rows)
    rows = rows.replace_schema_metadata(None)
    rows = rows.add_column(2, "stratum", pa.array([stratum] * n, pa.string()))
    return rows.add_column(3, "strategy", pa.array([strategy] * n, pa.string()))
