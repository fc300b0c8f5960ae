"""Conger's kappa: any number of annotators, each with an own habit of using the categories."""

from __future__ import annotations

import numpy as np

from labelloop.agreement.patterns import Disagreement, Patterns
from labelloop.agreement.percent import observed_disagreement
from labelloop.agreement.ratings import FloatArray
from labelloop.agreement.similarity import Scale, kind_of, similarity
from labelloop.errors import NotEstimable


def conger_kappa(patterns: Patterns, scale: Scale) -> Disagreement:
    """1 - observed / expected disagreement, expected from the margins of each two annotators (Conger 1980).

    Cohen's kappa for two annotators who rated the same units. Margins are taken over what an annotator rated; near
    misses count by the weights of the level (Gwet 2014, chapters 2 and 4).
    """
    if patterns.by_annotator is None:
        raise NotEstimable("Conger's kappa needs to know who gave each rating")
    n_annotators = patterns.by_annotator.shape[1] // patterns.n_categories
    if n_annotators < 2:
        raise NotEstimable("only one annotator")
    alike, chosen = similarity(scale, kind_of(scale)), patterns.by_annotator
    observed = observed_disagreement(patterns, alike)

    def disagreement(weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        shares = _shares(np.asarray(weights @ chosen).reshape(len(weights), n_annotators, -1))
        total, present = shares.sum(axis=1), (shares.sum(axis=2) > 0).sum(axis=1)
        everyone = ((total @ alike) * total).sum(axis=1)
        alone = ((shares @ alike) * shares).sum(axis=(1, 2))
        return observed(weights), 1.0 - (everyone - alone) / np.maximum(present * (present - 1.0), 1.0)

    return disagreement


def _shares(counts: FloatArray) -> FloatArray:
    """Share of each category in what an annotator rated; zeros for one whom a replicate left out."""
    total = counts.sum(axis=2, keepdims=True)
    return np.asarray(counts / np.where(total > 0, total, 1.0))
