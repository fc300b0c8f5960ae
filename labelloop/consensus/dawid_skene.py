"""Dawid and Skene (1979): which class is likely when each annotator errs in a way of their own.

Expectation maximisation in log space on one sparse matrix, units x (annotator, answer): the expectation is its
product with the log confusions, the maximisation its transpose's product with the posterior. Starts from the vote
shares, so nothing is random.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from labelloop.agreement.ratings import FloatArray, IntArray, Ratings
from labelloop.consensus.posterior import Posterior, Settings, rule, votes_of

FLOOR = 1e-10  # of a probability before its logarithm is taken


def dawid_skene(ratings: Ratings, known: IntArray, settings: Settings) -> Posterior:
    """Posterior of each unit; `known` is the class ruled by an expert, -1 without a ruling.

    Rulings are taken as certain and so teach the confusion matrices. A unit without ratings keeps the prior. Where
    two explanations fit equally well, the one nearer to the majority is found, since the fit starts there.
    """
    answers = _answers(ratings)
    shape = (len(ratings.annotators), len(ratings.values))
    posterior = votes_of(ratings, known)
    imagined = settings.smoothing * _even_skill(_counts(posterior, answers, shape))
    prior, confusion = _learn(posterior, answers, imagined)
    converged, steps = not len(ratings.unit), 0
    while not converged and steps < settings.max_iter:
        previous, posterior = posterior, rule(_expect(prior, confusion, answers), known)
        prior, confusion = _learn(posterior, answers, imagined)
        converged = bool(np.abs(posterior - previous).sum() < settings.tol * len(posterior))
        steps += 1
    return Posterior(posterior, prior, confusion, converged, steps)


def _answers(ratings: Ratings) -> Any:
    n_annotators, n_classes = len(ratings.annotators), len(ratings.values)
    column = ratings.annotator * n_classes + ratings.value
    shape = (len(ratings.units), n_annotators * n_classes)
    return sparse.csr_array((np.ones(len(column)), (ratings.unit, column)), shape=shape)


def _learn(posterior: FloatArray, answers: Any, imagined: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Class prior, and confusion (annotators, true class, answer); uniform where nothing was seen or imagined."""
    n_annotators, n_classes, _ = imagined.shape
    counts = _counts(posterior, answers, (n_annotators, n_classes)) + imagined
    totals = counts.sum(axis=2, keepdims=True)
    confusion = np.where(totals > 0, counts / np.where(totals > 0, totals, 1.0), 1.0 / max(n_classes, 1))
    total = max(posterior.sum(), FLOOR)
    return posterior.sum(axis=0) / total, confusion


def _counts(posterior: FloatArray, answers: Any, shape: tuple[int, int]) -> FloatArray:
    n_annotators, n_classes = shape
    answered: FloatArray = (answers.T @ posterior).reshape(n_annotators, n_classes, n_classes)
    return answered.transpose(0, 2, 1)


def _even_skill(counts: FloatArray) -> FloatArray:
    """Confusion of annotators who are right equally often in every class: as often as they agree with the vote.

    Imagining even answers instead would call everybody careless in each class they seldom met; where few units are
    answered twice, one class would then swallow the others.
    """
    n_classes = counts.shape[1]
    agreed, answered = np.trace(counts, axis1=1, axis2=2), counts.sum(axis=(1, 2))
    right = ((agreed + 1.0) / (answered + 2.0))[:, None, None]
    return np.asarray(np.where(np.eye(n_classes, dtype=bool), right, (1.0 - right) / max(n_classes - 1, 1)))


def _expect(prior: FloatArray, confusion: FloatArray, answers: Any) -> FloatArray:
    """Posterior of each unit, normalised in log space so that no product of small numbers vanishes."""
    per_answer = np.log(np.maximum(confusion, FLOOR)).transpose(0, 2, 1).reshape(-1, len(prior))
    log_joint = np.log(np.maximum(prior, FLOOR)) + answers @ per_answer
    log_joint -= log_joint.max(axis=1, keepdims=True)
    joint = np.exp(log_joint)
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))
