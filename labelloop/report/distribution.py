"""Distributions: how often a figure lies where, drawn as a histogram with the same counts in a table beside it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelloop.report.charts import histogram
from labelloop.report.section import Chart, Grid

_BINS = 10


def distribution(
    values: NDArray[np.float64], *, of: str, counted: str, said: str, extent: tuple[float, float] | None = None
) -> tuple[Chart, Grid]:
    """Return how often values lie in each tenth of their range, as a drawing and as a table.

    Args:
        values: (n,) finite, at least one. A value on an edge counts in the bin above it, the highest in the last bin.
        of: what the values are; the axis and the table are named after it.
        counted: what each value belongs to, in the plural.
        said: what the drawing shows, in a sentence.
        extent: lowest edge and highest, no value beyond them; by default the lowest and the highest value.

    >>> _, grid = distribution(np.array([0.0, 0.05, 1.0]), of="share", counted="units", said="Shares.")
    >>> grid.caption, grid.rows[0], grid.rows[-1]
    ('units by share', ('0.000 to 0.100', 2), ('0.900 to 1.000', 1))
    """
    counts, edges = np.histogram(values, bins=_BINS, range=extent)
    bins: list[dict[str, Any]] = [
        {"low": float(low), "high": float(high), "n": int(n)}
        for low, high, n in zip(edges, edges[1:], counts, strict=False)
    ]
    decimals = max(3, 1 - math.floor(math.log10(edges[1] - edges[0])))  # edges of narrow bins differ only far behind
    rows = [(f"{row['low']:.{decimals}f} to {row['high']:.{decimals}f}", row["n"]) for row in bins]
    return Chart(histogram(bins, title=of, count=counted), said), Grid(f"{counted} by {of}", (of, counted), rows)
