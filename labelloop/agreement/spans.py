"""Agreement of spans of text and of stretches of time: which are there, how far they overlap, where they end.

An interval counts as another's only with the same labels. Token by token kappa is not offered: it is praised for the
many tokens that nobody marked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Unpack

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import ROUNDING, Precision, PrecisionSettings
from labelloop.agreement.ratings import FloatArray
from labelloop.agreement.region_figures import pair_figure, share_of_both
from labelloop.agreement.regions import Regions, read_regions
from labelloop.agreement.seen_objects import THRESHOLD
from labelloop.agreement.unitising import ALPHAS, unitised_alpha
from labelloop.errors import InputError, NotEstimable
from labelloop.geometry.intervals import Intervals
from labelloop.geometry.matching import Links


def exact_f1(regions: Regions) -> FloatArray:
    """For each two answers 2 x intervals with the same ends and labels / all intervals; 1 when both are empty.

    Without a truth, F1 of one answer against the other is what kappa tends to when nothing can be said of what
    nobody marked (Hripcsak and Rothschild 2005).
    """
    same = _same_label(regions, regions.matched)
    exact = same & (regions.matched.similarity == 1.0)
    return share_of_both(regions, _sums(regions, regions.matched.where(exact)))


def partial_f1(regions: Regions) -> FloatArray:
    """For each two answers 2 x shared length / all length, where labels are the same; 1 when both are empty.

    Intervals of one answer should not overlap; where they do, what is shared counts once for each, at most all.
    """
    links = regions.touching.where(_same_label(regions, regions.touching))
    shared = _sums(regions, links, regions.shapes_as(Intervals).common(links.one, links.other))
    return np.minimum(share_of_both(regions, shared, regions.shapes_as(Intervals).length), 1.0)


def boundary_deviation(regions: Regions) -> FloatArray:
    """For each two answers the mean distance of the ends of intervals that are matched; NaN without any.

    In characters, seconds or frames; 0 is perfect. Matched at half their length or more, whatever their labels.
    """
    line, links = regions.shapes_as(Intervals), regions.matched.where(regions.matched.similarity >= THRESHOLD)
    apart = np.abs(line.start[links.one] - line.start[links.other])
    apart += np.abs(line.end[links.one] - line.end[links.other])
    n = _sums(regions, links)
    return np.asarray(_sums(regions, links, apart / 2.0) / np.where(n > 0, n, np.nan))


DEVIATION: Final = "boundary_deviation"
METRICS_OF_SPANS: Final[Mapping[str, Callable[[Regions], FloatArray]]] = MappingProxyType(
    {"exact_f1": exact_f1, "partial_f1": partial_f1, DEVIATION: boundary_deviation}
)


def span_figures(
    table: pa.Table | pd.DataFrame,
    control_type: str = "span",
    metrics: Sequence[str] = (*METRICS_OF_SPANS, *ALPHAS),
    *,
    length: str | None = None,
    group: str | None = None,
    **settings: Unpack[PrecisionSettings],
) -> list[Figure]:
    """Agreement of intervals, one figure per metric, with interval or reason; units are resampled.

    Args:
        table: unit, annotator, regions; see `read_regions`.
        control_type: span, segment or timeline.
        metrics: names of `METRICS_OF_SPANS` or `ALPHAS`.
        length: column with the length of each unit's line; without it a line ends where its last interval does.
        group: column that clusters units.
        settings: the fields of `Precision`: seed, n_boot, confidence, n_min.

    Raises:
        InputError: an unknown metric, a type without intervals, a line that ends before an interval of it, or regions
            that cannot be used.

    >>> span = {"labels": ["name"], "start": 0.0, "end": 4.0}
    >>> table = pd.DataFrame({"unit": [1, 1], "annotator": ["a", "b"], "regions": [[span], [span | {"end": 2.0}]]})
    >>> [round(figure.value, 4) for figure in span_figures(table, metrics=["exact_f1", "partial_f1"], n_min=1)]
    [0.0, 0.6667]
    """
    if unknown := [name for name in metrics if name not in (*METRICS_OF_SPANS, *ALPHAS)]:
        known = ", ".join((*METRICS_OF_SPANS, *ALPHAS))
        raise InputError(f"metric {unknown[0]!r} does not compare intervals", remedy=f"give one of {known}")
    precision = Precision(**settings)
    try:
        regions = read_regions(table, control_type, group=group, keep=[length] if length else [])
    except NotEstimable as error:
        return [Figure(name, control_type, reason=str(error)) for name in metrics]
    line = regions.shapes_as(Intervals)
    lengths = regions.kept[length] if length else None
    return [
        unitised_alpha(name, control_type, regions, line, lengths, precision)
        if name in ALPHAS
        else _figure(name, control_type, regions, precision)
        for name in metrics
    ]


def _figure(name: str, control_type: str, regions: Regions, precision: Precision) -> Figure:
    values = METRICS_OF_SPANS[name](regions)
    known = values[~np.isnan(values)]
    if name == DEVIATION and len(known) and np.ptp(known) < ROUNDING:
        # A distance has no worst case that could bound it when all are alike.
        return Figure(name, control_type, reason=f"all ends deviate by {known[0]:g}, so there is no interval")
    return pair_figure(name, control_type, regions, values, precision)


def _same_label(regions: Regions, links: Links) -> NDArray[np.bool_]:
    return np.asarray(regions.label[links.one] == regions.label[links.other])


def _sums(regions: Regions, links: Links, weights: FloatArray | None = None) -> FloatArray:
    """Sum, or number, of the links of each two answers."""
    found = np.bincount(links.pair, weights=weights, minlength=len(regions.pairs.first))
    return found.astype(np.float64)
