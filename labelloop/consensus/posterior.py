"""What a consensus method believes: a probability per unit and class, and how each annotator answers.

The common result of every method on classes, before anything is decided from it, and the arithmetic they share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from labelloop.agreement.ratings import FloatArray, IntArray, Ratings
from labelloop.errors import InputError

FLOOR: Final = 1e-10  # of a probability before its logarithm is taken
TIE: Final = 1e-9  # probabilities closer than this are the same


@dataclass(frozen=True)
class Settings:
    """Settings of the iterative methods.

    `smoothing` is the number of imagined answers that each annotator gives, right as often as they agree with the
    vote (Dawid-Skene: to each true class, as of one who knows or guesses by habit): it keeps annotators with few
    answers from certainty; 0 is maximum likelihood. A fit stops after `max_iter` steps, or when the probabilities of
    a unit move by less than `tol` on average.
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
    """Probabilities (units, classes), class prior, and what was learned of annotators and units.

    `confusion` is (annotators, true class, answer), rows sum to 1, None when the method has no such model.
    `ability` of each annotator and `easiness` of each unit are GLAD's. `converged` tells whether the last step moved
    less than the tolerance, `steps` how many were taken. `middle` (units, classes) marks what is chosen where that is
    not the most probable class, `support` (units, classes) decides between classes that tie where that is asked for.
    """

    probabilities: FloatArray
    prior: FloatArray
    confusion: FloatArray | None = None
    converged: bool = True
    steps: int = 0
    ability: FloatArray | None = None
    easiness: FloatArray | None = None
    middle: NDArray[np.bool_] | None = None
    support: FloatArray | None = None

    @property
    def best(self) -> NDArray[np.bool_]:
        """Which class is chosen for each unit; several where they tie, none without a vote."""
        if self.middle is not None:
            return self.middle
        most = self.probabilities.max(axis=1, initial=0.0, keepdims=True)
        return np.asarray((self.probabilities >= most - TIE) & (most > 0.0))

    @property
    def chosen(self) -> IntArray:
        """One class of each unit: where several tie that with the most `support`, else the first of them."""
        support = self.support if self.support is not None else np.zeros_like(self.probabilities)
        return np.asarray(np.argmax(np.where(self.best, support, -np.inf), axis=1))


def votes_of(ratings: Ratings, known: IntArray) -> FloatArray:
    """Share of each class in the votes of a unit, (units, classes); a ruled unit belongs to its ruling alone.

    `known` is the class an expert ruled for each unit, -1 without a ruling.
    """
    votes = weighted_votes(ratings)
    votes /= np.maximum(votes.sum(axis=1, keepdims=True), 1.0)
    return rule(votes, known)


def weighted_votes(ratings: Ratings, weights: FloatArray | None = None) -> FloatArray:
    """Sum of the weights, one per rating, of the votes for each class of a unit; without weights their number."""
    n_units, n_classes = len(ratings.units), len(ratings.values)
    cell = ratings.unit * n_classes + ratings.value
    votes = np.bincount(cell, weights=weights, minlength=n_units * n_classes)
    return votes.reshape(n_units, n_classes).astype(np.float64, copy=False)


def rule(probabilities: FloatArray, known: IntArray) -> FloatArray:
    """The probabilities with all weight on the ruled class where there is one, in place."""
    ruled = np.flatnonzero(known >= 0)
    probabilities[ruled] = 0.0
    probabilities[ruled, known[ruled]] = 1.0
    return probabilities


def normalised(log_joint: FloatArray) -> FloatArray:
    """Rows of probabilities from logarithms up to a constant, in place; no product of small numbers vanishes."""
    log_joint -= log_joint.max(axis=1, keepdims=True, initial=-np.inf)
    np.exp(log_joint, out=log_joint)
    log_joint /= log_joint.sum(axis=1, keepdims=True)
    return log_joint


def prior_of(probabilities: FloatArray) -> FloatArray:
    """Share of each class over all units; 0 where there are none."""
    return np.asarray(probabilities.sum(axis=0) / max(len(probabilities), 1))


def skill_by_vote(ratings: Ratings, votes: FloatArray) -> FloatArray:
    """How often each annotator agrees with the vote, as if two more answers had been right and wrong once each."""
    n_annotators = len(ratings.annotators)
    agreed = np.bincount(ratings.annotator, weights=votes[ratings.unit, ratings.value], minlength=n_annotators)
    return np.asarray((agreed + 1.0) / (np.bincount(ratings.annotator, minlength=n_annotators) + 2.0))


def even_confusion(right: FloatArray, n_classes: int) -> FloatArray:
    """Confusion of annotators who are right equally often in every class, and err to every other class alike."""
    wrong = (1.0 - right) / max(n_classes - 1, 1)
    return np.where(np.eye(n_classes, dtype=bool), right[:, None, None], wrong[:, None, None])


def log_odds(right: FloatArray, n_classes: int) -> FloatArray:
    """Weight of the vote of an annotator who is right so often: log of right over one of the wrong answers."""
    right = np.clip(right, FLOOR, 1.0 - FLOOR)
    return np.asarray(np.log(right) - np.log((1.0 - right) / max(n_classes - 1, 1)))
