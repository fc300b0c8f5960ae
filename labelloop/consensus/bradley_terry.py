"""Bradley and Terry (1952) with ties and annotators of different quality: which of two items is better.

P(left) : P(right) : P(tie) = a : b : t sqrt(a b) for strengths a and b (Davidson 1970); an annotator answers so with
probability `quality`, else the other way round (Chen et al. 2013, Crowd-BT).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from labelloop.agreement.ratings import FloatArray, IntArray
from labelloop.consensus.comparisons import TIED, Answers, read_comparisons
from labelloop.consensus.em import maximise
from labelloop.consensus.item_consensus import ItemConsensus, item_table
from labelloop.consensus.label_table import class_table
from labelloop.consensus.posterior import FLOOR, Posterior, Settings, normalised, prior_of, rule

SHRINKAGE: Final = 0.1  # normal prior of log strengths, variance 10: one that never lost stays finite
GOOD: Final = 0.9  # quality of the imagined answers
CLIMB: Final = 20  # quasi-Newton steps of one maximisation, which goes on where the last one ended


def bradley_terry(
    table: pa.Table | pd.DataFrame,
    *,
    rulings: pa.Table | pd.DataFrame | None = None,
    break_ties: bool = False,
    settings: Settings | None = None,
) -> ItemConsensus:
    """For each unit left, right or tie, as the strengths of its two items over all units say.

    Args:
        table: unit, annotator, left, right (items), value (left, right, tie, or the name of the better item).
        rulings: unit, value of an expert, who wins and is believed; see `read_comparisons`.
        break_ties: take the first of equally probable answers instead of none.
        settings: `smoothing` is the number of imagined answers of each annotator, nine in ten by the strengths.

    Raises:
        InputError: answers or rulings that cannot be used.

    >>> names = {"unit": [1, 2, 3], "annotator": ["a"] * 3, "left": [*"xyx"], "right": [*"yzz"]}
    >>> found = bradley_terry(pd.DataFrame({**names, "value": ["left"] * 3}))
    >>> found.items["item"].to_pylist()
    ['x', 'y', 'z']
    """
    given, settings = read_comparisons(table, rulings), settings or Settings()
    ratings, known, answers = given.ratings, given.known, given.answers
    model = _Model(answers, len(ratings.values), settings.smoothing)
    start = _Parameters(np.zeros(len(given.items) + 1), np.full(len(ratings.annotators), GOOD))
    # The two steps alternate on answers here: was each given by the strengths, or against them?
    by_strength = np.tile([1.0, 0.0], (len(answers.chosen), 1))
    believed = np.where(model.doubtful, -1, 0)
    fit = maximise(by_strength, start, believed, settings, learn=model.learn, expect=model.expect)
    worth, quality = fit.parameters
    chances = rule(np.exp(model.log_chances(worth, given.left, given.right)), known)
    named = np.bincount(np.concatenate([answers.left, answers.right]), minlength=len(given.items))
    answered = np.bincount(ratings.annotator, minlength=len(quality))
    return ItemConsensus(
        class_table(ratings, Posterior(chances, prior_of(chances)), known, "bradley-terry", break_ties=break_ties),
        item_table(given.items, worth[:-1], named),
        pa.table({"annotator": ratings.annotators, "quality": quality, "n": answered}),
        fit.converged,
        fit.steps,
    )


class _Parameters(NamedTuple):
    worth: FloatArray  # log of each item's strength, and of t
    quality: FloatArray  # of each annotator


@dataclass(frozen=True)
class _Model:
    """Both steps on the answers; with two choices nobody said tie, and t is not used."""

    answers: Answers
    n_choices: int
    smoothing: float

    @property
    def doubtful(self) -> NDArray[np.bool_]:
        """Answers that may be given against the strengths: no tie, which is the same both ways, and no expert's."""
        return np.asarray((self.answers.chosen != TIED) & (self.answers.annotator >= 0))

    def log_chances(self, worth: FloatArray, left: IntArray, right: IntArray) -> FloatArray:
        """Log probability of each choice between each two items."""
        tie = worth[-1] + (worth[left] + worth[right]) / 2.0
        return np.asarray(log_softmax(np.column_stack([worth[left], worth[right], tie][: self.n_choices]), axis=1))

    def expect(self, parameters: _Parameters) -> FloatArray:
        """Probability that each answer was given by the strengths, and that it was given against them."""
        left, right, chosen, annotator = self.answers
        chances = self.log_chances(parameters.worth, left, right)
        row, quality = np.arange(len(chances)), np.append(parameters.quality, 1.0)[annotator]
        ways = ((quality, chosen), (1.0 - quality, _turned(chosen)))
        return normalised(np.column_stack([np.log(np.maximum(q, FLOOR)) + chances[row, way] for q, way in ways]))

    def learn(self, by_strength: FloatArray, before: _Parameters) -> _Parameters:
        """Quality, and worth nearer to the maximum of the expected log posterior."""
        believed, doubtful, n_annotators = by_strength[:, 0], self.doubtful, len(before.quality)
        who = self.answers.annotator[doubtful]
        right = np.bincount(who, weights=believed[doubtful], minlength=n_annotators) + self.smoothing * GOOD
        n = np.bincount(who, minlength=n_annotators) + self.smoothing
        said = np.zeros((len(believed), self.n_choices))
        row = np.arange(len(believed))
        said[row, self.answers.chosen] = believed
        said[row, _turned(self.answers.chosen)] += 1.0 - believed
        found = minimize(self._loss, before.worth, (said,), jac=True, method="L-BFGS-B", options={"maxiter": CLIMB})
        return _Parameters(found.x, np.where(n > 0, right / np.where(n > 0, n, 1.0), GOOD))

    def _loss(self, worth: FloatArray, said: FloatArray) -> tuple[float, FloatArray]:
        left, right = self.answers.left, self.answers.right
        chances = self.log_chances(worth, left, right)
        slope = np.zeros((len(said), 3))
        slope[:, : self.n_choices] = np.exp(chances) - said
        slopes = SHRINKAGE * worth
        slopes[-1] += slope[:, 2].sum()
        for item, side in ((left, slope[:, 0]), (right, slope[:, 1])):
            slopes[:-1] += np.bincount(item, weights=side + slope[:, 2] / 2.0, minlength=len(worth) - 1)
        return float(SHRINKAGE * (worth**2).sum() / 2.0 - (said * chances).sum()), slopes


def _turned(chosen: IntArray) -> IntArray:
    return np.where(chosen == TIED, TIED, 1 - chosen)
