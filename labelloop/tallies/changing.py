"""What is counted of how agreement changes: with time, within a sitting, and with a prediction on the screen.

Agreement of an answer is k of n others who say the same, so that whole numbers tell it; seconds are counted in steps
of a hundredth of their logarithm.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from labelloop.agreement.changes_of_agreement import FRESH, sittings
from labelloop.agreement.disagreement import agreement_of_ratings
from labelloop.agreement.ratings import IntArray
from labelloop.strata import strata_of
from labelloop.tallies.answers import Answers
from labelloop.tallies.tally import GROUPS, Codes, Tally, codes_of

STEPS: Final = 100  # of seconds, for each factor e


class _Clusters(NamedTuple):
    """The cluster of each answer, and the random group of each cluster."""

    of: IntArray
    group: IntArray


def count_changes(tally: Tally, answers: Answers, weeks: pa.ChunkedArray | pa.Array, batches: pa.Table) -> None:
    """Count agreement by week, freshness and what was shown, and seconds by freshness.

    Args:
        tally: what is added to.
        answers: to one question.
        weeks: of each row, of the last answer to its unit.
        batches: which round each unit belongs to.
    """
    rows, ratings = answers.rows, answers.ratings
    others = ratings.per_unit[ratings.unit] - 1
    alike = np.round(np.nan_to_num(agreement_of_ratings(ratings)) * others).astype(np.int64)
    agreement, compared = [(alike, answers.sizes), (others, answers.sizes)], others > 0
    units = _Clusters(ratings.unit, answers.of_unit)
    sitting, fresh = _sittings(answers, strata_of(rows["unit_id"], batches).round)
    shown = (rows["prediction_shown"].to_numpy(zero_copy_only=False).astype(np.int64), ["hidden", "shown"])
    _count_sides(tally, "drift", [codes_of(weeks), *agreement], units, compared)
    _count_sides(tally, "fatigue", [fresh, *agreement], sitting, compared)
    _count_sides(tally, "prediction_effect", [shown, *agreement], units, compared)
    seconds = rows["lead_time"].to_numpy(zero_copy_only=False).astype(np.float64)
    timed = seconds > 0
    steps = np.round(np.log(np.where(timed, seconds, 1.0)) * STEPS).astype(np.int64)
    _count_sides(tally, "slowing", [fresh, codes_of(pa.array(steps))], sitting, timed)


def _sittings(answers: Answers, chosen_in: IntArray) -> tuple[_Clusters, Codes]:
    """The sitting of each answer, named by who sat down when, and whether it was given fresh or tired."""
    ratings = answers.ratings
    time = answers.rows["updated_at"].to_numpy().astype("datetime64[us]").astype(np.int64)
    who = chosen_in * len(answers.annotators) + ratings.annotator
    sitting, position = sittings(who, time)
    first = np.flatnonzero(position == 0)
    begun = np.empty(len(first), dtype=np.int64)
    begun[sitting[first]] = first
    names = pd.util.hash_array(np.asarray(answers.annotators, dtype=object))
    name = pd.util.hash_array(time[begun]) ^ names[ratings.annotator[begun]]
    group = (name % np.uint64(GROUPS)).astype(np.int64)
    return _Clusters(sitting, group), ((position >= FRESH).astype(np.int64), ["fresh", "tired"])


def _count_sides(
    tally: Tally, metric: str, columns: list[Codes], clusters: _Clusters, kept: NDArray[np.bool_]
) -> None:
    """Count answers by the first column, the side, and what the others say; and clusters by side."""
    of = clusters.of[kept]
    tally.count(("change", metric), [(code[kept], names) for code, names in columns], clusters.group[of])
    side, names = columns[0]
    seen = np.unique(of * len(names) + side[kept])
    cluster, code = np.divmod(seen, max(len(names), 1))
    tally.count(("cases", metric), [(code, names)], clusters.group[cluster])
