"""The verb of sampling: which references of a pool are most worth labelling."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from deployments.cli.table_file import write_parquet
from deployments.cli.tables import read_pool_file
from labelloop.sampling import refused_rows, select


def sample(
    pool: Path,
    *,
    number: Annotated[int, Parameter(name=["-n", "--number"])],
    strategy: str,
    out: Path,
    seed: int = 0,
) -> None:
    """Choose the references of a pool most worth labelling, best first.

    Args:
        pool: Parquet file with ref_id and, as the strategy needs them, probabilities, embedding, stratum.
        number: How many to choose; more than the pool has gives all of it.
        strategy: random, stratified, least_confidence, margin, entropy, k_center, typiclust, hybrid or auto.
        out: Parquet file to write or replace: ref_id, rank, acquisition_score, inclusion_probability (null for
            greedy picks), reason.
        seed: Seed of every random choice; the same pool and seed give the same file.
    """
    table = read_pool_file(pool)
    chosen = select(table, number, strategy, seed=seed)
    write_parquet(chosen, out)
    lines = [f"{len(chosen)} of {len(table)} references in {out}"]
    lines += [f"{count} rows left out: {rule}" for rule, count in refused_rows(chosen).items()]
    Console(soft_wrap=True, highlight=False).print("\n".join(lines), markup=False)
