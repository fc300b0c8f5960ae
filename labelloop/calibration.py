"""Calibration: one temperature that makes a model's probabilities mean what they say.

Fitted on the random (explore) share alone. Audit units, which neither the model nor the temperature has seen, tell
whether it helped; that measure is in `reliability.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.pipeline import Pipeline

from labelloop.errors import NotEstimable
from labelloop.reliability import check_rows
from labelloop.retrain import fit
from labelloop.vectors import lists_of, matrix

FEWEST: Final = 30  # answers below which one wrong label moves the temperature too far
FOLDS: Final = 5
_HOTTEST: Final = 20.0
_LEAST: Final = 1e-12  # stands for a probability of zero, whose logarithm no temperature could mend


def with_temperature(probabilities: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """The probabilities with their logarithms divided by a temperature and normalised again; (n, k) to (n, k).

    Above 1 they become more even, below 1 more extreme; their order stays. Source: Guo et al., ICML 2017.

    >>> with_temperature(np.array([[0.9, 0.1]]), 2.0).round(2).tolist()
    [[0.75, 0.25]]
    """
    return np.asarray(np.exp(log_softmax(_logarithms(probabilities) / temperature, axis=1)))


def fit_temperature(probabilities: NDArray[np.floating], truth: NDArray[np.integer]) -> float:
    """The temperature in [1/20, 20] under which the true classes are most likely (maximum likelihood).

    Args:
        probabilities: (n, k), of rows the model did not learn from.
        truth: (n,) columns of the true classes.

    Raises:
        NotEstimable: there are fewer than 30 rows.
        InputError: the numbers of rows differ.

    >>> sure = np.array([[0.99, 0.01]] * 40)
    >>> fit_temperature(sure, np.array([0, 0, 0, 1] * 10)) > 3
    True
    """
    check_rows(probabilities, truth)
    if len(truth) < FEWEST:
        raise NotEstimable(
            f"{len(truth)} answers of the random share are too few to calibrate on, {FEWEST} are needed",
            remedy="wait for more, or raise sampling.explore_share",
        )
    logarithms, rows = _logarithms(probabilities), np.arange(len(truth))

    def surprise(log_temperature: float) -> float:
        return float(-log_softmax(logarithms / np.exp(log_temperature), axis=1)[rows, truth].mean())

    end = np.log(_HOTTEST)
    return float(np.exp(minimize_scalar(surprise, bounds=(-end, end), method="bounded").x))


def cross_fitted(
    features: NDArray[np.floating], labels: Sequence[str], random_share: NDArray[np.bool_], *, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """What models of the reference trainer say of the random rows they did not learn from, and the true classes.

    Each of five models learns from four fifths of all rows, exploited ones included, and speaks of the random rows of
    the last fifth: a temperature can be fitted without giving up a label. Rows of a class a model never saw are left
    out, since no temperature could help them.

    Args:
        features: (n, d).
        labels: n labels.
        random_share: (n,) which rows were drawn at random.
        seed: of folds and solver.

    Returns:
        Probabilities (m, k), classes ascending, and the m columns of the true classes.
    """
    truth, classes = np.array(labels, dtype=str), np.unique(labels)
    fold = np.random.default_rng(seed).permutation(len(truth)) % FOLDS
    told, known = np.zeros((len(truth), len(classes))), np.zeros(len(truth), dtype=bool)
    for number in range(FOLDS):
        learnt = fold != number
        seen = np.unique(truth[learnt])
        asked = np.flatnonzero(~learnt & random_share & np.isin(truth, seen))
        if len(seen) > 1 and len(asked):
            model = fit(features[learnt], truth[learnt].tolist(), seed=seed)
            told[np.ix_(asked, np.searchsorted(classes, seen))] = model.predict_proba(features[asked])
            known[asked] = True
    return told[known], np.searchsorted(classes, truth[known])


def with_temperature_of_pool(pool: pa.Table, temperature: float) -> pa.Table:
    """The pool with its `probabilities` and `confidence` as they are with a temperature; 1 changes nothing.

    >>> pool = pa.table({"probabilities": [[0.9, 0.1], None], "confidence": [0.9, None]})
    >>> [round(c, 2) for c in with_temperature_of_pool(pool, 2.0)["confidence"].to_pylist() if c]
    [0.75]
    """
    if temperature == 1.0 or not pc.any(pc.is_valid(pool["probabilities"])).as_py():
        return pool
    values = with_temperature(matrix(pool["probabilities"]).values, temperature)
    silent = pc.is_null(pool["probabilities"]).combine_chunks()
    told = pc.if_else(silent, None, lists_of(values).cast(pa.list_(pa.float64())))
    sure = pc.if_else(silent, None, pa.array(values.max(axis=1)))
    for name, column in (("probabilities", told), ("confidence", sure)):
        pool = pool.set_column(pool.schema.get_field_index(name), name, column)
    return pool


def with_temperature_inside(model: Pipeline, temperature: float) -> Pipeline:
    """A copy of a model of the reference trainer that gives the probabilities `with_temperature` would.

    Dividing the weights of a logistic regression divides its logarithms, so that the ONNX file needs nothing new.

    >>> model = fit(np.array([[0.0], [1.0]]), ["no", "yes"], seed=0)
    >>> bool(with_temperature_inside(model, 2.0).predict_proba([[1.0]])[0, 1] < model.predict_proba([[1.0]])[0, 1])
    True
    """
    cooled = deepcopy(model)
    classifier = cooled.named_steps["classify"]
    classifier.coef_ = classifier.coef_ / temperature
    classifier.intercept_ = classifier.intercept_ / temperature
    return cooled


def _logarithms(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(np.log(np.maximum(probabilities, _LEAST, dtype=np.float64)))
