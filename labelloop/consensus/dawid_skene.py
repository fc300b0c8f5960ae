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
from labelloop.consensus.posterior import FLOOR, Posterior, Settings, normalised, prior_of, votes_of


class _Parameters(NamedTuple):
    prior: FloatArray  # (classes,)
    confusion: FloatArray  # (annotators, true class, answer)


class _Counts(NamedTuple):
    units: FloatArray  # (classes,)
    answers: FloatArray  # (annotators, true class, answer)


def dawid_skene(ratings: Ratings, known: IntArray, settings: Settings) -> Posterior:
    """Posterior of each unit; `known` is the class ruled by an expert, -1 without a ruling.

    Rulings are taken as certain and so teach the confusion matrices. A unit without ratings keeps the prior. Where
    two explanations fit equally well, the one nearer to the majority is found, since the fit starts there.
    """
    answers, votes = _answers(ratings), votes_of(ratings, known)
    imagined = _imagined(_counted(votes, answers), settings.smoothing)
    fit = maximise(
        votes,
        _Parameters(prior_of(votes), imagined.answers),
        known,
        settings,
        learn=lambda posterior, _: _learn(_counted(posterior, answers), imagined),
        expect=lambda parameters: _expect(parameters, answers),
    )
    return Posterior(fit.probabilities, fit.parameters.prior, fit.parameters.confusion, fit.converged, fit.steps)


def _answers(ratings: Ratings) -> Any:
    n_annotators, n_classes = len(ratings.annotators), len(ratings.values)
    column = ratings.annotator * n_classes + ratings.value
    shape = (len(ratings.units), n_annotators * n_classes)
    return sparse.csr_array((np.ones(len(column)), (ratings.unit, column)), shape=shape)


def _imagined(by_vote: _Counts, smoothing: float) -> _Counts:
    """Answers to each true class as of one who knows it as often as kappa says and else guesses by habit.

    Kappa is with the vote (Cohen 1960), habit the shares of one's own answers, both by Laplace's rule; that people
    know or guess is the model of MACE (Hovy et al. 2013). Whoever always presses one button agrees by chance alone
    and starts as no evidence; whoever seldom met a class is not taken for careless in it. Imagined as right equally
    often in every class, a half that presses one button would take over what the others say. One unit of each class
    is imagined too.
    """
    n_classes = len(by_vote.units)
    true, said = by_vote.answers.sum(axis=2), by_vote.answers.sum(axis=1)
    n = said.sum(axis=1)
    by_chance = (true * said).sum(axis=1) / np.maximum(n, 1.0)
    agreed = np.trace(by_vote.answers, axis1=1, axis2=2)
    knows = np.maximum(agreed - by_chance + 1.0, 0.0) / (n - by_chance + 2.0)
    habit = (said + 1.0) / (n + n_classes)[:, None]
    answers = knows[:, None, None] * np.eye(n_classes) + ((1.0 - knows)[:, None] * habit)[:, None, :]
    return _Counts(np.full(n_classes, min(smoothing, 1.0)), smoothing * answers)


def _counted(posterior: FloatArray, answers: Any) -> _Counts:
    """How many units of each class are expected, and which answers to them."""
    n_classes = posterior.shape[1]
    n_annotators = answers.shape[1] // max(n_classes, 1)
    by_answer: FloatArray = (answers.T @ posterior).reshape(n_annotators, n_classes, n_classes)
    return _Counts(posterior.sum(axis=0), by_answer.transpose(0, 2, 1))


def _learn(seen: _Counts, imagined: _Counts) -> _Parameters:
    """Class prior, and confusion; uniform where nothing was seen or imagined."""
    units, answers = seen.units + imagined.units, seen.answers + imagined.answers
    totals = answers.sum(axis=2, keepdims=True)
    confusion = np.where(totals > 0, answers / np.where(totals > 0, totals, 1.0), 1.0 / len(units))
    return _Parameters(units / units.sum(), confusion)


def _expect(parameters: _Parameters, answers: Any) -> FloatArray:
    """Posterior of each unit."""
    n_classes = len(parameters.prior)
    per_answer = np.log(np.maximum(parameters.confusion, FLOOR)).transpose(0, 2, 1).reshape(-1, n_classes)
    return normalised(np.log(np.maximum(parameters.prior, FLOOR)) + answers @ per_answer)
