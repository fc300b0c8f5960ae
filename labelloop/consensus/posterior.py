"""What a consensus method believes: a probability per unit and class, and how each annotator answers.

The common result of every method, before anything is decided from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labelloop.agreement.ratings import FloatArray, IntArray, Ratings
from labelloop.errors import InputError


@dataclass(frozen=True)
class Settings:
    """Settings of the iterative methods.

    `smoothing` is the number of imagined answers that each annotator gives to each true class, spread as if they
    were right equally often in every class, as often as they agree with the vote: it keeps annotators with few
    answers from certainty; 0 is maximum likelihood. A fit stops after `max_iter` steps, or when the probabilities
    of a unit move by less than `tol` on average.
    """

    smoothing: float = 10.0
    max_iter: int = 100
    tol: float = 1e-6

    def __post_init__(self) -> None:
        for name, least in (("smoothing", 0.0), ("max_iter", 1), ("tol", 0.0)):
            if getattr(self, name) < least:
                raise InputError(f"{name} is {getattr(self, name)}", remedy=f"give a number from {least}")


@dataclass(frozen=True)
class Posterior:
    """Probabilities (units, classes), class prior, and what was learned of the annotators.

    `confusion` is (annotators, true class, answer), rows sum to 1, None when the method has no annotator model.
    `converged` tells whether the last step moved less than the tolerance, `steps` how many were taken.
    """

    probabilities: FloatArray
    prior: FloatArray
    confusion: FloatArray | None = None
    converged: bool = True
    steps: int = 0


def votes_of(ratings: Ratings, known: IntArray) -> FloatArray:
    """Share of each class in the votes of a unit, (units, classes); a ruled unit belongs to its ruling alone.

    `known` is the class an expert ruled for each unit, -1 without a ruling.
    """
    shape = (len(ratings.units), len(ratings.values))
    cell = ratings.unit * shape[1] + ratings.value
    votes = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
    votes /= np.maximum(votes.sum(axis=1, keepdims=True), 1.0)
    return rule(votes, known)


def rule(probabilities: FloatArray, known: IntArray) -> FloatArray:
    """The probabilities with all weight on the ruled class where there is one, in place."""
    ruled = np.flatnonzero(known >= 0)
    probabilities[ruled] = 0.0
    probabilities[ruled, known[ruled]] = 1.0
    return probabilities
