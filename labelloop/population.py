"""Agreement in the population that units were drawn from, by the audit units of closed batches."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.disagreement import agreement_of_ratings
from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import Precision, percentiles_of_ratio
from labelloop.agreement.ratings import read_ratings

METRIC = "percent_agreement"


def population_agreement(
    answers: pa.Table, batches: pa.Table, level: str, precision: Precision, group: str | None = None
) -> Figure:
    """Share of pairs of annotators who say the same, each audit unit weighing what it stands for (Hajek 1971).

    sum(agreement / p) / sum(1 / p) over the audit units that two or more answered, p the chance to be drawn; with the
    percentile interval over units or groups of them. The audit is drawn from all units before any is picked for
    another reason, so it speaks of all of them, and picked units add nothing. A batch that is not answered to its
    last audit unit does not count: which come first is no accident.

    Args:
        answers: unit, annotator, value.
        batches: unit_id, round, stratum, inclusion_probability.
        level: of the question, for the figure.
        precision: of the interval.
        group: column of the answers that clusters units.
    """
    audit = batches.filter(pc.equal(batches["stratum"], "audit"))
    is_answered = pc.is_in(audit["unit_id"], value_set=pc.unique(answers["unit"].combine_chunks()))
    open_rounds = pc.unique(audit.filter(pc.invert(is_answered))["round"])
    closed = audit.filter(pc.invert(pc.is_in(audit["round"], value_set=open_rounds)))
    counted = answers.filter(pc.is_in(answers["unit"], value_set=closed["unit_id"].combine_chunks()))
    ratings = read_ratings(counted, group=group)
    same = agreement_of_ratings(ratings)
    several = ratings.per_unit > 1
    if several.sum() < precision.n_min:
        told = f"audit units answered: {pc.sum(is_answered).as_py() or 0} of {audit.num_rows}"
        return Figure(METRIC, level, reason=f"not estimable: {told}, in closed batches twice: {int(several.sum())}")
    mean = np.bincount(ratings.unit, weights=same, minlength=len(several))[several] / ratings.per_unit[several]
    place = pc.index_in(ratings.units.filter(pa.array(several)), closed["unit_id"].combine_chunks())
    weight = 1.0 / closed["inclusion_probability"].take(place).to_numpy()
    of = None if ratings.group is None else ratings.group[several]
    low, high = percentiles_of_ratio(mean * weight, weight, precision, of)
    shared = several[ratings.unit]
    n_annotators = len(np.unique(ratings.annotator[shared]))
    value = float((mean * weight).sum() / weight.sum())
    return Figure(METRIC, level, value, low, high, len(mean), n_annotators, int(shared.sum()))
