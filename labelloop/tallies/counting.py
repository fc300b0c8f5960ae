"""What is counted of the answers to some rounds of units: every figure of categories follows from these numbers.

All rows of these rounds belong in: a unit's answers are compared with each other, and a sitting ends with its round.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.pairs import pairs_of
from labelloop.agreement.ratings import IntArray, Ratings
from labelloop.annotators.herd import both_wrong
from labelloop.opinions import answered, planned_answers
from labelloop.slices import names_of_slices
from labelloop.tallies.answers import COUNTED, Answers, Known, coded
from labelloop.tallies.changing import count_changes
from labelloop.tallies.judging import OF_NO_QUESTION, count_judged, count_times
from labelloop.tallies.tally import Codes, Key, Tally, codes_of


def counted(annotations: pa.Table, known: Known) -> dict[str, Tally]:
    """Count planned answers to each question, of questions without categories only their kind; and times.

    Args:
        annotations: rows of the contract `annotations`: all of the rounds that are counted.
        known: what is known of their units.
    """
    found = {control: _of_question(annotations, control, kind, known) for control, kind in answered(annotations)}
    return found | {OF_NO_QUESTION: count_times(annotations)} if found else {}


def _of_question(annotations: pa.Table, control: str, kind: str, known: Known) -> Tally:
    rows, tally = planned_answers(annotations, control), Tally()
    one = np.zeros(rows.num_rows, dtype=np.int64)
    count_judged(tally, annotations, control, known.experts)
    whole = kind not in COUNTED or rows["per_region"].null_count < rows.num_rows
    tally.count(("whole" if whole else "kind",), [(one, [kind])], one)
    if whole:
        return tally
    answers = coded(rows, kind, known.clusters)
    slices = dict(names_of_slices(answers.rows, known.batches))
    _count_people(tally, answers)
    for scope, names in slices.items():
        for name in sorted(one for one in pc.unique(names).to_pylist() if one):
            part = answers.ratings.take(pc.fill_null(pc.equal(names, name), False).to_numpy(zero_copy_only=False))
            _count_part(tally, answers, (scope, name), part)
    _count_audit(tally, answers, known.batches)
    count_changes(tally, answers, slices["window"], known.batches)
    if known.model is not None:
        _count_model(tally, answers, known.model.filter(pc.equal(known.model["control"], control)))
    return tally


def _count_people(tally: Tally, answers: Answers) -> None:
    """Who said what beside whom, and which two made an error together."""
    ratings, who, value = answers.ratings, answers.annotators, answers.values
    pairs = pairs_of(ratings)
    sides, group = (pairs.first, pairs.second), answers.of_unit[pairs.unit]
    people = [(ratings.annotator[side], who) for side in sides]
    said = [(ratings.value[side], value) for side in sides]
    tally.count(("pairs", "project", ""), [(ratings.per_unit[pairs.unit], answers.sizes), *people, *said], group)
    _count_given(tally, answers, ("project", ""), ratings)
    wrong = both_wrong(ratings, *sides)
    same = (said[0][0] == said[1][0])[wrong].astype(np.int64)
    tally.count(("errors",), [*((code[wrong], who) for code, _ in people), (same, ["apart", "same"])], group[wrong])


def _count_part(tally: Tally, answers: Answers, name: Key, part: Ratings) -> None:
    pairs = pairs_of(part)
    tally.count(("pairs", *name), answers.said(pairs), answers.of_unit[pairs.unit])
    _count_given(tally, answers, name, part)


def _count_given(tally: Tally, answers: Answers, name: Key, part: Ratings) -> None:
    size = (part.per_unit[part.unit], answers.sizes)
    given = [size, (part.annotator, answers.annotators), (part.value, answers.values)]
    tally.count(("given", *name), given, answers.of_unit[part.unit])


def _count_audit(tally: Tally, answers: Answers, batches: pa.Table) -> None:
    """Audit units that were answered; what was said of them where no audit unit of the round waits any more."""
    ratings, audit = answers.ratings, batches.filter(pc.equal(batches["stratum"], "audit"))
    place = pc.index_in(audit["unit_id"], value_set=ratings.units)
    tally.count(("audited",), [], answers.of_unit[pc.drop_null(place).to_numpy()])
    waiting = pc.unique(audit.filter(pc.is_null(place))["round"])
    closed = audit.filter(pc.invert(pc.is_in(audit["round"], value_set=waiting)))
    of_unit = _places(ratings.units, closed["unit_id"])
    pairs = pairs_of(part := ratings.take(of_unit[ratings.unit] >= 0))
    drawn = _at(of_unit[pairs.unit], closed["inclusion_probability"])
    tally.count(("audit",), [drawn, *answers.said(pairs)], answers.of_unit[pairs.unit])
    _count_given(tally, answers, ("audit", ""), part)


def _count_model(tally: Tally, answers: Answers, model: pa.Table) -> None:
    """What a model says beside each answer to the same unit."""
    ratings = answers.ratings
    place = _places(ratings.units, model["unit"])[ratings.unit]
    met = np.flatnonzero(place >= 0)
    own, said = (_at(place[met], model[name]) for name in ("annotator", "value"))
    size = (ratings.per_unit[ratings.unit[met]], answers.sizes)
    other = [(ratings.annotator[met], answers.annotators), (ratings.value[met], answers.values)]
    tally.count(("model",), [own, size, said, *other], answers.of_unit[ratings.unit[met]])


def _places(units: pa.Array, among: pa.ChunkedArray) -> IntArray:
    """Where each unit is among others, -1 where it is not."""
    place = pc.index_in(units, value_set=among.combine_chunks())
    return np.asarray(pc.fill_null(place, -1), dtype=np.int64)


def _at(places: IntArray, column: pa.ChunkedArray) -> Codes:
    codes, names = codes_of(column)
    return codes[places], names
