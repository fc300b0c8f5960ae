"""Uncertainty herding: the references that, once labelled, leave the least doubt uncovered."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelloop.sampling.objectives import worth
from labelloop.sampling.pool import Picks, Pool
from labelloop.sampling.random_sample import filled_at_random

Floats = NDArray[np.floating]

DOUBTED: Final = 1000  # rows whose doubt is to be covered, drawn from a larger pool by their doubt
REACH: Final = 4.0  # how many median squared distances between labelled neighbours a label speaks for
SHORT_LIST: Final = 256  # candidates whose gain is kept exact while picks are made among them
SHARPNESS: Final = 2.0  # power of uncertainty at strength 1: doubt is where classes really compete
BLOCK: Final = 8192
_LEAST: Final = 1e-9  # a rise of less is none


def pick_herding(pool: Pool, n: int, rng: np.random.Generator) -> Picks:
    """Greedy picks by how much of the pool's doubt they cover beyond what is covered already.

    sum_x u(x) max_(l labelled or chosen) exp(-|x - l|^2 / r) is raised as far as it goes, u being uncertainty to
    twice its strength; its rise, the score, times the other objectives decides. One product holds doubt, distance to
    what is labelled, and how common a reference is, so that neither outliers nor near-duplicates win. The reach r is
    four times the median squared distance between labelled neighbours: wide while labels are few, local later. The
    greedy reaches 1 - 1/e of the best possible. In larger pools u is summed over a priority sample of 1,000.
    Source: Bae, Khosla, Sutherland et al., Uncertainty Herding, ICLR 2025.
    """
    doubt = np.power(pool.uncertainty, SHARPNESS * pool.objectives.uncertainty).astype(np.float64)
    if not doubt.any():
        doubt = np.ones(len(pool))
    points = pool.embedding
    some, weights = _drawn(doubt, rng)
    targets = points[some]
    reach = _reach(pool.labelled, points, targets, rng)
    covered = _kernel(targets, pool.labelled, reach).max(axis=1, initial=0.0)
    others = replace(pool, objectives=pool.objectives.model_copy(update={"uncertainty": 0.0}))
    picks = _greedy(points, _Doubt(targets, weights, reach), covered, worth(others), n)
    rows, gains = filled_at_random(*picks, n, len(pool), rng)
    shares = gains / weights.sum()
    doubts = zip(pool.uncertainty[rows], shares, strict=True)
    reasons = [f"{pool.objectives.score} {u:.4f}, covers {share:.2%} more of the pool's doubt" for u, share in doubts]
    return Picks(rows, shares, None, reasons)


def _drawn(doubt: Floats, rng: np.random.Generator) -> tuple[NDArray[np.intp], Floats]:
    """Rows that stand for the pool's doubt, and what each stands for: all rows, or a priority sample of them.

    A sum over the sample is an unbiased sum over the pool. Source: Duffield, Lund and Thorup, J. ACM 54, 2007.
    """
    if len(doubt) <= DOUBTED:
        return np.arange(len(doubt)), doubt
    priority = doubt / (1.0 - rng.random(len(doubt)))
    order = np.argpartition(-priority, DOUBTED)
    rows = np.sort(order[:DOUBTED])
    return rows, np.maximum(doubt[rows], priority[order[DOUBTED]])


def _reach(labelled: Floats, points: Floats, targets: Floats, rng: np.random.Generator) -> float:
    """The squared distance at which a label says exp(-1) of what it says of itself."""
    if len(labelled) > 1:
        asked = labelled[rng.permutation(len(labelled))[:DOUBTED]]
        squared = np.sort(_squared(asked, labelled), axis=1)[:, 1]  # the first is the distance to itself
        if (local := REACH * float(np.median(squared))) > 0:
            return local
    return float(np.median(_squared(points[rng.permutation(len(points))[:DOUBTED]], targets))) or 1.0


class _Doubt(NamedTuple):
    """What is to be covered: doubt `weights` (m,) at `targets` (m, d), within the squared distance `reach`."""

    targets: Floats
    weights: Floats
    reach: float

    def kernel(self, points: Floats) -> Floats:
        """How much of each target each point covers, points x m."""
        return _kernel(points, self.targets, self.reach)

    def gains(self, kernel: Floats, covered: Floats) -> Floats:
        """How much doubt each point covers beyond what is covered."""
        return np.asarray(np.maximum(kernel - covered, 0.0) @ self.weights)


def _greedy(
    points: Floats, doubt: _Doubt, covered: Floats, desire: Floats, n: int
) -> tuple[NDArray[np.intp], Floats]:
    """Up to n picks by the exact greedy, with their gains; fewer when no other covers more.

    Gains only fall, so old ones are upper bounds: a short list of the highest is kept exact, and another is drawn up
    when a bound outside it could win.
    """
    blocks = (points[start : start + BLOCK] for start in range(0, len(points), BLOCK))
    bounds = np.concatenate([doubt.gains(doubt.kernel(block), covered) for block in blocks]) * desire
    rows, reached = list[int](), list[float]()
    while len(rows) < n and bounds.max() > _LEAST:
        order = np.argpartition(-bounds, min(SHORT_LIST, len(bounds)) - 1)
        listed, bar = np.sort(order[:SHORT_LIST]), float(bounds[order[SHORT_LIST:]].max(initial=0.0))
        near = doubt.kernel(points[listed])
        while len(rows) < n:
            exact = np.where(bounds[listed] > 0, doubt.gains(near, covered) * desire[listed], 0.0)
            best = int(exact.argmax())
            bounds[listed] = exact
            if exact[best] < bar or exact[best] <= _LEAST:
                break
            rows.append(int(listed[best]))
            reached.append(float(exact[best]))
            covered = np.maximum(covered, near[best])
            bounds[listed[best]] = 0.0
    return np.array(rows, dtype=np.intp), np.array(reached)


def _kernel(points: Floats, centres: Floats, reach: float) -> Floats:
    return np.asarray(np.exp(-_squared(points, centres) / reach))


def _squared(points: Floats, others: Floats) -> Floats:
    lengths = np.einsum("ij,ij->i", points, points)[:, None] + np.einsum("ij,ij->i", others, others)
    return np.asarray(np.maximum(lengths - 2.0 * (points @ others.T), 0.0))
