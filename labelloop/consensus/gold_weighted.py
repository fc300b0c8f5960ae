"""Votes weighted by how each annotator did on gold: units whose answer is known."""

from __future__ import annotations

import numpy as np

from labelloop.agreement.ratings import IntArray, Ratings
from labelloop.consensus.posterior import (
    Posterior,
    Settings,
    even_confusion,
    log_odds,
    normalised,
    rule,
    weighted_votes,
)
from labelloop.errors import InputError


def gold_weighted(ratings: Ratings, known: IntArray, settings: Settings) -> Posterior:
    """Posterior of each unit from votes weighted by log odds of being right; `known` is the gold class, -1 without.

    The weights are the best there are for annotators who err independently (Nitzan and Paroush 1982). An annotator's
    share of right answers is drawn towards that of all by `settings.smoothing` imagined answers.

    Raises:
        InputError: nobody answered a gold unit.
    """
    gold, n_annotators = known[ratings.unit], len(ratings.annotators)
    if len(gold) and not (gold >= 0).any():
        raise InputError("nobody answered a gold unit", remedy="give rulings of units that were answered")
    n = np.bincount(ratings.annotator[gold >= 0], minlength=n_annotators)
    right = np.bincount(ratings.annotator[gold == ratings.value], minlength=n_annotators)
    everyone = (right.sum() + 1.0) / (n.sum() + 2.0)
    imagined = np.where(n > 0, settings.smoothing, 1.0)
    share = (right + imagined * everyone) / (n + imagined)
    n_classes = len(ratings.values)
    votes = weighted_votes(ratings, log_odds(share, n_classes)[ratings.annotator])
    prior = np.full(n_classes, 1.0 / max(n_classes, 1))
    return Posterior(rule(normalised(votes), known), prior, even_confusion(share, n_classes))
