"""Agreement as it was observed, not corrected for chance: the share of agreeing pairs of ratings.

Also the observed part of Fleiss' kappa and Gwet's coefficients, which differ only in what they expect by chance.
"""

from __future__ import annotations

import numpy as np

from labelloop.agreement.patterns import Disagreement, Patterns, PerReplicate
from labelloop.agreement.ratings import FloatArray
from labelloop.agreement.similarity import Scale


def percent_agreement(patterns: Patterns, scale: Scale) -> Disagreement:
    """Mean over units with two ratings or more of the share of pairs that agree exactly; between 0 and 1.

    Fleiss (1971), with Gwet's (2014) weighting of units when numbers of ratings differ: each unit counts once.
    The level is ignored: a near miss is a miss.
    """
    del scale
    observed = observed_disagreement(patterns)
    return lambda weights: (observed(weights), np.ones(len(weights)))


def agreement_per_pattern(patterns: Patterns, weights: FloatArray | None = None) -> FloatArray:
    """Share of agreeing pairs in a unit of each pattern, near misses counted by `weights`; 0 for single ratings."""
    alike = patterns.counts if weights is None else patterns.counts @ weights
    agreeing = np.asarray((patterns.counts * alike).sum(axis=1)).ravel() - patterns.size
    return np.asarray(agreeing / np.maximum(patterns.size * (patterns.size - 1), 1.0))


def observed_disagreement(patterns: Patterns, weights: FloatArray | None = None) -> PerReplicate:
    """The observed disagreement of each replicate: 1 minus the mean agreement of the units with several ratings."""
    agreement = agreement_per_pattern(patterns, weights)
    pairable = patterns.pairable.astype(np.float64)
    return lambda replicates: 1.0 - (replicates @ agreement) / (replicates @ pairable)
