"""Acquisition scores: how much a label for each row would teach, from what a model says of it.

Higher is more worth labelling, everywhere. Choosing a batch is `labelloop.sampling`'s business.
"""

from labelloop.acquisition.committee import COMMITTEE_SCORES, bald, consensus_kl, variation_ratio, vote_entropy
from labelloop.acquisition.disagreement import jensen_shannon, pair_disagreement
from labelloop.acquisition.multi_label import binary_minimum, label_entropy
from labelloop.acquisition.outlier import knn_distance, mahalanobis
from labelloop.acquisition.probabilities import Screening, screen
from labelloop.acquisition.regions import box_count_normalised, box_max, box_mean, span_length_normalised
from labelloop.acquisition.regression import variance
from labelloop.acquisition.table import SCORINGS, Scoring, score
from labelloop.acquisition.uncertainty import SCORES, confidence, entropy, least_confidence, margin, ratio

__all__ = [
    "COMMITTEE_SCORES",
    "SCORES",
    "SCORINGS",
    "Scoring",
    "Screening",
    "bald",
    "binary_minimum",
    "box_count_normalised",
    "box_max",
    "box_mean",
    "confidence",
    "consensus_kl",
    "entropy",
    "jensen_shannon",
    "knn_distance",
    "label_entropy",
    "least_confidence",
    "mahalanobis",
    "margin",
    "pair_disagreement",
    "ratio",
    "score",
    "screen",
    "span_length_normalised",
    "variance",
    "variation_ratio",
    "vote_entropy",
]
