"""What agreement changes with, from what was counted; definitions in `labelloop.agreement.changes_of_agreement`.

Time is told apart by weeks here, and intervals resample random groups of clusters or of sittings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from types import MappingProxyType
from typing import Final

import numpy as np

from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import Precision, percentiles_of_sums
from labelloop.agreement.ratings import FloatArray
from labelloop.tallies.changing import STEPS
from labelloop.tallies.tally import GROUPS, Tally

# What lies on the later of the two sides, and what is counted on both; of drift see `_later_weeks`.
_SIDES: Final = MappingProxyType(
    {
        "drift": ((), "units"),
        "fatigue": (("tired",), "sittings"),
        "slowing": (("tired",), "sittings"),
        "prediction_effect": (("shown",), "units"),
    }
)


def changes_counted(tally: Tally, n_annotators: int, precision: Precision) -> Iterator[Figure]:
    """Yield the four differences, each with interval or reason.

    Args:
        tally: of a question.
        n_annotators: who answered it.
        precision: of the intervals.
    """
    for metric, (later, what) in _SIDES.items():
        cases = {side: int(n.sum()) for (side,), n in tally.families.get(("cases", metric), {}).items()}
        late = _later_weeks(cases) if metric == "drift" else later
        n_sides = [sum(n for side, n in cases.items() if (side in late) is of) for of in (False, True)]
        if min(n_sides) < precision.n_min:
            reason = f"{what} on one of two sides: {min(n_sides)}, fewer than {precision.n_min}"
            yield Figure(metric, "difference", reason=reason)
            continue
        sums = _sums(tally, metric, late)
        low, high = percentiles_of_sums(sums[sums.any(axis=1)], _difference, precision)
        value, n_answers = float(_difference(sums.sum(axis=0)[None])[0]), int(sums[:, [1, 3]].sum())
        yield Figure(metric, "difference", value, low, high, sum(n_sides), n_annotators, n_answers)


def _difference(sums: FloatArray) -> FloatArray:
    return np.asarray(sums[:, 0] / sums[:, 1] - sums[:, 2] / sums[:, 3])


def _sums(tally: Tally, metric: str, late: Collection[str]) -> FloatArray:
    """In each group the sum and the number of the later values, then of the earlier."""
    found = np.zeros((GROUPS, 4))
    for (side, *seen), n in sorted(tally.families[("change", metric)].items()):
        value = int(seen[0]) / (int(seen[1]) if len(seen) > 1 else STEPS)
        place = 0 if side in late else 2
        found[:, place] += value * n
        found[:, place + 1] += n
    return found


def _later_weeks(cases: dict[str, int]) -> list[str]:
    """The weeks after the cut between two weeks that comes nearest to halving the units."""
    weeks = sorted(week for week, n in cases.items() if n)
    before = np.cumsum([cases[week] for week in weeks])[:-1]
    if not len(before):
        return []
    cut = int(np.argmin(np.abs(2 * before - sum(cases.values())))) + 1
    return weeks[cut:]
