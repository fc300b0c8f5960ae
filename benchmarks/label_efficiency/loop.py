"""One cell of the comparison: a strategy asks for labels round by round, the same classifier learns from them.

Needs nothing but NumPy and scikit-learn, so that ours and the peers run through these very lines, each in its own
environment. Which strategy is asked is not known here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import train_test_split

ROUNDS = 10
TEST_SHARE = 0.3
MOST_ROWS = 6_000  # pool and test together; larger sets are sampled by seed


@dataclass(frozen=True)
class Problem:
    """A data set: (n, d) `features`, n `classes` from 0, labels bought in a `batch`, the `metric` it is judged by.

    Columns of an `embedded` one (pixels, topics) are of one scale, those of a table each of its own.
    """

    name: str
    features: NDArray[np.float32]
    classes: NDArray[np.intp]
    batch: int
    metric: str = "accuracy"
    embedded: bool = False


@dataclass(frozen=True)
class Asked:
    """What a strategy is told: `features` of the pool, the `labelled` rows with their `classes`, `n` more to ask.

    `probabilities` (rows, classes) are those of the present model, None in the first round.
    """

    features: NDArray[np.float32]
    labelled: NDArray[np.intp]
    classes: NDArray[np.intp]
    n_classes: int
    probabilities: NDArray[np.float64] | None
    n: int
    seed: int

    @property
    def unlabelled(self) -> NDArray[np.intp]:
        """Rows of the pool that have no label yet, ascending."""
        return np.setdiff1d(np.arange(len(self.features)), self.labelled)


Strategy = Callable[[Asked], NDArray[np.intp]]


def at_random(asked: Asked) -> NDArray[np.intp]:
    """Draw from the pool: what every strategy that needs a model has to do before the first."""
    return np.random.default_rng([asked.seed, 0]).permutation(asked.unlabelled)[: asked.n]


def learning_curve(problem: Problem, strategy: Strategy, *, seed: int, rounds: int = ROUNDS) -> list[float]:
    """Return the figure on held-out rows after each batch.

    The seed fixes rows, split and, where the strategy asks before there is a model, its first batch.
    """
    pool, test = _split(problem, seed)
    x, y = _scaled(problem, pool), problem.classes
    k = int(y.max()) + 1
    labelled = np.empty(0, dtype=np.intp)
    said: NDArray[np.float64] | None = None
    curve = []
    for number in range(rounds):
        asked = Asked(x[pool], labelled, y[pool][labelled], k, said, problem.batch, seed * 1000 + number)
        chosen = np.asarray(strategy(asked), dtype=np.intp)
        labelled = np.concatenate([labelled, chosen])
        if len(chosen) != problem.batch or len(np.unique(labelled)) != len(labelled):
            raise ValueError("a strategy chose too few rows or one twice")
        told = _probabilities(x, pool[labelled], y, k)
        curve.append(_figure(problem, y[test], told[test].argmax(axis=1)))
        said = told[pool]
    return curve


def full_data(problem: Problem, *, seed: int) -> float:
    """Return the figure on the held-out rows with every label of the pool."""
    pool, test = _split(problem, seed)
    x, y = _scaled(problem, pool), problem.classes
    return _figure(problem, y[test], _probabilities(x, pool, y, int(y.max()) + 1)[test].argmax(axis=1))


def _split(problem: Problem, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    rows = np.random.default_rng([seed, 1]).permutation(len(problem.classes))[:MOST_ROWS]
    pool, test = train_test_split(rows, test_size=TEST_SHARE, stratify=problem.classes[rows], random_state=seed)
    return pool, test


def _scaled(problem: Problem, pool: NDArray[np.intp]) -> NDArray[np.float32]:
    """Standardise by the unlabelled pool, which is known before the first label."""
    centred = problem.features - problem.features[pool].mean(axis=0)
    spread = centred[pool].std(axis=None if problem.embedded else 0)
    return np.asarray(centred / np.where(spread > 0, spread, 1), dtype=np.float32)


def _probabilities(
    x: NDArray[np.float32], rows: NDArray[np.intp], y: NDArray[np.intp], k: int
) -> NDArray[np.float64]:
    """Return what a logistic regression on these rows says of all; a class not seen yet has probability 0."""
    seen = np.unique(y[rows])
    told = np.zeros((len(x), k))
    if len(seen) == 1:
        told[:, seen[0]] = 1.0
        return told
    model = LogisticRegression(max_iter=1000).fit(x[rows], y[rows])
    told[:, seen] = model.predict_proba(x)
    return told


def _figure(problem: Problem, truth: NDArray[np.intp], predicted: NDArray[np.intp]) -> float:
    score = {"accuracy": accuracy_score, "balanced accuracy": balanced_accuracy_score}[problem.metric]
    return float(score(truth, predicted))
