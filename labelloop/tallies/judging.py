"""What is counted of how annotators do: right or wrong by whom else, beside others on the same unit, and how long.

Only choices are judged, as in `labelloop.annotators`; nothing here is resampled, so that all is in one group.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.ratings import read_ratings
from labelloop.annotators.settled import settled_by_others
from labelloop.annotators.skill import compared
from labelloop.consensus.rulings import join_rulings
from labelloop.opinions import planned, split_rulings
from labelloop.tallies.changing import STEPS
from labelloop.tallies.tally import Codes, Key, Tally, codes_of

OF_NO_QUESTION: Final = ""  # the tally of times, which belong to annotations of several answers


def count_judged(tally: Tally, annotations: pa.Table, control: str, experts: Collection[str]) -> None:
    """Count the answers that an expert or the others settled, and how the others did on the same units.

    Args:
        tally: what is added to.
        annotations: rows of the contract `annotations`.
        control: of the question.
        experts: pseudonyms whose answers are rulings.
    """
    rows = annotations.filter(pc.equal(annotations["control_type"], "choices"))
    ratings, rulings = split_rulings(planned(rows, control), experts)
    if not ratings.num_rows:
        return
    coded, known = join_rulings(read_ratings(ratings), rulings)
    settled = settled_by_others(coded, known)
    there, found = settled >= 0, compared(coded, settled)
    who, values = ([str(name) for name in names.to_pylist()] for names in (coded.annotators, coded.values))
    sizes = [str(n) for n in range(int(coded.per_unit.max(initial=0)) + 1)]
    judged = [(coded.annotator[there], who), (settled[there], values), (coded.value[there], values)]
    beside = [(column, sizes) for column in (found.right, found.others, found.others_right)]
    _count(tally, ("judged",), judged)
    _count(tally, ("compared",), [(found.annotator, who), *beside])


def count_times(annotations: pa.Table) -> Tally:
    """Count how long annotations took: by annotator, in seconds to a hundredth of their logarithm.

    Args:
        annotations: rows of the contract `annotations`; the longest time of an annotation's answers is its time.
    """
    active, tally = annotations.filter(pc.equal(annotations["state"], "active")), Tally()
    taken = active.group_by(["annotator", "annotation_id"]).aggregate([("lead_time", "max")])
    seconds = taken["lead_time_max"].to_numpy(zero_copy_only=False).astype(np.float64)
    with np.errstate(divide="ignore"):
        steps = np.round(np.log(seconds) * STEPS)  # of no time at all minus infinity
    _count(tally, ("times",), [codes_of(taken["annotator"]), codes_of(pa.array(steps))])
    return tally


def _count(tally: Tally, family: Key, columns: Sequence[Codes]) -> None:
    tally.count(family, columns, np.zeros(len(columns[0][0]), dtype=np.int64))
