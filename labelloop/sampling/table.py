"""Every strategy by name, and what of the pool it cannot do without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from labelloop.acquisition.table import SCORINGS, known_score
from labelloop.sampling.density import pick_dense
from labelloop.sampling.facility_location import pick_facilities
from labelloop.sampling.gradients import pick_badge
from labelloop.sampling.herding import pick_herding
from labelloop.sampling.hybrid import pick_hybrid
from labelloop.sampling.k_center import pick_k_center
from labelloop.sampling.objectives import COLUMNS
from labelloop.sampling.pool import Picks, Pool
from labelloop.sampling.random_sample import pick_random
from labelloop.sampling.reading import Needs
from labelloop.sampling.representatives import pick_representatives
from labelloop.sampling.stochastic import pick_stochastic
from labelloop.sampling.stratified import pick_stratified
from labelloop.sampling.typicality import pick_typical
from labelloop.sampling.uncertainty import pick_uncertain
from labelloop.spec.sampling import Objectives

ANY: Final = "any"  # the score that the objectives name


@dataclass(frozen=True)
class Strategy:
    """`pick(pool, n, rng)` with 1 <= n <= len(pool); the `arrays` and the `score` it reads.

    One that `weighs` reads what each objective of a strength needs.
    """

    pick: Callable[[Pool, int, np.random.Generator], Picks]
    arrays: frozenset[str] = frozenset()
    score: str | None = None
    weighs: bool = False

    @property
    def needs(self) -> frozenset[str]:
        """The columns of the pool it needs with the usual objectives."""
        return self.wanted(Objectives()).columns

    def wanted(self, objectives: Objectives) -> Needs:
        """What it needs with these objectives.

        Raises:
            InputError: they name a score that does not exist.
        """
        named = known_score(objectives.score)
        if not self.weighs:
            return Needs(self.arrays, named if self.score == ANY else self.score)
        arrays = {column for aim, column in COLUMNS.items() if getattr(objectives, aim)}
        return Needs(self.arrays | arrays, named if objectives.uncertainty else None)


_EMBEDDING: Final = frozenset({"embedding"})

STRATEGIES: Final[Mapping[str, Strategy]] = MappingProxyType(
    {
        "random": Strategy(pick_random),
        "stratified": Strategy(pick_stratified, frozenset({"stratum"})),
        **{name: Strategy(pick_uncertain(name), score=name) for name in SCORINGS},
        "stochastic": Strategy(pick_stochastic, score=ANY),
        "density": Strategy(pick_dense, _EMBEDDING, score=ANY),
        "badge": Strategy(pick_badge, _EMBEDDING | {"probabilities"}),
        "k_center": Strategy(pick_k_center, _EMBEDDING),
        "k_means": Strategy(pick_representatives, _EMBEDDING),
        "typiclust": Strategy(pick_typical, _EMBEDDING),
        "facility_location": Strategy(pick_facilities, _EMBEDDING),
        "herding": Strategy(pick_herding, _EMBEDDING, weighs=True),
        "hybrid": Strategy(pick_hybrid, weighs=True),
    }
)
