"""The verb of sampling: which references of a pool are most worth labelling."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import pyarrow as pa
from cyclopts import Parameter
from pydantic import ValidationError
from rich.console import Console

from deployments.cli.pool_file import read_pool_file
from deployments.cli.table_file import write_parquet
from labelloop.errors import InputError
from labelloop.sampling import Limits, refused_rows, select
from labelloop.spec.sampling import NearDuplicates, Objectives, Quotas

_MOST = 10  # strata told by name


def sample(
    pool: Path,
    *,
    number: Annotated[int, Parameter(name=["-n", "--number"])],
    strategy: str,
    out: Path,
    seed: int = 0,
    labelled: Path | None = None,
    score: str = "margin",
    distinct: Annotated[bool, Parameter(negative=())] = False,
    hash_bits: int | None = None,
    radius: float | None = None,
    per_stratum: int | None = None,
    per_subject: int | None = None,
    per_source: int | None = None,
    hours: float | None = None,
) -> None:
    """Choose the references of a pool most worth labelling, best first.

    Args:
        pool: Parquet file with ref_id and the columns that strategy and limits need; docs/sampling.md lists them.
        number: How many to choose; more than the pool has gives all of it.
        strategy: random, stratified, stochastic, density, badge, k_center, k_means, typiclust, facility_location,
            herding, hybrid, auto, or the name of a score: least_confidence, margin, entropy, bald ...
        out: Parquet file to write or replace: ref_id, rank, acquisition_score, inclusion_probability (null for
            greedy picks), reason.
        seed: Seed of every random choice; the same pool and seed give the same file.
        labelled: Parquet file like the pool of what has a label: never chosen, and covered.
        score: The acquisition score that stochastic, density and hybrid mean by uncertainty.
        distinct: No two references of equal digest.
        hash_bits: No two images whose perceptual_hash differs in at most so many bits.
        radius: No two embeddings at most so far apart.
        per_stratum: At most so many of one stratum.
        per_subject: At most so many of one group.
        per_source: At most so many of one source.
        hours: At most so many hours, by the column cost.
    """
    table = read_pool_file(pool)
    try:
        limits = Limits(
            NearDuplicates(exact=distinct, perceptual_bits=hash_bits, radius=radius),
            Quotas(stratum=per_stratum, subject=per_subject, source=per_source),
            hours,
        )
    except ValidationError as error:
        raise InputError("a limit is out of range", remedy=error.errors(include_url=False)[0]["msg"]) from None
    chosen = select(
        table,
        number,
        strategy,
        seed=seed,
        labelled=None if labelled is None else read_pool_file(labelled),
        objectives=Objectives(score=score),
        limits=limits,
    )
    write_parquet(chosen, out)
    Console(soft_wrap=True, highlight=False).print("\n".join(_told(table, chosen, out)), markup=False)


def _told(pool: pa.Table, chosen: pa.Table, out: Path) -> list[str]:
    """What was chosen, why the first, of which strata, and what was left out."""
    lines = [f"{len(chosen)} of {len(pool)} references in {out}"]
    if len(chosen):
        lines.append(f"the first: {chosen['reason'][0]}")
    if "stratum" in pool.column_names:
        strata = dict(zip(pool["ref_id"].to_pylist(), pool["stratum"].to_pylist(), strict=True))
        counts = Counter(strata[ref] for ref in chosen["ref_id"].to_pylist()).most_common(_MOST)
        lines.append("by stratum: " + ", ".join(f"{name or 'none'} {count}" for name, count in counts))
    return lines + [f"{count} rows left out: {rule}" for rule, count in refused_rows(chosen).items()]
