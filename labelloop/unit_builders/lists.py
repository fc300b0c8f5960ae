"""Lists to rank: alike in score, and overlapping by design so that their rankings connect."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def ranking_lists(
    scores: NDArray[np.floating], *, size: int, shared: int, rng: np.random.Generator
) -> list[NDArray[np.intp]]:
    """Lists of `size` items next to each other in score, each sharing `shared` items with the one before.

    Homogeneous: what is easy to tell apart teaches nothing. Overlapping: Plackett-Luce worths of different lists have
    a common scale only if a chain of shared items links them (Hunter, 2004). The last list is filled up from the one
    before, so that all are equally long; fewer than `size` items give one list of all. Equal scores and the order
    within a list are random.

    Args:
        scores: (n,), n >= 2; NaN comes last.
        size: of a list, at least 2.
        shared: 1 to size - 1.
        rng: of ties and orders.

    >>> lists = ranking_lists(np.arange(5.0), size=3, shared=1, rng=np.random.default_rng(0))
    >>> [sorted(items.tolist()) for items in lists]
    [[0, 1, 2], [2, 3, 4]]
    """
    order = np.lexsort((rng.random(len(scores)), scores))
    last = max(0, len(order) - size)
    starts = [*range(0, last, size - shared), last]
    return [rng.permutation(order[start : start + size]) for start in starts]


def anchors(scores: NDArray[np.floating], n: int) -> NDArray[np.intp]:
    """Up to n of these items, evenly spread over their scores: what links new lists to old ones.

    >>> anchors(np.array([0.1, 0.9, 0.5]), 1).tolist()
    [2]
    """
    order = np.argsort(scores, kind="stable")
    count = min(n, len(order))
    places = ((np.arange(count) + 0.5) * len(order) / max(1, count)).astype(np.intp)
    return order[places]
