"""What agreement changes with: time, the position in a sitting, and whether a prediction was shown.

Each is a difference of means, later minus earlier or with minus without, with Student's interval over what is
independent, units or sittings, by the pull of each on the difference (Binder 1983). It says that two things go
together; only a random choice of who is shown what says which causes which.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.stats import t as student

from labelloop.agreement.disagreement import agreement_of_ratings
from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import Precision
from labelloop.agreement.ratings import FloatArray, IntArray, read_ratings
from labelloop.errors import InputError

PAUSE: Final = timedelta(minutes=30)  # whoever rests longer begins a new sitting
FRESH: Final = 20  # answers of a sitting before which nobody is tired
METRICS: Final = ("drift", "fatigue", "slowing", "prediction_effect")


def changes(answers: pa.Table, *, group: str | None = None, confidence: float = 0.95, n_min: int = 5) -> list[Figure]:
    """Four differences, each with interval or reason.

    `drift`: agreement (share of the others who say the same, 0..1) in the later half of the units less the earlier.
    `fatigue`: agreement after the first 20 answers of a sitting less before; `slowing`: the same of log seconds per
    answer, 0.1 is about a tenth more. `prediction_effect`: agreement with a prediction on the screen less without.

    Args:
        answers: unit, annotator, value, time, seconds (null where not known), shown.
        group: column that clusters units.
        confidence: of the intervals.
        n_min: fewest units or sittings on each side.

    Raises:
        InputError: a column is missing, or ratings that cannot be used.
    """
    if missing := sorted({"time", "seconds", "shown"} - set(answers.column_names)):
        raise InputError(f"answers lack the column {', '.join(missing)}", remedy="give time, seconds and shown")
    ordered = answers.sort_by([("unit", "ascending"), ("annotator", "ascending")])
    ratings = read_ratings(ordered, group=group)
    if len(ratings.unit) != ordered.num_rows:
        raise InputError("an answer has no value", remedy="leave such answers out")
    time = ordered["time"].to_numpy().astype("datetime64[us]").astype(np.int64)
    shown = ordered["shown"].to_numpy().astype(bool)
    seconds = ordered["seconds"].to_numpy().astype(np.float64)
    same, precision = agreement_of_ratings(ratings), Precision(confidence=confidence, n_min=n_min)
    last = np.zeros(len(ratings.units), dtype=np.int64)
    np.maximum.at(last, ratings.unit, time)
    late = last > np.median(last[ratings.per_unit > 1]) if np.any(ratings.per_unit > 1) else last > 0
    sitting, position = sittings(ratings.annotator, time)
    tired = position >= FRESH
    duration = np.log(np.where(seconds > 0, seconds, np.nan))
    n_annotators = len(np.unique(ratings.annotator))
    cluster = ratings.unit if ratings.group is None else ratings.group[ratings.unit]
    told = (
        (same, late[ratings.unit], cluster, "units"),
        (same, tired, sitting, "sittings"),
        (duration, tired, sitting, "sittings"),
        (same, shown, cluster, "units"),
    )
    return [_difference(name, *one, n_annotators, precision) for name, one in zip(METRICS, told, strict=True)]


def sittings(annotator: IntArray, time: IntArray) -> tuple[IntArray, IntArray]:
    """The sitting of each answer, and how many answers of it came before; `time` in microseconds.

    >>> [found.tolist() for found in sittings(np.array([0, 0, 1]), np.array([0, 5, 0]))]
    [[0, 0, 1], [0, 1, 0]]
    """
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
    value, pull = 0.0, np.zeros(int(names.max()) + 1)
    for side, sign in ((later, 1.0), (~later, -1.0)):
        mean = float(values[side].mean())
        value += sign * mean
        pull += sign * np.bincount(names[side], values[side] - mean, minlength=len(pull)) / np.count_nonzero(side)
    deviation = float(np.sqrt((pull**2).sum() * len(pull) / (len(pull) - 1)))
    half = deviation * float(student.ppf(0.5 + precision.confidence / 2.0, len(pull) - 1))
    return Figure(name, "difference", value, value - half, value + half, len(pull), n_annotators, len(values))
