"""Dawid and Skene (1979): which class is likely when each annotator errs in a way of their own.

Expectation maximisation in log space on one sparse matrix, units x (annotator, answer): the expectation is its
product with the log confusions, the maximisation its transpose's product with the posterior.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from labelloop.agreement.ratings import FloatArray, IntArray, Ratings
from labelloop.consensus.em import maximise
from labelloop.consensus.posterior import (
    FLOOR,
    Posterior,
    Settings,
    even_confusion,
    normalised,
    prior_of,
    skill_by_vote,
    votes_of,
)


class _Parameters(NamedTuple):
    prior: FloatArray  # (classes,)
    confusion: FloatArray  # (annotators, true class, answer)


def dawid_skene(ratings: Ratings, known: IntArray, settings: Settings) -> Posterior:
    """Posterior of each unit; `known` is the class ruled by an expert, -1 without a ruling.

    Rulings are taken as certain and so teach the confusion matrices. A unit without ratings keeps the prior. Where
    two explanations fit equally well, the one nearer to the majority is found, since the fit starts there.

    Imagining even answers instead of even skill would call everybody careless in each class they seldom met; where
    few units are answered twice, one class would then swallow the others.
    """
    answers, votes = _answers(ratings), votes_of(ratings, known)
    imagined = settings.smoothing * even_confusion(skill_by_vote(ratings, votes), len(ratings.values))
    fit = maximise(
        votes,
        _Parameters(prior_of(votes), imagined),
        known,
        settings,
        learn=lambda posterior, _: _learn(posterior, answers, imagined),
        expect=lambda parameters: _expect(parameters, answers),
    )
    return Posterior(fit.probabilities, fit.parameters.prior, fit.parameters.confusion, fit.converged, fit.steps)


def _answers(ratings: Ratings) -> Any:
    n_annotators, n_classes = len(ratings.annotators), len(ratings.values)
    column = ratings.annotator * n_classes + ratings.value
    shape = (len(ratings.units), n_annotators * n_classes)
    return sparse.csr_array((np.ones(len(column)), (ratings.unit, column)), shape=shape)


def _learn(posterior: FloatArray, answers: Any, imagined: FloatArray) -> _Parameters:
    """Class prior, and confusion; uniform where nothing was seen or imagined."""
    n_annotators, n_classes, _ = imagined.shape
    answered: FloatArray = (answers.T @ posterior).reshape(n_annotators, n_classes, n_classes)
    counts = answered.transpose(0, 2, 1) + imagined
    totals = counts.sum(axis=2, keepdims=True)
    confusion = np.where(totals > 0, counts / np.where(totals > 0, totals, 1.0), 1.0 / n_classes)
    return _Parameters(prior_of(posterior), confusion)


def _expect(parameters: _Parameters, answers: Any) -> FloatArray:
    """Posterior of each unit."""
    n_classes = len(parameters.prior)
    per_answer = np.log(np.maximum(parameters.confusion, FLOOR)).transpose(0, 2, 1).reshape(-1, n_classes)
    return normalised(np.log(np.maximum(parameters.prior, FLOOR)) + answers @ per_answer)
