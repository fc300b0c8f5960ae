"""Every strategy by name, and the columns of the pool it cannot do without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from labelloop.sampling.hybrid import pick_hybrid
from labelloop.sampling.k_center import pick_k_center
from labelloop.sampling.pool import Column, Picks, Pool
from labelloop.sampling.random_sample import pick_random
from labelloop.sampling.stratified import pick_stratified
from labelloop.sampling.typicality import pick_typical
from labelloop.sampling.uncertainty import pick_uncertain


class Strategy(NamedTuple):
    """`pick(pool, n, rng)` with 1 <= n <= len(pool), and the columns it `needs`."""

    pick: Callable[[Pool, int, np.random.Generator], Picks]
    needs: frozenset[Column]


_PROBABILITIES: Final[frozenset[Column]] = frozenset({"probabilities"})
_EMBEDDING: Final[frozenset[Column]] = frozenset({"embedding"})

STRATEGIES: Final[Mapping[str, Strategy]] = MappingProxyType(
    {
        "random": Strategy(pick_random, frozenset()),
        "stratified": Strategy(pick_stratified, frozenset({"stratum"})),
        "least_confidence": Strategy(pick_uncertain("least_confidence"), _PROBABILITIES),
        "margin": Strategy(pick_uncertain("margin"), _PROBABILITIES),
        "entropy": Strategy(pick_uncertain("entropy"), _PROBABILITIES),
        "k_center": Strategy(pick_k_center, _EMBEDDING),
        "typiclust": Strategy(pick_typical, _EMBEDDING),
        "hybrid": Strategy(pick_hybrid, _PROBABILITIES | _EMBEDDING),
    }
)
