"""Selection: n references of a pool by a strategy, as a table."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelloop.errors import InputError
from labelloop.sampling.admission import choose
from labelloop.sampling.auto import resolve
from labelloop.sampling.evidence import Gain
from labelloop.sampling.limits import Limits, rules_of
from labelloop.sampling.pool import candidates, with_refused
from labelloop.sampling.reading import Needs, check, read
from labelloop.sampling.table import STRATEGIES
from labelloop.spec.sampling import Objectives

_COLUMNS: Final = {
    "rank": pa.int64(),
    "acquisition_score": pa.float64(),
    "inclusion_probability": pa.float64(),
    "reason": pa.string(),
}


def select(
    pool: pa.Table,
    n: int,
    strategy: str = "random",
    *,
    seed: int = 0,
    labelled: pa.Table | None = None,
    labels_count: int | None = None,
    objectives: Objectives | None = None,
    limits: Limits | None = None,
    evidence: Gain | None = None,
) -> pa.Table:
    """The n references most worth labelling by a strategy, best first.

    Args:
        pool: `ref_id`, and the columns that strategy, objectives and limits need (docs/sampling.md lists them).
        n: how many, from 0; more than the pool has gives all of it.
        strategy: a name of `STRATEGIES`, or `auto`.
        seed: of every random choice. The order of the rows given never matters.
        labelled: `ref_id` and, if known, `embedding`, `stratum`, `digest`, `perceptual_hash` of what has a label:
            never chosen again, and covered.
        labels_count: labels there are, for `auto`; by default the rows of `labelled`.
        objectives: what makes a reference worth its place, and by which score it is unsure.
        limits: near-duplicates, quotas and hours; by default none.
        evidence: what the last exploited batch taught beyond random labels, for `auto`.

    Returns:
        `ref_id, rank, acquisition_score, inclusion_probability, reason`, rank 0 first. The score is null for random
        draws, the inclusion probability for greedy picks and wherever a limit replaced a pick. Rows whose needed
        columns are unusable and those a limit kept out are missing; `refused_rows` of the result counts them by rule.

    Raises:
        InputError: an unknown strategy, a column it needs and the pool lacks, an unusable `ref_id`, n or seed.

    >>> pool = pa.table({"ref_id": ["a", "b"], "probabilities": [[0.9, 0.1], [0.6, 0.4]]})
    >>> select(pool, 1, "margin")["ref_id"].to_pylist()
    ['b']
    """
    if n < 0 or seed < 0:
        raise InputError(f"the number to select is {n}, the seed is {seed}", remedy="give whole numbers from 0")
    aims, bounds = objectives or Objectives(), limits or Limits()
    table = candidates(pool, labelled)
    known = (len(labelled) if labelled is not None else 0) if labels_count is None else labels_count
    chosen = resolve(strategy, table, known, evidence)
    needs = possible(table, chosen.name, aims, bounds)
    if not len(table):
        return _empty(pool)
    arrays, rows, refused = read(table, needs, labelled, aims)
    if n == 0:
        return with_refused(_empty(pool), refused)
    rules = rules_of(bounds, rows, labelled)
    picks, kept_out = choose(
        arrays, min(n, len(arrays)), STRATEGIES[chosen.name].pick, rules, np.random.default_rng(seed)
    )
    prefix = f"{chosen.reason}: " if chosen.reason else ""
    columns = {
        "ref_id": arrays.ref_ids.take(pa.array(picks.rows)),
        "rank": np.arange(len(picks.rows)),
        "acquisition_score": _numbers(picks.scores, len(picks.rows)),
        "inclusion_probability": _numbers(picks.inclusion, len(picks.rows)),
        "reason": [prefix + reason for reason in picks.reasons],
    }
    return with_refused(pa.table(columns).cast(_empty(pool).schema), refused | kept_out)


def possible(pool: pa.Table, strategy: str, objectives: Objectives, limits: Limits) -> Needs:
    """What a strategy needs, if the pool can give it; an empty pool can give anything.

    Raises:
        InputError: a column is lacking that strategy, objectives or limits need; an unknown strategy or score.

    >>> possible(pa.table({"ref_id": ["a"]}), "random", Objectives(), Limits()).columns
    frozenset()
    """
    needs = STRATEGIES[resolve(strategy, pool, 0).name].wanted(objectives)
    if len(pool):
        check(pool, needs.columns, f"the strategy {strategy}")
        check(pool, limits.columns, "a limit of the batch")
    return needs


def _numbers(values: NDArray[np.floating] | None, n: int) -> pa.Array:
    return pa.nulls(n, pa.float64()) if values is None else pa.array(values, pa.float64())


def _empty(pool: pa.Table) -> pa.Table:
    return pa.schema({"ref_id": pool.schema.field("ref_id").type, **_COLUMNS}).empty_table()
