"""Stratified random sample: every stratum is heard before any is heard in proportion."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from labelloop.sampling.pool import Picks, Pool

NAMED: Final = 10  # omitted strata named in a reason; more would drown it


def pick_stratified(pool: Pool, n: int, rng: np.random.Generator) -> Picks:
    """Random sample within strata, in random order; inclusion probability n_h / N_h.

    With fewer picks than strata the strata themselves are drawn at random, one reference from each
    (probability n/H * 1/N_h), and the reasons name those left out.
    """
    names, stratum, sizes = np.unique(pool.stratum, return_inverse=True, return_counts=True)
    shuffled = rng.permutation(len(pool))
    shuffled = shuffled[np.argsort(stratum[shuffled], kind="stable")]
    place = np.arange(len(pool)) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # within its stratum
    if n < len(names):
        quota, left_out = _some_strata(names, n, rng)
        chance = n / len(names) / sizes
    else:
        quota, left_out = allocate(sizes, n), ""
        chance = quota / sizes
    rows = rng.permutation(shuffled[place < quota[stratum[shuffled]]])
    drawn = [f"{q} of {size} of stratum '{name}'" for q, size, name in zip(quota, sizes, names, strict=True)]
    reasons = [f"random draw of {drawn[h]}{left_out}" for h in stratum[rows]]
    return Picks(rows, None, chance[stratum[rows]], reasons)


def allocate(sizes: NDArray[np.int_], n: int) -> NDArray[np.int_]:
    """How many of n picks each stratum gets, none more than it has: one each, the rest in proportion.

    The rest is shared by largest remainder over what the strata still hold; of equal remainders the
    first stratum wins, so that inclusion probabilities do not depend on chance. H <= n <= sum(sizes).

    >>> allocate(np.array([90, 9, 1]), 10).tolist()
    [7, 2, 1]
    """
    held = sizes - 1
    rest = n - len(sizes)
    whole, remainder = np.divmod(held * rest, max(int(held.sum()), 1))
    short = rest - int(whole.sum())
    whole[np.argsort(-remainder, kind="stable")[:short]] += 1
    return whole + 1


def _some_strata(names: NDArray[np.object_], n: int, rng: np.random.Generator) -> tuple[NDArray[np.int_], str]:
    """One pick for each of n strata drawn at random, and a note of those omitted."""
    order = rng.permutation(len(names))
    quota = np.zeros(len(names), dtype=int)
    quota[order[:n]] = 1
    omitted = [str(name) for name in names[np.sort(order[n:])]]
    more = f" and {len(omitted) - NAMED} more" if len(omitted) > NAMED else ""
    return quota, f"; {len(names)} strata for {n} picks, omitted: {', '.join(omitted[:NAMED])}{more}"
