"""Agreement of regions: first where annotators saw something, then what they called it.

Regions of each two answers are matched one to one, whatever their labels; how well is measured by overlap. What is
matched well enough is one object, and labels of objects are rated like anything else, so that alpha corrects them for
chance (Tschirschwitz and Rodehorst 2026, KaLOS: localise, then classify). The same for boxes, polygons, masks, key
points, spans and segments; spans have more figures in `spans.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final, Unpack

import numpy as np
import pandas as pd
import pyarrow as pa

from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import Precision, PrecisionSettings
from labelloop.agreement.ratings import FloatArray
from labelloop.agreement.regions import TOLERANCE, Regions, read_regions
from labelloop.agreement.scope import measure
from labelloop.agreement.seen_objects import THRESHOLD, ratings_of_objects
from labelloop.agreement.unit_means import mean_figure
from labelloop.errors import InputError, NotEstimable

OF_OBJECTS: Final = ("alpha_of_objects", "alpha_of_labels")


def mean_iou(regions: Regions, threshold: float = THRESHOLD) -> FloatArray:
    """For each two answers the mean, over the regions of both, of how well each is matched; 1 when both are empty.

    A region without a partner counts 0. It is the mean of `f1` over all thresholds. `threshold` plays no part.
    """
    del threshold
    links = regions.matched
    shared = np.bincount(links.pair, links.similarity, minlength=len(regions.pairs.first)).astype(np.float64)
    return share_of_both(regions, shared)


def f1(regions: Regions, threshold: float = THRESHOLD) -> FloatArray:
    """For each two answers 2 matched / all regions of both, 1 when both are empty.

    Only partners at least as alike as the threshold are matched. The same with either answer as the truth.
    """
    return share_of_both(regions, _found_by_both(regions, threshold))


def missed_objects(regions: Regions, threshold: float = THRESHOLD) -> FloatArray:
    """For each two answers the share of their objects that only one of the two has; NaN when both are empty."""
    both = _found_by_both(regions, threshold)
    objects = regions.count(regions.pairs.first) + regions.count(regions.pairs.second) - both
    return np.asarray((objects - both) / np.where(objects > 0, objects, np.nan))


METRICS_OF_REGIONS: Final[Mapping[str, Callable[[Regions, float], FloatArray]]] = MappingProxyType(
    {
        "mean_iou": mean_iou,
        "f1": f1,
        "f1_at_0.75": lambda regions, _: f1(regions, 0.75),
        "f1_at_0.9": lambda regions, _: f1(regions, 0.9),
        "missed_objects": missed_objects,
    }
)


def region_figures(
    table: pa.Table | pd.DataFrame,
    control_type: str,
    metrics: Sequence[str] = (*METRICS_OF_REGIONS, *OF_OBJECTS),
    *,
    threshold: float = THRESHOLD,
    level: str = "nominal",
    group: str | None = None,
    tolerance: float = TOLERANCE,
    **settings: Unpack[PrecisionSettings],
) -> list[Figure]:
    """Agreement of regions, one figure per metric, with interval or reason; each unit counts once.

    Args:
        table: unit, annotator, regions and, for masks and turned shapes, raw; see `read_regions`.
        control_type: what kind of regions: rectangle, ellipse, polygon, keypoint, mask, span, segment or timeline.
        metrics: names of `METRICS_OF_REGIONS`; `alpha_of_objects`, in which not to have seen an object is an answer;
            `alpha_of_labels` of objects that two or more have seen.
        threshold: from this overlap (of key points: similarity) two regions show one object.
        level: at which the labels of an object are compared, nominal, jaccard or masi.
        group: column that clusters units; units, or groups of them, are resampled, also for objects.
        tolerance: of key points, in percent of the image.
        settings: the fields of `Precision`: seed, n_boot, confidence, n_min.

    Raises:
        InputError: an unknown metric, a threshold outside 0 to 1, or regions that cannot be used.

    >>> box = {"labels": ["cat"], "points": [0.0, 0.0, 2.0, 2.0]}
    >>> table = pd.DataFrame({"unit": [1, 1], "annotator": ["a", "b"], "regions": [[box], [box, box]]})
    >>> [(figure.metric, round(figure.value, 2)) for figure in region_figures(table, "rectangle", ["f1"], n_min=1)]
    [('f1', 0.67)]
    """
    if unknown := [name for name in metrics if name not in (*METRICS_OF_REGIONS, *OF_OBJECTS)]:
        known = ", ".join((*METRICS_OF_REGIONS, *OF_OBJECTS))
        raise InputError(f"metric {unknown[0]!r} does not compare regions", remedy=f"give one of {known}")
    if not 0 < threshold <= 1:
        raise InputError(f"the threshold is {threshold}", remedy="give a number above 0, at most 1")
    precision = Precision(**settings)
    try:
        regions = read_regions(table, control_type, group=group, tolerance=tolerance)
    except NotEstimable as error:
        return [Figure(name, control_type, reason=str(error)) for name in metrics]
    return [
        _alpha(name, regions, threshold, level, precision)
        if name in OF_OBJECTS
        else pair_figure(name, control_type, regions, METRICS_OF_REGIONS[name](regions, threshold), precision)
        for name in metrics
    ]


def pair_figure(name: str, level: str, regions: Regions, values: FloatArray, precision: Precision) -> Figure:
    """The figure of one value for each of `regions.pairs`, NaN where the two answers cannot be compared."""
    return mean_figure(name, level, regions.ratings, lambda *_: values, precision)


def _alpha(name: str, regions: Regions, threshold: float, level: str, precision: Precision) -> Figure:
    rated = ratings_of_objects(regions, threshold, missed=name == "alpha_of_objects")
    (figure,) = measure(
        rated,
        ["krippendorff_alpha"],
        level,
        **precision.settings,
    )
    return replace(figure, metric=name)


def share_of_both(
    regions: Regions, shared: FloatArray, size: FloatArray | None = None, empty: float = 1.0
) -> FloatArray:
    """For each two answers 2 shared / the size of all regions of both, a region counts 1; `empty` when both are."""
    of_answer = np.bincount(regions.answer, weights=size, minlength=len(regions.ratings.unit))
    both = of_answer[regions.pairs.first] + of_answer[regions.pairs.second]
    return np.where(both > 0, 2.0 * shared / np.where(both > 0, both, 1), empty)


def _found_by_both(regions: Regions, threshold: float) -> FloatArray:
    enough = regions.matched.similarity >= threshold
    return np.bincount(regions.matched.pair[enough], minlength=len(regions.pairs.first)).astype(np.float64)
