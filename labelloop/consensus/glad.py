"""GLAD (Whitehill et al. 2009): annotators differ in ability, units in how easy they are.

P(right) = 1 / (1 + exp(-ability * easiness)); an able annotator's answer to a hard unit weighs little all the same.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from labelloop.agreement.ratings import FloatArray, IntArray, Ratings
from labelloop.consensus.em import maximise
from labelloop.consensus.posterior import Posterior, Settings, normalised, votes_of, weighted_votes

CLIMB: Final = 10  # quasi-Newton steps of one maximisation, which goes on where the last one ended
MEAN: Final = 1.0  # of the normal priors of ability and log easiness, each with variance 1


class _Parameters(NamedTuple):
    ability: FloatArray  # (annotators,)
    log_easiness: FloatArray  # (units,)


def glad(ratings: Ratings, known: IntArray, settings: Settings) -> Posterior:
    """Posterior of each unit, every class equally likely beforehand; `known` is the class ruled, -1 without a ruling.

    Ability below 0 is an annotator who is wrong more often than right. The smoothing is the priors'.
    """
    n_classes = len(ratings.values)

    def expect(parameters: _Parameters) -> FloatArray:
        weights = _logits(ratings, parameters) + np.log(max(n_classes - 1, 1))
        return normalised(weighted_votes(ratings, weights))

    start = _Parameters(np.full(len(ratings.annotators), MEAN), np.full(len(ratings.units), MEAN))
    fit = maximise(
        votes_of(ratings, known),
        start,
        known,
        settings,
        learn=lambda posterior, before: _learn(ratings, posterior, before),
        expect=expect,
    )
    return Posterior(
        fit.probabilities,
        np.full(n_classes, 1.0 / max(n_classes, 1)),
        converged=fit.converged,
        steps=fit.steps,
        ability=fit.parameters.ability,
        easiness=np.exp(fit.parameters.log_easiness),
    )


def _logits(ratings: Ratings, parameters: _Parameters) -> FloatArray:
    """Log odds that each answer is right."""
    return np.asarray(parameters.ability[ratings.annotator] * np.exp(parameters.log_easiness)[ratings.unit])


def _learn(ratings: Ratings, posterior: FloatArray, before: _Parameters) -> _Parameters:
    """Ability and easiness nearer to the maximum of the expected log posterior."""
    right, n_annotators = posterior[ratings.unit, ratings.value], len(before.ability)

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        now = _Parameters(flat[:n_annotators], flat[n_annotators:])
        logits, easiness = _logits(ratings, now), np.exp(now.log_easiness)[ratings.unit]
        surprise = expit(logits) - right
        slopes = (
            np.bincount(ratings.annotator, weights=surprise * easiness, minlength=n_annotators),
            np.bincount(ratings.unit, weights=surprise * logits, minlength=len(now.log_easiness)),
        )
        value = (np.logaddexp(0.0, -logits) + (1.0 - right) * logits).sum() + ((flat - MEAN) ** 2).sum() / 2.0
        return float(value), np.concatenate(slopes) + flat - MEAN

    found = minimize(loss, np.concatenate(before), jac=True, method="L-BFGS-B", options={"maxiter": CLIMB}).x
    return _Parameters(found[:n_annotators], found[n_annotators:])
