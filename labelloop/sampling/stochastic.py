"""Stochastic uncertainty: a random draw in which doubt raises the chance; each pick knows its chance.

Unlike the n highest scores it does not take the same doubt a hundred times, and what it labels can be weighted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from labelloop.sampling.pool import Picks, Pool


def pick_stochastic(pool: Pool, n: int, rng: np.random.Generator) -> Picks:
    """Draw n one after another without replacement, each in proportion to uncertainty^strength of what is left.

    Done at once by Gumbel top-k: the n highest of strength x ln(uncertainty) + Gumbel noise (Vieira, 2014; Kool, van
    Hoof and Welling, ICML 2019; for batches Kirsch et al., TMLR 2023). Rows without any doubt come last, at random.
    Inclusion probabilities as `inclusion` says; score: the uncertainty.
    """
    weights = np.power(pool.uncertainty, pool.objectives.uncertainty)
    with np.errstate(divide="ignore"):
        keys = np.log(weights) + rng.gumbel(size=len(pool))
    rows = np.lexsort((rng.random(len(pool)), -keys))[:n]
    chance, scores = inclusion(weights, n)[rows], pool.uncertainty[rows]
    told = zip(scores, chance, strict=True)
    reasons = [f"drawn by {pool.objectives.score} {score:.4f}, chance {p:.3g}" for score, p in told]
    return Picks(rows, scores, chance, reasons)


def inclusion(weights: NDArray[np.floating], n: int) -> NDArray[np.floating]:
    """Probability of each row to be among n drawn one after another in proportion to weight, in (0, 1].

    1 - exp(-weight x t), t such that they sum to n: each row arrives after an exponential time of its weight, and t
    is when n have arrived. Source: Rosen, J. Stat. Plann. Inference, 1997. Exact for equal weights and for n = N;
    else an approximation, within a hundredth for draws of ten and more (a test draws 4,000 times). Rows of
    weight 0 share what rows with a weight leave over.

    >>> inclusion(np.array([1.0, 1.0, 1.0, 1.0]), 2).round(6).tolist()
    [0.5, 0.5, 0.5, 0.5]
    """
    positive = weights > 0
    several = int(positive.sum())
    if n >= several:
        rest = (n - several) / max(1, len(weights) - several)
        return np.where(positive, 1.0, rest)
    share = weights / weights.sum()
    smallest = share[positive].min()
    t = brentq(lambda s: float(-np.expm1(-share * np.exp(s)).sum()) - n, np.log(n) - 1, np.log(60 / smallest))
    return np.asarray(-np.expm1(-share * np.exp(t)))
