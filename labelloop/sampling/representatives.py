"""k-means representatives: the middle of each part of the pool."""

from __future__ import annotations

import numpy as np

from labelloop.sampling.clusters import kmeans, means, turns
from labelloop.sampling.pool import Picks, Pool


def pick_representatives(pool: Pool, n: int, rng: np.random.Generator) -> Picks:
    """The reference nearest to the mean of each of n clusters, those with the fewest labels first, then the largest.

    k-means with n clusters over pool and labelled; where points coincide and clusters stay empty, the next nearest of
    the others. Score: share of the pool in the cluster minus the number labelled or chosen there before.
    Source: cluster representatives, Xu, Yu, Tresp, Xu and Wang, ECIR 2003.
    """
    points = np.concatenate([pool.embedding, pool.labelled])
    cluster = kmeans(points, n, rng)
    own, mine = cluster[: len(pool)], points[: len(pool)]
    middle = means(mine, own, np.zeros((n, points.shape[1]), dtype=np.float32))
    distance = np.linalg.norm(mine - middle[own], axis=1)
    place = turns(own, -distance, np.bincount(cluster[len(pool) :], minlength=n))
    rows, scores = place.first(n)
    told = zip(place.size[rows], distance[rows], strict=True)
    reasons = [f"{away:.4g} from the middle of a cluster of {size}" for size, away in told]
    return Picks(rows, scores, None, reasons)
