"""Annotators who may not have looked: copies of each other, and always the same answer. For people to look into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import CELLS, newcombe
from labelloop.agreement.pairs import pairs_of
from labelloop.agreement.ratings import FloatArray, IntArray, Ratings, read_ratings

OfTwo = tuple[tuple[str, str], Figure]


def shared_errors(
    ratings: pa.Table | pd.DataFrame | Ratings, *, confidence: float = 0.95, n_min: int = 10
) -> list[OfTwo]:
    """Of each two annotators how much more often they make the *same* error than other pairs; -1..1, sorted by name.

    Right answers agree without anybody copying; errors only by chance, or because a unit is hard. Counted are units
    on which both differ from what most of the others said: the share with the same answer less that share of all
    other pairs, with Newcombe's interval, widened for the number of pairs (Bonferroni). Where three or four careless
    people outvote two careful ones, the careful look like copies: look at the answers before anybody is asked.

    Args:
        ratings: long table unit, annotator, value; see `labelloop.agreement.read_ratings`.
        confidence: of all intervals together.
        n_min: with fewer shared errors, of the two or of the others, a reason takes the place of the figure.

    Raises:
        InputError: ratings that cannot be used.
    """
    coded = read_ratings(ratings)
    pairs = pairs_of(coded)
    wrong = both_wrong(coded, pairs.first, pairs.second)
    first, second = pairs.first[wrong], pairs.second[wrong]
    code = coded.annotator[first] * len(coded.annotators) + coded.annotator[second]
    codes, of = np.unique(code, return_inverse=True)
    n, same = (
        np.bincount(of.reshape(-1)),
        np.bincount(of.reshape(-1), weights=coded.value[first] == coded.value[second]),
    )
    names = [str(name) for name in coded.annotators.to_pylist()]
    people = [(names[one], names[other]) for one, other in zip(*divmod(codes, max(len(names), 1)), strict=True)]
    cases = dict(zip(people, zip(same.tolist(), n.tolist(), strict=True), strict=True))
    return figures_of_shared_errors(cases, confidence=confidence, n_min=n_min)


def figures_of_shared_errors(
    cases: Mapping[tuple[str, str], tuple[float, int]], *, confidence: float = 0.95, n_min: int = 10
) -> list[OfTwo]:
    """The figures of `shared_errors` from what was counted: of each two (same error, both wrong)."""
    level = 1.0 - (1.0 - confidence) / max(len(cases), 1)
    total = (sum(same for same, _ in cases.values()), sum(n for _, n in cases.values()))
    return [
        (two, _difference("shared_errors", own, (total[0] - own[0], total[1] - own[1]), 2, level, n_min))
        for two, own in sorted(cases.items())
    ]


def constancy(
    ratings: pa.Table | pd.DataFrame | Ratings, *, confidence: float = 0.95, n_min: int = 10
) -> list[tuple[str, Figure]]:
    """Of each annotator how much more often they give their favourite answer than the median other gives theirs.

    Near 0 for whoever looks; near 1 for whoever always presses the same button. With Newcombe's interval, widened for
    the number of annotators (Bonferroni). Sorted by name; arguments and errors as for `shared_errors`.

    >>> table = pd.DataFrame({"unit": [*range(40)] * 2, "annotator": ["a"] * 40 + ["b"] * 40})
    >>> table["value"] = ["x"] * 40 + ["x", "y"] * 20
    >>> [(who, figure.value) for who, figure in constancy(table)]
    [('a', 0.5), ('b', -0.5)]
    """
    coded = read_ratings(ratings)
    shape = (len(coded.annotators), len(coded.values))
    several = coded.per_unit[coded.unit] > 1
    cell = (coded.annotator * shape[1] + coded.value)[several]
    given = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    names = [str(name) for name in coded.annotators.to_pylist()]
    return figures_of_constancy(dict(zip(names, given, strict=True)), confidence=confidence, n_min=n_min)


def figures_of_constancy(
    given: Mapping[str, IntArray], *, confidence: float = 0.95, n_min: int = 10
) -> list[tuple[str, Figure]]:
    """The figures of `constancy` from what was counted: how often each gave each value to a unit that others saw."""
    level = 1.0 - (1.0 - confidence) / max(len(given), 1)
    names = sorted(given)
    most = np.array([given[name].max(initial=0) for name in names], dtype=np.float64)
    answers = np.array([given[name].sum() for name in names], dtype=np.int64)
    return [
        (name, _difference("constancy", *sides, 1, level, n_min))
        for name, sides in zip(names, _favourites(most, answers), strict=True)
    ]


def _favourites(most: FloatArray, answers: IntArray) -> Iterator[tuple[tuple[float, int], tuple[float, int]]]:
    """(Times the favourite was given, answers) of each annotator, and of the median of the others."""
    share = most / np.maximum(answers, 1)
    for annotator in range(len(most)):
        others = np.flatnonzero((answers > 0) & (np.arange(len(most)) != annotator))
        own = (float(most[annotator]), int(answers[annotator]))
        if len(others):
            median = others[np.argsort(share[others], kind="stable")[len(others) // 2]]
            yield own, (float(most[median]), int(answers[median]))
        else:
            yield own, (0.0, 0)


def both_wrong(ratings: Ratings, first: IntArray, second: IntArray) -> IntArray:
    """Places of the pairs of answers that both differ from the majority of everybody else, where there is one."""
    n_values = max(len(ratings.values), 1)
    shape = (len(ratings.units), n_values)
    counts = sparse.csr_array((np.ones(len(ratings.unit)), (ratings.unit, ratings.value)), shape=shape)
    blocks = [
        np.arange(at, min(at + CELLS // n_values + 1, len(first)))
        for at in range(0, len(first), CELLS // n_values + 1)
    ]
    found = [block[_differ(ratings, counts, first[block], second[block])] for block in blocks]
    return np.concatenate([np.empty(0, dtype=np.int64), *found])


def _differ(ratings: Ratings, counts: Any, first: IntArray, second: IntArray) -> NDArray[np.bool_]:
    """Whether both answers of each pair differ from the one that most of the others gave."""
    others, rows = counts[ratings.unit[first]].toarray(), np.arange(len(first))
    for one in (first, second):
        np.subtract.at(others, (rows, ratings.value[one]), 1)
    best = others.argmax(axis=1)
    most = others[rows, best]
    settled = (most > 0) & (np.count_nonzero(others == most[:, None], axis=1) == 1)
    return np.asarray(settled & (ratings.value[first] != best) & (ratings.value[second] != best))


def _difference(
    name: str, own: tuple[float, int], others: tuple[float, int], n_annotators: int, level: float, n_min: int
) -> Figure:
    if min(own[1], others[1]) < n_min:
        return Figure(name, "difference", reason=f"cases to compare: {min(own[1], others[1])}, fewer than {n_min}")
    low, high = newcombe(own, others, level)
    value = own[0] / own[1] - others[0] / others[1]
    return Figure(name, "difference", value, low, high, own[1], n_annotators, own[1] + others[1])
