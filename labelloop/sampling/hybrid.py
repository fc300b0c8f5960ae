"""Hybrid: uncertain for the model, unlike what is labelled, and whatever else the spec weighs, as one product."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelloop.sampling.coverage import Balance, farthest_first
from labelloop.sampling.objectives import worth
from labelloop.sampling.pool import Picks, Pool


def pick_hybrid(pool: Pool, n: int, rng: np.random.Generator) -> Picks:
    """Greedy picks by worth x distance^d to the nearest labelled or chosen reference.

    Worth is the product of the other objectives (`objectives.worth`), its balance kept up to date with every pick; d
    is the strength of diversity. With nothing labelled the first pick is the worthiest, of equal ones a random one.
    By default worth is the margin score and d is 1: farthest-first traversal (Gonzalez, 1985) with weights.
    """
    values, strength = worth(pool), pool.objectives.diversity
    if not strength:
        rows, gains = _worthiest(values, _balance(pool, 1.0), n, rng)
        return _picks(pool, rows, gains, "worth")
    # w d^s and w^(1/s) d rank alike, and the traversal knows d alone
    rows, heights = farthest_first(
        pool.vectors,
        n,
        first=int(rng.choice(np.flatnonzero(values == values.max()))),
        covered=pool.labelled,
        weights=np.power(values, 1.0 / strength),
        centre=pool.centre,
        balance=_balance(pool, 1.0 / strength),
    )
    return _picks(pool, rows, np.power(heights, strength), "uncertainty x distance")


def _balance(pool: Pool, scale: float) -> Balance:
    if not pool.objectives.balance:
        return Balance(np.zeros(len(pool), dtype=np.intp), np.zeros(1, dtype=np.intp), 0.0)
    names, group = np.unique(np.concatenate([pool.stratum, pool.labelled_stratum]), return_inverse=True)
    labelled = np.bincount(group[len(pool) :], minlength=len(names))
    return Balance(group[: len(pool)], labelled, pool.objectives.balance * scale)


def _worthiest(
    values: NDArray[np.floating], balance: Balance, n: int, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.floating]]:
    """Greedy picks where a pick changes nothing but the balance of its group: best first within each, then merged."""
    chance, group = rng.random(len(values)), balance.group
    order = np.lexsort((chance, -values, group))
    sizes = np.bincount(group)
    place = np.empty_like(order)
    place[order] = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    gains = values * np.sqrt(balance.squared(slice(None), later=place))
    rows = np.lexsort((chance, -gains))[:n]
    return rows, gains[rows]


def _picks(pool: Pool, rows: NDArray[np.intp], gains: NDArray[np.floating], what: str) -> Picks:
    doubts = zip(pool.uncertainty[rows], gains, strict=True)
    return Picks(rows, gains, None, [f"{pool.objectives.score} {u:.4f}, {what} {gain:.4g}" for u, gain in doubts])
