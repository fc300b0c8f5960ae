"""How long annotators take, and what an accepted label costs. Time with nobody at the screen does not count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.ratings import FloatArray
from labelloop.errors import InputError
from labelloop.sql import session

FENCE: Final = 1.5  # quartile distances above the upper quartile (Tukey 1977), of logarithms
_FEWEST: Final = 8  # times from which quartiles say something
_COLUMNS: Final = ["annotation_id", "control", "unit_id", "annotator", "choices", "lead_time", "state"]

# One annotation answers several controls in one sitting: its time counts once, and all of its answers must stand.
_ANSWERS = """
SELECT a.annotator, max(a.lead_time) AS seconds,
       bool_and(l.state IS NOT DISTINCT FROM 'accepted'
                AND (a.choices IS NULL OR array_to_string(a.choices, '|') = l.label)) AS accepted
FROM annotations a LEFT JOIN labels l ON l.unit_id = a.unit_id AND l.control = a.control
WHERE a.state = 'active'
GROUP BY a.annotator, a.annotation_id ORDER BY a.annotator, a.annotation_id
"""


@dataclass(frozen=True)
class Work:
    """Answers of one annotator, how long they took, and how many stand in an accepted label.

    `hours` leaves out idle time; `idle` counts the answers whose time was cut. `cost_per_accepted` is in the currency
    of the rate, None without a rate, times or accepted answers.
    """

    annotator: str
    answers: int
    accepted: int
    idle: int = 0
    median_seconds: float | None = None
    hours: float | None = None
    cost_per_accepted: float | None = None


def work_of(annotations: pa.Table, labels: pa.Table, *, hourly_rate: float | None = None) -> list[Work]:
    """The work of each annotator, sorted by name.

    A time counts up to the upper fence of all times of the project on a log scale: who went for lunch did not label
    for an hour. Answers that the server did not time are taken to last as long as the others of the same person.

    Args:
        annotations: rows of the contract `annotations`; active ones count.
        labels: rows of the contract `labels`. An answer is accepted when each of its labels is, and says the same.
        hourly_rate: pay for one hour.

    Raises:
        InputError: the rate is negative.
    """
    if hourly_rate is not None and hourly_rate < 0:
        raise InputError(f"the hourly rate is {hourly_rate}", remedy="give a number from 0")
    rows = _answers(annotations, labels)
    seconds = rows["seconds"].to_numpy(zero_copy_only=False).astype(np.float64)
    names, person = np.unique(rows["annotator"].to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
    accepted = rows["accepted"].to_numpy(zero_copy_only=False).astype(bool)
    of_each = {str(name): person == code for code, name in enumerate(names)}
    stand = {name: int(accepted[own].sum()) for name, own in of_each.items()}
    return works({name: seconds[own] for name, own in of_each.items()}, stand, hourly_rate=hourly_rate)


def accepted_answers(annotations: pa.Table, labels: pa.Table) -> dict[str, int]:
    """Return how many answers of each annotator stand in an accepted label; arguments as for `work_of`."""
    rows = _answers(annotations, labels)
    names = pc.value_counts(rows.filter(rows["accepted"])["annotator"]).to_pylist()
    return {name["values"]: name["counts"] for name in names}


def _answers(annotations: pa.Table, labels: pa.Table) -> pa.Table:
    with session() as db:
        db.register("annotations", annotations.select(_COLUMNS))
        db.register("labels", labels.select(["unit_id", "control", "label", "state"]))
        return db.sql(_ANSWERS).to_arrow_table()


def works(
    seconds: Mapping[str, FloatArray], accepted: Mapping[str, int], *, hourly_rate: float | None = None
) -> list[Work]:
    """The figures of `work_of` from the seconds of every answer, NaN where it was not timed, and accepted answers."""
    cap = idle_cap(np.concatenate([np.empty(0), *seconds.values()]))
    return [_work(name, own, accepted.get(name, 0), cap, hourly_rate) for name, own in seconds.items()]


def idle_cap(seconds: FloatArray) -> float:
    """Seconds beyond which somebody was not at work: the upper fence on a log scale; infinite with few times.

    >>> round(idle_cap(np.array([4.0, 5, 5, 6, 6, 7, 8, 9, 3600])), 1)
    16.2
    """
    timed = np.log(seconds[seconds > 0])
    if len(timed) < _FEWEST:
        return float("inf")
    lower, upper = np.quantile(timed, [0.25, 0.75])
    return float(np.exp(upper + FENCE * (upper - lower)))


def cost_per_label(works: Sequence[Work], labels: pa.Table, hourly_rate: float) -> float | None:
    """Pay for all the work over the accepted labels; None without times or labels.

    >>> states = pa.table({"state": ["accepted", "accepted", "conflict"]})
    >>> cost_per_label([Work("a", answers=3, accepted=2, hours=0.5)], states, hourly_rate=20.0)
    5.0
    """
    hours = [work.hours for work in works if work.hours is not None]
    accepted = labels["state"].to_pylist().count("accepted")
    return sum(hours) * hourly_rate / accepted if hours and accepted else None


def _work(name: str, seconds: FloatArray, accepted: int, cap: float, hourly_rate: float | None) -> Work:
    timed = seconds[~np.isnan(seconds)]
    if not len(timed):
        return Work(name, len(seconds), accepted)
    hours = float(np.minimum(timed, cap).mean()) * len(seconds) / 3600.0
    cost = hours * hourly_rate / accepted if hourly_rate is not None and accepted else None
    return Work(name, len(seconds), accepted, int((timed > cap).sum()), float(np.median(timed)), hours, cost)
