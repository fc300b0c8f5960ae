"""One-coin Dawid-Skene: each annotator is right with one probability, whatever the true class.

For few answers per annotator, where whole confusion matrices cannot be learned (Zhang et al. 2014, section 4).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from labelloop.agreement.ratings import FloatArray, IntArray, Ratings
from labelloop.consensus.em import maximise
from labelloop.consensus.posterior import (
    FLOOR,
    Posterior,
    Settings,
    even_confusion,
    log_odds,
    normalised,
    prior_of,
    skill_by_vote,
    votes_of,
    weighted_votes,
)


class _Parameters(NamedTuple):
    prior: FloatArray  # (classes,)
    right: FloatArray  # (annotators,)


def one_coin(ratings: Ratings, known: IntArray, settings: Settings) -> Posterior:
    """Posterior of each unit; `known` is the class ruled by an expert, -1 without a ruling.

    An annotator who is right less often than by guessing counts against what they say.
    """
    n_classes, votes = len(ratings.values), votes_of(ratings, known)
    by_vote = skill_by_vote(ratings, votes)
    answered = np.bincount(ratings.annotator, minlength=len(ratings.annotators)) + settings.smoothing

    def learn(posterior: FloatArray, _: _Parameters) -> _Parameters:
        right = np.bincount(ratings.annotator, weights=posterior[ratings.unit, ratings.value], minlength=len(by_vote))
        share = (right + settings.smoothing * by_vote) / np.where(answered > 0, answered, 1.0)
        return _Parameters(prior_of(posterior), share)

    def expect(parameters: _Parameters) -> FloatArray:
        votes = weighted_votes(ratings, log_odds(parameters.right, n_classes)[ratings.annotator])
        return normalised(np.log(np.maximum(parameters.prior, FLOOR)) + votes)

    fit = maximise(votes, _Parameters(prior_of(votes), by_vote), known, settings, learn=learn, expect=expect)
    confusion = even_confusion(fit.parameters.right, n_classes)
    return Posterior(fit.probabilities, fit.parameters.prior, confusion, fit.converged, fit.steps)
