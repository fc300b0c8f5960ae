"""Acquisition scores: how much a label for each row would teach, from what a model says of it.

Higher is more worth labelling, everywhere. Choosing a batch is `labelloop.sampling`'s business.
"""

from labelloop.acquisition.probabilities import Screening, screen
from labelloop.acquisition.uncertainty import SCORES, confidence, entropy, least_confidence, margin

__all__ = ["SCORES", "Screening", "confidence", "entropy", "least_confidence", "margin", "screen"]
