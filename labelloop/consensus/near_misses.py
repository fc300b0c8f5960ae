"""Objects on which annotators agree that something is there, and not where."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from labelloop.agreement.ratings import FloatArray
from labelloop.agreement.regions import Regions
from labelloop.agreement.seen_objects import Objects

NEAR: Final = 0.1  # of similarity: below it two regions have nothing to do with each other


def near_misses(regions: Regions, objects: Objects, weight: FloatArray, open_ones: NDArray[np.bool_]) -> FloatArray:
    """For each object the weight of all who drew it, or near it what no more drew it: 0 for those that are settled.

    Two regions are near each other from an overlap of 0.1, below which an error is no longer one of place (Hoiem,
    Chodpathumwan and Dai 2012). Each annotator counts once.

    Args:
        regions: with their shapes.
        objects: which region shows which.
        weight: of each region.
        open_ones: objects that too few drew; what is near others is no miss of these.

    >>> from labelloop.agreement.regions import read_regions
    >>> from labelloop.agreement.seen_objects import seen_objects
    >>> import pandas as pd
    >>> drawn = [[{"points": [left, 0.0, 4.0, 4.0]}] for left in (0.0, 2.0, 90.0)]
    >>> regions = read_regions(pd.DataFrame({"unit": 1, "annotator": [*"abc"], "regions": drawn}), "rectangle")
    >>> near_misses(regions, seen_objects(regions), np.ones(3), np.ones(3, dtype=bool)).tolist()
    [2.0, 2.0, 1.0]
    """
    is_open = open_ones[objects.of]
    links = regions.touching
    links = links.where((links.similarity >= NEAR) & is_open[links.one] & is_open[links.other])
    near, far = np.concatenate([links.one, links.other]), np.concatenate([links.other, links.one])
    both = near * np.int64(len(regions.ratings.unit)) + regions.answer[far]
    _, first = np.unique(both, return_index=True)
    around = weight + np.bincount(near[first], weights=weight[far[first]], minlength=len(weight))
    found = np.zeros(len(open_ones))
    np.maximum.at(found, objects.of, np.where(is_open, around, 0.0))
    return found
