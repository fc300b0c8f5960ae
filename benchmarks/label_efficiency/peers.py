"""The strategies of scikit-activeml and small-text as the loop asks them, with settings of their own choosing.

Runs in the peers' environment, so it imports nothing of labelloop. What needs a model begins with the same random
batch as ours; what needs none begins by itself. small-text's PredictionEntropy is left out: it ranks as
scikit-activeml's entropy does, at a hundred times the cost.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import small_text.query_strategies as small
from numpy.typing import NDArray
from skactiveml import pool as activeml
from skactiveml.classifier import SklearnClassifier
from sklearn.linear_model import LogisticRegression
from small_text import SklearnDataset

from benchmarks.label_efficiency.loop import Asked, Strategy, at_random

_SCORES = ("least_confident", "margin_sampling", "entropy")


def strategies() -> Mapping[str, Strategy]:
    """Return every strategy of the two packages that works on features and one classifier, by name."""
    modelled = {
        **{f"uncertainty {score}": _uncertainty(score) for score in _SCORES},
        "Badge": activeml.Badge,
        "Clue": activeml.Clue,
        "ContrastiveAL": activeml.ContrastiveAL,
        "DropQuery": activeml.DropQuery,
        "Falcun": activeml.Falcun,
    }
    unmodelled = {name: getattr(activeml, name) for name in ("CoreSet", "TypiClust", "ProbCover", "MaxHerding")}
    texts = {
        "BreakingTies": small.BreakingTies,
        "LeastConfidence": small.LeastConfidence,
        "GreedyCoreset": small.GreedyCoreset,
        "LightweightCoreset": small.LightweightCoreset,
        "EmbeddingKMeans": small.EmbeddingKMeans,
        "ContrastiveActiveLearning": small.ContrastiveActiveLearning,
    }
    return {
        **{f"skactiveml {name}": _activeml(make, modelled=True) for name, make in modelled.items()},
        **{f"skactiveml {name}": _activeml(make, modelled=False) for name, make in unmodelled.items()},
        **{f"small-text {name}": _small_text(make) for name, make in texts.items()},
    }


def _uncertainty(score: str) -> Callable[..., Any]:
    return lambda **options: activeml.UncertaintySampling(method=score, **options)


def _activeml(make: Callable[..., Any], *, modelled: bool) -> Strategy:
    def ask(asked: Asked) -> NDArray[np.intp]:
        if modelled and asked.probabilities is None:
            return at_random(asked)
        y = np.full(len(asked.features), np.nan)
        y[asked.labelled] = asked.classes
        extra = [_classifier(asked)] if modelled else []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            chosen: NDArray[np.intp] = make(random_state=asked.seed).query(
                asked.features, y, *extra, batch_size=asked.n
            )
        return chosen

    return ask


def _classifier(asked: Asked) -> SklearnClassifier:
    return SklearnClassifier(LogisticRegression(max_iter=1000), classes=list(range(asked.n_classes)))


def _small_text(make: Callable[[], Any]) -> Strategy:
    def ask(asked: Asked) -> NDArray[np.intp]:
        if asked.probabilities is None:
            return at_random(asked)
        np.random.seed(asked.seed)
        rows = SklearnDataset(asked.features, np.zeros(len(asked.features), dtype=int), target_labels=np.arange(2))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            chosen: NDArray[np.intp] = make().query(
                _Told(asked), rows, asked.unlabelled, asked.labelled, asked.classes, n=asked.n
            )
        return chosen

    return ask


class _Told:
    """A classifier of small-text that repeats what the present model says of the rows it is given."""

    def __init__(self, asked: Asked) -> None:
        self._features, self._probabilities = asked.features, asked.probabilities
        self._row = {row.tobytes(): i for i, row in enumerate(asked.features)}

    def predict_proba(self, rows: Any) -> NDArray[np.float64]:
        assert self._probabilities is not None
        return self._probabilities[[self._row[row.tobytes()] for row in rows.x]]

    def embed(self, rows: Any, *, return_proba: bool = False, pbar: str = "") -> Any:
        del pbar
        return (rows.x, self.predict_proba(rows)) if return_proba else rows.x
