"""What the curves say: area, labels needed, and the two promises of the default, tested with Holm's correction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import t

MARGIN = 0.01  # one point: what the default may lose against the best single peer
REACHED = 0.95  # of the figure with all labels


Areas = Mapping[str, Mapping[str, Sequence[float]]]  # by strategy, by data set, one for each seed


class Comparison(NamedTuple):
    """A mean paired difference with its 95 % interval, and the one-sided p value of a claim about it."""

    mean: float
    low: float
    high: float
    p: float


def area(curve: Sequence[float]) -> float:
    """Return the area under a learning curve by the trapezoid rule, as the mean height between first and last batch.

    >>> area([0.5, 0.7, 0.9])
    0.7
    """
    return float(np.trapezoid(curve) / (len(curve) - 1))


def labels_needed(curve: Sequence[float], goal: float, batch: int) -> float:
    """Return the labels at which the curve first reaches the goal, between batches in a straight line.

    Infinite when it never does.

    >>> labels_needed([0.5, 0.7, 0.9], 0.8, 20)
    50.0
    """
    heights = np.asarray(curve)
    reached = np.flatnonzero(heights >= goal)
    if not len(reached):
        return float("inf")
    after = int(reached[0])
    if after == 0:
        return float(batch)
    before = heights[after - 1]
    return float(batch * (after + (goal - before) / (heights[after] - before)))


def paired(differences: Sequence[float], *, above: float = 0.0) -> Comparison:
    """Test by Student's paired t whether the mean difference is above a value.

    >>> paired([0.02, 0.03, 0.04]).p < 0.05
    True
    """
    values = np.asarray(differences)
    mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
    half = float(t.ppf(0.975, len(values) - 1)) * error
    p = float(t.sf((mean - above) / error, len(values) - 1)) if error else float(mean <= above)
    return Comparison(mean, mean - half, mean + half, p)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return adjusted p values (Holm, Scand. J. Statist. 6, 1979): below 0.05 holds for all named at once.

    >>> holm({"a": 0.01, "b": 0.04})
    {'a': 0.02, 'b': 0.04}
    """
    ordered = sorted(p_values, key=p_values.__getitem__)
    adjusted, least = {}, 0.0
    for rank, name in enumerate(ordered):
        least = max(least, min(1.0, p_values[name] * (len(ordered) - rank)))
        adjusted[name] = least
    return {name: adjusted[name] for name in p_values}


def verdict(areas: Areas, *, default: str, peers: Sequence[str]) -> dict[str, Any]:
    """Return whether the default keeps its promises.

    Args:
        areas: by strategy, by data set, one area for each seed.
        default: the strategy judged.
        peers: names of the rivals' strategies.

    Not worse than the best single peer: against every peer, the difference of the means over the data sets, paired by
    seed, is above minus one point. Never significantly worse than random: on each data set.
    """
    own = _over_sets(areas[default])
    against = {peer: paired(own - _over_sets(areas[peer]), above=-MARGIN) for peer in peers}
    best = max(peers, key=lambda peer: float(_over_sets(areas[peer]).mean()))
    lost = {name: paired(np.subtract(areas["random"][name], values)) for name, values in areas[default].items()}
    return {
        "best_peer": best,
        "against_peers": _told(against),
        "not_worse_than_best_peer": all(p < 0.05 for p in holm({k: v.p for k, v in against.items()}).values()),
        "random_minus_default": _told(lost),
        "worse_than_random_on": [k for k, p in holm({k: v.p for k, v in lost.items()}).items() if p < 0.05],
    }


def _over_sets(by_set: Mapping[str, Sequence[float]]) -> Any:
    """Mean over the data sets for each seed."""
    return np.mean(list(by_set.values()), axis=0)


def _told(tests: Mapping[str, Comparison]) -> dict[str, dict[str, float]]:
    adjusted = holm({name: test.p for name, test in tests.items()})
    return {
        name: {key: round(value, 5) for key, value in (*test._asdict().items(), ("holm", adjusted[name]))}
        for name, test in tests.items()
    }
