"""Agreement of everyone, of each two annotators, and of each annotator with the others.

What the ratings are (planned opinions only, which control, which window) is the caller's choice; the coefficients
are in `table.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, TypeAlias, Unpack

import numpy as np
import pandas as pd
import pyarrow as pa

from labelloop.agreement.all_pairs import WEIGHTS, fits, pair_kappas
from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import Precision, PrecisionSettings
from labelloop.agreement.measurements import OF_NUMBERS, number_figure
from labelloop.agreement.pairs import Pairs, crosstab, crosstab_with_others, pairs_of
from labelloop.agreement.patterns import Patterns, patterns_by_annotator, patterns_of
from labelloop.agreement.ratings import IntArray, Ratings, read_ratings
from labelloop.agreement.similarity import Scale, scale_of
from labelloop.agreement.table import (
    DEFAULTS,
    METRICS,
    OF_ONE,
    SAME_VALUE,
    SINGLE,
    Extent,
    few_units,
    figure_of,
    known_metrics,
)

Pairwise: TypeAlias = tuple[tuple[str, str], Figure]


def measure(
    ratings: pa.Table | pd.DataFrame | Ratings,
    metrics: Sequence[str] | None = None,
    level: str = "nominal",
    *,
    categories: Sequence[Any] | None = None,
    group: str | None = None,
    **settings: Unpack[PrecisionSettings],
) -> list[Figure]:
    """Agreement of all annotators, one figure per metric in the order asked for, with interval or reason.

    Args:
        ratings: long table unit, annotator, value; see `read_ratings`.
        metrics: names from `METRICS` or `OF_NUMBERS`; without them those usual at the level.
        level: nominal, ordinal, interval or ratio; jaccard, masi or taxonomy for sets of labels or of paths. Percent,
            Cohen's and Fleiss' kappa and AC1 ignore it.
        categories: every value that could be given, ascending; needed for the order of text.
        group: column that clusters units; the bootstrap then draws whole groups.
        settings: the fields of `Precision`: seed, n_boot, confidence, n_min.

    Raises:
        InputError: an unknown metric or level, or ratings that cannot be used.

    >>> columns = {"unit": [*range(6)] * 2, "annotator": ["a"] * 6 + ["b"] * 6, "value": [*"xxyyxyxxyyxx"]}
    >>> table = pd.DataFrame(columns)
    >>> round(measure(table, ["krippendorff_alpha"])[0].value, 4)
    0.6857
    """
    precision = Precision(**settings)
    coded = read_ratings(ratings, categories=categories, group=group)
    scale = scale_of(coded, level)
    names = known_metrics(metrics or DEFAULTS[level], (*METRICS, *OF_NUMBERS))
    if reason := _nothing_to_compare(coded):
        return [Figure(name, level, reason=reason) for name in names]
    extent = _extent(coded)
    bases = _bases(coded, extent, {METRICS[name].basis for name in names if name in METRICS})
    return [
        number_figure(name, coded, scale, precision)
        if name in OF_NUMBERS
        else figure_of(name, scale, bases[METRICS[name].basis], extent, precision)
        for name in names
    ]


def _bases(ratings: Ratings, extent: Extent, wanted: Collection[str]) -> dict[str, Patterns]:
    """What the metrics look at; only what is wanted is built."""
    bases = {"patterns": patterns_of(ratings)}
    if "annotators" in wanted:
        bases["annotators"] = patterns_by_annotator(ratings)
    if "two" in wanted:
        bases["two"] = crosstab(pairs_of(ratings)) if extent.n_annotators == 2 else bases["patterns"]
    return bases


def pairwise(
    ratings: pa.Table | pd.DataFrame | Ratings,
    metric: str = "cohen_kappa",
    level: str = "nominal",
    *,
    categories: Sequence[Any] | None = None,
    group: str | None = None,
    **settings: Unpack[PrecisionSettings],
) -> list[Pairwise]:
    """Agreement of each two annotators who share a unit, sorted by name; pairs that share none are left out.

    Arguments and errors as for `measure`. The interval of a kappa has a closed form: thousands of pairs cost one
    count.

    >>> columns = {"unit": [*range(6)] * 2, "annotator": ["a"] * 6 + ["b"] * 6, "value": [*"xxyyxyxxyyxx"]}
    >>> table = pd.DataFrame(columns)
    >>> [(pair, round(figure.value, 3)) for pair, figure in pairwise(table)]
    [(('a', 'b'), 0.667)]
    """
    precision = Precision(**settings)
    coded = read_ratings(ratings, categories=categories, group=group)
    scale = scale_of(coded, level)
    known_metrics([metric], tuple(METRICS))
    if metric in WEIGHTS and fits(coded):
        return _kappas(coded, scale, metric, precision)
    pairs = pairs_of(coded)
    left, right = coded.annotator[pairs.first], coded.annotator[pairs.second]
    figures = []
    for code, entries in _split(left * len(coded.annotators) + right):
        extent = Extent(len(entries), 2, 2 * len(entries))
        figure = figure_of(metric, scale, crosstab(pairs.where(entries)), extent, precision)
        first, second = divmod(code, len(coded.annotators))
        figures.append(((_name(coded, first), _name(coded, second)), figure))
    return figures


def _kappas(ratings: Ratings, scale: Scale, metric: str, precision: Precision) -> list[Pairwise]:
    found = pair_kappas(ratings, scale, metric, precision.confidence)
    columns = (found.first, found.second, found.n, found.n_independent, found.value, found.low, found.high)
    who, figures = [str(name) for name in ratings.annotators.to_pylist()], []
    for first, second, n, n_independent, value, low, high in zip(*(one.tolist() for one in columns), strict=True):
        figure = Figure(metric, scale.level, value, low, high, n, 2, 2 * n)
        if n < precision.n_min:
            figure = Figure(metric, scale.level, reason=few_units(n, precision.n_min))
        elif np.isnan(value):
            figure = Figure(metric, scale.level, reason=SAME_VALUE)
        elif n_independent < 2:
            figure = Figure(metric, scale.level, reason=SINGLE)
        figures.append(((who[first], who[second]), figure))
    return figures


def per_annotator(
    ratings: pa.Table | pd.DataFrame | Ratings,
    metric: str = "percent_agreement",
    level: str = "nominal",
    *,
    categories: Sequence[Any] | None = None,
    group: str | None = None,
    **settings: Unpack[PrecisionSettings],
) -> list[tuple[str, Figure]]:
    """Agreement of each annotator with all others who saw the same units, sorted by name.

    Each unit counts once, shared equally by the others. With a kappa, chance comes from the annotator's own margins
    and those of the group: the index of an isolated annotator and a group (Vanbelle and Albert 2009). Annotators who
    share no unit are left out. Arguments and errors as for `measure`.

    >>> columns = {"unit": [*range(6)] * 2, "annotator": ["a"] * 6 + ["b"] * 6, "value": [*"xxyyxyxxyyxx"]}
    >>> table = pd.DataFrame(columns)
    >>> [(name, round(figure.value, 3)) for name, figure in per_annotator(table)]
    [('a', 0.833), ('b', 0.833)]
    """
    precision = Precision(**settings)
    coded = read_ratings(ratings, categories=categories, group=group)
    scale = scale_of(coded, level)
    known_metrics([metric], OF_ONE)
    pairs = pairs_of(coded)
    both = np.concatenate([coded.annotator[pairs.first], coded.annotator[pairs.second]])
    figures = []
    for annotator, entries in _split(both):
        own = pairs.where(entries % len(pairs.first))
        table = crosstab_with_others(own, annotator)
        figures.append((_name(coded, annotator), figure_of(metric, scale, table, _extent_of_one(own), precision)))
    return figures


def _split(code: IntArray) -> Iterator[tuple[int, IntArray]]:
    """Each distinct code, ascending, with the positions that have it, ascending."""
    order = np.argsort(code, kind="stable")
    codes, starts = np.unique(code[order], return_index=True)
    for value, positions in zip(codes, np.split(order, starts[1:]), strict=True) if len(codes) else ():
        yield int(value), positions


def _name(ratings: Ratings, annotator: int) -> str:
    return str(ratings.annotators[annotator].as_py())


def _extent(ratings: Ratings) -> Extent:
    several = ratings.per_unit >= 2
    shared = ratings if several.all() else ratings.take(several[ratings.unit])
    return Extent(int(np.count_nonzero(several)), int(np.count_nonzero(shared.present)), len(shared.unit))


def _extent_of_one(pairs: Pairs) -> Extent:
    annotators = pairs.ratings.annotator
    n_units = len(np.unique(pairs.unit))
    involved = np.union1d(annotators[pairs.first], annotators[pairs.second])
    return Extent(n_units, len(involved), n_units + len(pairs.first))


def _nothing_to_compare(ratings: Ratings) -> str | None:
    if not len(ratings.unit):
        return "there are no ratings"
    if np.count_nonzero(ratings.present) == 1:
        return "only one annotator"
    if ratings.per_unit.max() < 2:
        return "no unit was rated by two annotators"
    return None
