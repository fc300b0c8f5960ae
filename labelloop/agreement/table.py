"""The table of metrics, and how one of them becomes a figure with an interval or a reason.

Adding a metric is one file and one line here. Whom a figure is about is decided in `scope.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from labelloop.agreement.brennan_prediger import brennan_prediger
from labelloop.agreement.cohen import cohen_kappa, cohen_kappa_linear, cohen_kappa_quadratic
from labelloop.agreement.conger import conger_kappa
from labelloop.agreement.figure import Figure
from labelloop.agreement.fleiss import fleiss_kappa
from labelloop.agreement.gwet import gwet_ac1, gwet_ac2
from labelloop.agreement.interval import Precision, bootstrap, coefficient, wilson
from labelloop.agreement.krippendorff import krippendorff_alpha
from labelloop.agreement.patterns import Disagreement, Patterns
from labelloop.agreement.percent import percent_agreement
from labelloop.agreement.similarity import Scale
from labelloop.errors import InputError, NotEstimable


@dataclass(frozen=True)
class Metric:
    """How a coefficient disagrees with perfection, and what it must be able to tell apart.

    `basis`: how often a category was chosen (`patterns`), the answers of exactly two annotators (`two`), or who chose
    what (`annotators`).
    """

    disagreement: Callable[[Patterns, Scale], Disagreement]
    basis: Literal["patterns", "two", "annotators"] = "patterns"
    corrects_chance: bool = True


METRICS = {
    "percent_agreement": Metric(percent_agreement, corrects_chance=False),
    "cohen_kappa": Metric(cohen_kappa, basis="two"),
    "cohen_kappa_linear": Metric(cohen_kappa_linear, basis="two"),
    "cohen_kappa_quadratic": Metric(cohen_kappa_quadratic, basis="two"),
    "fleiss_kappa": Metric(fleiss_kappa),
    "conger_kappa": Metric(conger_kappa, basis="annotators"),
    "brennan_prediger": Metric(brennan_prediger),
    "gwet_ac1": Metric(gwet_ac1),
    "gwet_ac2": Metric(gwet_ac2),
    "krippendorff_alpha": Metric(krippendorff_alpha),
}
# The figure of each question that gate and alarm look at: answers of every kind have exactly one of them.
DECISIVE = ("krippendorff_alpha", "kendall_tau_b", "alpha_of_objects")
SAME_VALUE = "every rating has the same value"
SINGLE = "a single unit or group of units cannot be resampled"
# Metrics that mean something for one annotator against the group of the others.
OF_ONE = ("percent_agreement", "cohen_kappa", "cohen_kappa_linear", "cohen_kappa_quadratic")
DEFAULTS = {
    "nominal": ("percent_agreement", "fleiss_kappa", "gwet_ac1", "krippendorff_alpha"),
    "ordinal": ("percent_agreement", "gwet_ac2", "krippendorff_alpha"),
    "interval": ("gwet_ac2", "krippendorff_alpha", "icc_2_1", "mean_absolute_difference"),
    "ratio": ("gwet_ac2", "krippendorff_alpha", "icc_2_1", "mean_absolute_difference"),
    "jaccard": ("percent_agreement", "krippendorff_alpha"),
    "masi": ("percent_agreement", "krippendorff_alpha"),
    "taxonomy": ("percent_agreement", "krippendorff_alpha"),
}


@dataclass(frozen=True)
class Extent:
    """What a figure rests on: units with two ratings or more, and their annotators and ratings."""

    n_units: int
    n_annotators: int
    n_ratings: int


def known_metrics(names: Sequence[str], allowed: Sequence[str]) -> Sequence[str]:
    """The names, all of them among the allowed ones.

    Raises:
        InputError: a name is not.
    """
    if unknown := [name for name in names if name not in allowed]:
        raise InputError(f"metric {unknown[0]!r} cannot be used here", remedy=f"give one of {', '.join(allowed)}")
    return names


def figure_of(name: str, scale: Scale, patterns: Patterns, extent: Extent, precision: Precision) -> Figure:
    """The figure of one metric on these patterns, or the reason why there is none."""
    try:
        value, low, high = _estimate(METRICS[name], scale, patterns, extent, precision)
    except NotEstimable as error:
        return Figure(name, scale.level, reason=str(error))
    return Figure(name, scale.level, value, low, high, extent.n_units, extent.n_annotators, extent.n_ratings)


def _estimate(
    metric: Metric, scale: Scale, patterns: Patterns, extent: Extent, precision: Precision
) -> tuple[float, float, float]:
    _refuse_too_little(metric, patterns, extent, precision.n_min)
    estimate = metric.disagreement(patterns, scale)
    value = float(coefficient(estimate(patterns.frequency[None, :]))[0])
    if np.isnan(value):
        raise NotEstimable("every rating that can be compared has the same value")
    if not metric.corrects_chance and _is_proportion(patterns):
        n_units = patterns.n_independent
        return value, *wilson(value * n_units, n_units, precision.confidence)
    return value, *bootstrap(estimate, patterns, precision)


def few_units(n_units: int, n_min: int) -> str:
    """The reason why a figure on so few units is not given."""
    return f"units rated by two annotators or more: {n_units}, fewer than {n_min}"


def _refuse_too_little(metric: Metric, patterns: Patterns, extent: Extent, n_min: int) -> None:
    if extent.n_units < n_min:
        raise NotEstimable(few_units(extent.n_units, n_min))
    if metric.corrects_chance and np.count_nonzero(patterns.counts.sum(axis=0)) < 2:
        raise NotEstimable(SAME_VALUE)
    if patterns.clusters is not None and patterns.clusters.shape[0] < 2:
        raise NotEstimable(SINGLE)


def _is_proportion(patterns: Patterns) -> bool:
    """True when each unit either agrees or not, and on its own: two ratings each, no clusters."""
    return patterns.clusters is None and bool(np.all(patterns.size <= 2))
