"""BADGE: k-means++ on gradient embeddings, at once unsure and unlike each other."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from labelloop.sampling.pool import Picks, Pool

TINY: Final = float(np.finfo(np.float32).tiny)


def pick_badge(pool: Pool, n: int, rng: np.random.Generator) -> Picks:
    """Draw n as k-means++ draws its centres: each in proportion to its squared distance to the nearest drawn before.

    Distances are between gradients of the last layer for the model's own best guess, (p - one_hot(argmax p)) outer
    (x, 1), with embeddings scaled to a mean square length of one. They factor, so that no gradient is written down:
    memory is that of the pool. The first is the one of the longest gradient. Score: that squared distance when drawn.
    Source: Ash, Zhang, Krishnamurthy, Langford and Agarwal, ICLR 2020.
    """
    gradients = Gradients(pool.probabilities, pool.embedding)
    rows, scores = np.empty(n, dtype=np.intp), np.empty(n)
    rows[0], scores[0] = gradients.lengths.argmax(), gradients.lengths.max()
    nearest = np.full(len(pool), np.inf)
    for turn in range(1, n):
        np.minimum(nearest, gradients.distances(rows[turn - 1]), out=nearest)
        nearest[rows[:turn]] = 0.0  # rounding must not bring one back
        rows[turn] = _draw(nearest, rows[:turn], rng)
        scores[turn] = nearest[rows[turn]]
    reasons = [f"gradient {score:.4g} from the nearest drawn before" for score in scores]
    reasons[0] = f"longest gradient, {scores[0]:.4g}"
    return Picks(rows, scores, None, reasons)


class Gradients:
    """Gradients of the last layer of n rows, by their factors; `lengths` (n,) are squared."""

    def __init__(self, probabilities: NDArray[np.floating], points: NDArray[np.float32]) -> None:
        """Take probabilities (n, k) and embeddings (n, d)."""
        self._errors = probabilities.astype(np.float32)
        self._errors[np.arange(len(points)), probabilities.argmax(axis=1)] -= 1.0
        squares = np.einsum("ij,ij->i", points, points)
        self._points, self._scale = points, 1.0 / max(float(squares.mean()), TINY)
        self.lengths = np.einsum("ij,ij->i", self._errors, self._errors) * (squares * self._scale + 1.0)

    def distances(self, row: int) -> NDArray[np.floating]:
        """Squared distance of every gradient to that of one row: <a outer x, b outer y> = <a, b><x, y>."""
        along = (self._errors @ self._errors[row]) * ((self._points @ self._points[row]) * self._scale + 1.0)
        return np.asarray(np.maximum(self.lengths + self.lengths[row] - 2.0 * along, 0.0))


def _draw(weights: NDArray[np.floating], drawn: NDArray[np.intp], rng: np.random.Generator) -> int:
    """A row in proportion to its weight; when only weights of zero are left, any that was not drawn."""
    total = np.cumsum(weights, dtype=np.float64)
    if total[-1] > 0:
        return min(int(np.searchsorted(total, rng.random() * total[-1], side="right")), len(weights) - 1)
    return int(rng.choice(np.setdiff1d(np.arange(len(weights)), drawn)))
