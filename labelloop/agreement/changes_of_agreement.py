"""What agreement changes with: time, the position in a sitting, and whether a prediction was shown.

Each is a difference of means, later minus earlier or with minus without, with the percentile interval over what is
independent: units, or sittings. It says that two things go together; only a random choice of who is shown what says
which causes which.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelloop.agreement.disagreement import agreement_of_ratings
from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import CELLS, Precision
from labelloop.agreement.ratings import FloatArray, IntArray, read_ratings
from labelloop.errors import InputError

PAUSE: Final = timedelta(minutes=30)  # whoever rests longer begins a new sitting
FRESH: Final = 20  # answers of a sitting before which nobody is tired
METRICS: Final = ("drift", "fatigue", "slowing", "prediction_effect")


def changes(
    answers: pa.Table, *, seed: int = 0, n_boot: int = 1000, confidence: float = 0.95, n_min: int = 5
) -> list[Figure]:
    """Four differences, each with interval or reason.

    `drift`: agreement (share of the others who say the same, 0..1) in the later half of the units less the earlier.
    `fatigue`: agreement after the first 20 answers of a sitting less before; `slowing`: the same of log seconds per
    answer, 0.1 is about a tenth more. `prediction_effect`: agreement with a prediction on the screen less without.

    Args:
        answers: unit, annotator, value, time, seconds (null where not known), shown.
        seed: of the bootstrap over units, or over sittings.
        n_boot: its replicates.
        confidence: of the intervals.
        n_min: fewest units or sittings on each side.

    Raises:
        InputError: a column is missing, or ratings that cannot be used.
    """
    if missing := sorted({"time", "seconds", "shown"} - set(answers.column_names)):
        raise InputError(f"answers lack the column {', '.join(missing)}", remedy="give time, seconds and shown")
    ordered = answers.sort_by([("unit", "ascending"), ("annotator", "ascending")])
    ratings = read_ratings(ordered)
    if len(ratings.unit) != ordered.num_rows:
        raise InputError("an answer has no value", remedy="leave such answers out")
    time = ordered["time"].to_numpy().astype("datetime64[us]").astype(np.int64)
    shown = ordered["shown"].to_numpy().astype(bool)
    seconds = ordered["seconds"].to_numpy().astype(np.float64)
    same, precision = agreement_of_ratings(ratings), Precision(seed, n_boot, confidence, n_min)
    last = np.zeros(len(ratings.units), dtype=np.int64)
    np.maximum.at(last, ratings.unit, time)
    late = last > np.median(last[ratings.per_unit > 1]) if np.any(ratings.per_unit > 1) else last > 0
    sitting, position = _sittings(ratings.annotator, time)
    tired = position >= FRESH
    duration = np.log(np.where(seconds > 0, seconds, np.nan))
    n_annotators = len(np.unique(ratings.annotator))
    told = (
        (same, late[ratings.unit], ratings.unit, "units"),
        (same, tired, sitting, "sittings"),
        (duration, tired, sitting, "sittings"),
        (same, shown, ratings.unit, "units"),
    )
    return [_difference(name, *one, n_annotators, precision) for name, one in zip(METRICS, told, strict=True)]


def _sittings(annotator: IntArray, time: IntArray) -> tuple[IntArray, IntArray]:
    """The sitting of each answer, and how many answers of it came before."""
    order = np.lexsort((time, annotator))
    pause = np.diff(time[order], prepend=0) > PAUSE // timedelta(microseconds=1)
    begins = pause | (np.diff(annotator[order], prepend=-1) != 0)
    starts = np.flatnonzero(begins)
    number = np.cumsum(begins) - 1
    sitting, position = np.empty_like(number), np.empty_like(number)
    sitting[order], position[order] = number, np.arange(len(order)) - starts[number] if len(order) else number
    return sitting, position


def _difference(
    name: str,
    values: FloatArray,
    later: NDArray[np.bool_],
    cluster: IntArray,
    what: str,
    n_annotators: int,
    precision: Precision,
) -> Figure:
    """Mean of the values that are later less that of the others, with the interval over clusters."""
    known = ~np.isnan(values)
    values, later, cluster = values[known], later[known], cluster[known]
    n_sides = [len(np.unique(cluster[side])) for side in (~later, later)]
    if min(n_sides) < precision.n_min:
        reason = f"{what} on one of two sides: {min(n_sides)}, fewer than {precision.n_min}"
        return Figure(name, "difference", reason=reason)
    names = np.unique(cluster, return_inverse=True)[1].reshape(-1)
    sums = np.stack(
        [np.bincount(names, weights=side * of) for side in (later, ~later) for of in (values, 1.0 + 0 * values)]
    )
    found = np.concatenate([_of_sides(draw @ sums.T) for draw in _draws(sums.shape[1], precision)])
    tail = (1.0 - precision.confidence) / 2.0
    low, high = np.nanquantile(found, [tail, 1.0 - tail])
    value = float(_of_sides(sums.sum(axis=1)[None, :])[0])
    return Figure(name, "difference", value, float(low), float(high), sums.shape[1], n_annotators, len(values))


def _of_sides(sums: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[:, 0] / sums[:, 1] - sums[:, 2] / sums[:, 3])


def _draws(n: int, precision: Precision) -> Iterator[FloatArray]:
    rng, at_once = np.random.default_rng(precision.seed), max(1, CELLS // n)
    for start in range(0, precision.n_boot, at_once):
        size = min(at_once, precision.n_boot - start)
        yield rng.multinomial(n, np.full(n, 1.0 / n), size=size).astype(np.float64)
