"""The reference trainer, and the rule by which a new model takes over.

A standardised logistic regression on features: quick, and convertible to ONNX. Reading data sets, writing ONNX and
keeping models is done in `tasks/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from labelloop.agreement.interval import wilson
from labelloop.errors import InputError, NotEstimable

Correct = NDArray[np.bool_]
MOST_STEPS = 1000
STRENGTH = 0.1  # inverse regularisation: people err, and a model fitted to every label learns their errors


class Evaluation(NamedTuple):
    """Share of correct answers with its 95 % Wilson interval; `correct` (n,) tells which they were."""

    accuracy: float
    low: float
    high: float
    n: int
    correct: Correct


class Promotion(NamedTuple):
    """Whether a model takes over and why; the paired `difference` in accuracy with its 95 % interval, if any."""

    promoted: bool
    reason: str
    difference: float | None = None
    low: float | None = None
    high: float | None = None


def fit(
    features: NDArray[np.floating],
    labels: Sequence[str],
    *,
    weights: NDArray[np.floating] | None = None,
    seed: int,
) -> Pipeline:
    """A logistic regression on standardised features, classes in ascending order.

    Args:
        features: (n, d), finite.
        labels: n labels of at least two classes.
        weights: n weights > 0 of the rows, for example the confidence of their labels.
        seed: of the solver.

    Raises:
        InputError: numbers of rows differ, features are not finite, or there are fewer than two classes.

    >>> model = fit(np.array([[0.0], [1.0]]), ["no", "yes"], seed=0)
    >>> model.predict([[0.9]]).tolist()
    ['yes']
    """
    _check(features, labels)
    classifier = LogisticRegression(C=STRENGTH, max_iter=MOST_STEPS, random_state=seed)
    model = Pipeline([("scale", StandardScaler()), ("classify", classifier)])
    return model.fit(features, np.array(labels, dtype=str), classify__sample_weight=weights)


def evaluate(model: Pipeline, features: NDArray[np.floating], labels: Sequence[str]) -> Evaluation:
    """Accuracy of a model on labelled rows it was not trained on, with its Wilson interval (Wilson, 1927).

    Raises:
        NotEstimable: there are no rows.

    >>> model = fit(np.array([[0.0], [1.0]]), ["no", "yes"], seed=0)
    >>> evaluate(model, np.array([[0.1], [0.2]]), ["no", "yes"]).accuracy
    0.5
    """
    if not len(labels):
        raise NotEstimable("there are no labelled rows to evaluate on", remedy="wait for audit answers")
    correct = model.predict(features) == np.array(labels, dtype=str)
    low, high = wilson(int(correct.sum()), len(correct))
    return Evaluation(float(correct.mean()), low, high, len(correct), correct)


def decide_promotion(
    current_correct: Correct | None,
    challenger_correct: Correct,
    *,
    minimum_gain: float = 0.0,
    majority_correct: Correct | None = None,
) -> Promotion:
    """Promote the challenger when its gain on the same audit units is above `minimum_gain` with evidence.

    Evidence: the whole 95 % interval of the paired difference in accuracy lies above `minimum_gain`. A negative
    `minimum_gain` asks only that the challenger is not worse by more than that.

    Args:
        current_correct: which of the audit units the present model gets right; None before the first model.
        challenger_correct: the same of the challenger, in the same order.
        minimum_gain: in accuracy, -1 to 1.
        majority_correct: for a first model, which units the most frequent class gets right. Without it,
            or without audit units, a first model has nothing to be compared with and is promoted.

    Raises:
        InputError: the arrays differ in length.

    >>> decide_promotion(None, np.array([], dtype=bool)).promoted
    True
    """
    first = current_correct is None
    rival = majority_correct if current_correct is None else current_correct
    name = "the majority class" if first else "the present model"
    if rival is None or not len(challenger_correct):
        return Promotion(first, f"there is no audit answer to compare with {name}")
    difference, low, high = paired_interval(challenger_correct, rival)
    promoted = low > minimum_gain
    verdict = "above" if promoted else "not wholly above"
    reason = f"{difference:+.3f} [{low:+.3f}, {high:+.3f}] against {name} on {len(rival)} audit units"
    return Promotion(promoted, f"{reason}: {verdict} {minimum_gain:+.3f}", difference, low, high)


def paired_interval(first: Correct, second: Correct, confidence: float = 0.95) -> tuple[float, float, float]:
    """Share correct of the first minus that of the second on the same n units, with its interval.

    Adjusted Wald: with b and c units only the first or only the second gets right, p = (b+1)/(n+2),
    q = (c+1)/(n+2), the interval is p - q -+ z sqrt((p + q - (p - q)^2) / (n+2)). It keeps its coverage for
    few units and few differences. Source: Bonett and Price, J. Educ. Behav. Stat. 37, 2012.

    Raises:
        InputError: the arrays differ in length or are empty.

    >>> right, wrong = np.ones(10, dtype=bool), np.zeros(10, dtype=bool)
    >>> [round(end, 2) for end in paired_interval(right, wrong)]
    [1.0, 0.52, 1.0]
    """
    n = len(first)
    if n != len(second) or not n:
        raise InputError(f"{n} and {len(second)} answers cannot be paired", remedy="compare on the same units")
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    p, q = (only_first + 1) / (n + 2), (only_second + 1) / (n + 2)
    half = float(norm.ppf(0.5 + confidence / 2)) * np.sqrt((p + q - (p - q) ** 2) / (n + 2))
    difference = (only_first - only_second) / n
    return difference, max(-1.0, float(p - q - half)), min(1.0, float(p - q + half))


def _check(features: NDArray[np.floating], labels: Sequence[str]) -> None:
    if features.ndim != 2 or len(features) != len(labels):
        raise InputError(f"features of shape {features.shape} for {len(labels)} labels", remedy="give one row each")
    if bad := int((~np.isfinite(features).all(axis=1)).sum()):
        raise InputError(f"{bad} rows of features are not finite", remedy="leave them out")
    if len(set(labels)) < 2:
        raise InputError(
            f"{len(set(labels))} classes among {len(labels)} labels", remedy="label more before training"
        )
