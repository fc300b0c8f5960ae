"""The batch of a round: audit first, a random share to explore, the rest by the strategy.

Turning references into units and rows of `batches` is done in `labelloop.units`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.errors import InputError
from labelloop.sampling.audit import permanent_numbers
from labelloop.sampling.auto import resolve
from labelloop.sampling.pool import candidates, refused_rows, with_refused
from labelloop.sampling.selection import select

PERMANENT: Final = "permanent_random"  # the strategy that chose an audit reference


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
) -> pa.Table:
    """The references of one round, exploit first, then explore, then audit.

    Audit: of the references whose permanent number is below `audit_rate`, the lowest round(size * audit_rate); the
    others of them wait for later rounds and are never exploited. Their inclusion probability is `audit_rate`, the
    chance of belonging to the audit: equal for all, as ratios of weighted sums need it. Explore: round(size *
    explore_share) drawn evenly from what is no audit (k / N). Exploit: the rest by `strategy`, which knows what is
    explored beside it; inclusion probability null, whatever the strategy. Halves round up.

    Args:
        pool: as for `select`; with a column `group`, the references of one group share one permanent number, so that
            nobody is both in the audit and trained on.
        size: of the batch, from 0; a smaller pool gives a smaller batch.
        strategy: of the exploit part.
        seed: of the project; each round draws from (seed, round_number).
        round_number: from 0.
        salt: of the project; keeps permanent numbers of projects apart.
        audit_rate: 0 to 1.
        explore_share: 0 to 1; together at most 1.
        labelled: as for `select`.

    Returns:
        `ref_id, rank, stratum, strategy, acquisition_score, inclusion_probability, reason, seed`.

    Raises:
        InputError: shares out of range, a negative size or seed, or what `select` raises.
    """
    _check(size, seed, audit_rate, explore_share)
    streams = [int(s) for s in np.random.SeedSequence([seed, round_number]).generate_state(2)]
    table = candidates(pool, labelled)
    numbers = permanent_numbers(_groups(table), salt)
    audited, n_audit = numbers < audit_rate, _share(size, audit_rate)
    audit = _audit(table.filter(audited), numbers[audited], n_audit, audit_rate)
    n_audit = len(audit)
    open_pool = table.filter(~audited)
    explore = select(open_pool, min(_share(size, explore_share), size - n_audit), "random", seed=streams[0])
    exploit, name = _exploit(open_pool, explore, labelled, size - n_audit - len(explore), strategy, streams[1])
    parts = [("exploit", name, exploit), ("explore", "random", explore), ("audit", PERMANENT, audit)]
    whole = pa.concat_tables([_part(stratum, by, rows) for stratum, by, rows in parts])
    whole = whole.set_column(1, "rank", pa.array(np.arange(len(whole))))
    whole = whole.append_column("seed", pa.array(np.full(len(whole), seed, dtype=np.int64)))
    return with_refused(whole, refused_rows(exploit))


def _check(size: int, seed: int, audit_rate: float, explore_share: float) -> None:
    if size < 0 or seed < 0:
        raise InputError(f"batch size {size}, seed {seed}", remedy="give whole numbers from 0")
    if not (audit_rate >= 0 and explore_share >= 0 and audit_rate + explore_share <= 1):
        raise InputError(
            f"audit rate {audit_rate} and explore share {explore_share}",
            remedy="give shares from 0 to 1 that sum to at most 1",
        )


def _groups(table: pa.Table) -> pa.ChunkedArray:
    """What membership in the audit is decided by: the group, or the reference itself without one."""
    if "group" not in table.column_names:
        return table["ref_id"]
    return pc.coalesce(table["group"].cast(pa.string()), table["ref_id"].cast(pa.string()))


def _share(size: int, share: float) -> int:
    return int(np.floor(size * share + 0.5))


def _audit(eligible: pa.Table, numbers: NDArray[np.float64], n: int, rate: float) -> pa.Table:
    """The eligible references with the lowest permanent numbers, in the shape `select` gives."""
    rows = np.argsort(numbers, kind="stable")[:n]
    frame = select(eligible.select(["ref_id"]), 0)
    columns = {
        "ref_id": eligible["ref_id"].take(rows),
        "rank": np.arange(len(rows)),
        "acquisition_score": pa.nulls(len(rows), pa.float64()),
        "inclusion_probability": np.full(len(rows), rate),
        "reason": [f"permanent random number below the audit rate {rate:g}"] * len(rows),
    }
    return pa.table(columns).cast(frame.schema)


def _exploit(
    pool: pa.Table, explore: pa.Table, labelled: pa.Table | None, n: int, strategy: str, seed: int
) -> tuple[pa.Table, str]:
    """What the strategy chooses beside the explored, its inclusion probabilities struck out, and its name."""
    count = len(labelled) if labelled is not None else 0
    name = resolve(strategy, pool, count).name
    covered = _covered(pool, explore, labelled)
    chosen = select(pool, n, strategy, seed=seed, labelled=covered, labels_count=count)
    column = chosen.schema.get_field_index("inclusion_probability")
    greedy = chosen.set_column(column, "inclusion_probability", pa.nulls(len(chosen), pa.float64()))
    return greedy.replace_schema_metadata(chosen.schema.metadata), name


def _covered(pool: pa.Table, explore: pa.Table, labelled: pa.Table | None) -> pa.Table:
    """Labelled and explored references together: neither may be chosen, both count as covered."""
    explored = pool.filter(pc.is_in(pool["ref_id"], value_set=explore["ref_id"].combine_chunks()))
    tables = [explored] if labelled is None else [explored, labelled]
    known = ("ref_id", "embedding")
    narrow = [table.select([c for c in known if c in table.column_names]) for table in tables]
    return pa.concat_tables(narrow, promote_options="permissive")


def _part(stratum: str, strategy: str, rows: pa.Table) -> pa.Table:
    n = len(rows)
    rows = rows.replace_schema_metadata(None)
    rows = rows.add_column(2, "stratum", pa.array([stratum] * n, pa.string()))
    return rows.add_column(3, "strategy", pa.array([strategy] * n, pa.string()))
