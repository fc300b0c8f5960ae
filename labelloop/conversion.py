"""From the tasks of a Label Studio export (JSON) to rows of `annotations`, a chunk at a time.

An export says less than the server: it knows no units, guidelines or experts. What is read of the file is said here;
who reads and writes files hands the rows in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from operator import itemgetter
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.annotation_rows import SHARED, answer_rows, cancelled_rows
from labelloop.answer_columns import AnswerColumns
from labelloop.export_tasks import Annotation, Task, facts_of
from labelloop.interface import Answer, asked_by, parse
from labelloop.interface.confirmed import confirmed_questions, said_by_confirming
from labelloop.plain_answers import PlainAnswers, plain_answers
from labelloop.spec.interface import Interface

REFUSED: Final = pa.schema(
    [("task_id", pa.int64()), ("annotation_id", pa.string()), ("control", pa.string()), ("rule", pa.string())]
)
# The place of the annotation, the control if it is one's answer, and why.
_Refusal = tuple[int, str | None, str]


class Part(NamedTuple):
    """What some tasks of an export say by themselves, whatever stands before them.

    So many annotations gave `answers` as rows of the contract, were `skipped` without any, or `refused`. Their
    `annotator` is the number of an account; `annotators` are these in the order in which they appear, `controls` the
    kinds of all controls.
    """

    annotations: int
    annotators: list[str]
    controls: dict[str, str]
    answers: pa.Table
    skipped: pa.Table
    refused: pa.Table


class _Said(NamedTuple):
    """Answers and refusals with the place of their annotation, and which annotations have neither."""

    places: NDArray[np.int64]
    answers: pa.Table
    refused: list[_Refusal]
    skipped: NDArray[np.bool_]


class Conversion:
    """Puts the parts of one export together, in its order.

    Annotators are numbered in the order of their first annotation, so that one export always gives the same
    pseudonyms, and only the export leads back from them.
    """

    def __init__(self, interface: Interface | None = None) -> None:
        """Begin with the controls that a spec asks for."""
        asked = asked_by(interface) if interface else {}
        self.controls = {name: question.control_type for name, question in asked.items()}
        self.annotators: dict[str, str] = {}

    def take(self, part: Part) -> Part:
        """Return the next part with pseudonyms as `annotator`."""
        for annotator in part.annotators:
            self.annotators.setdefault(annotator, f"a-{len(self.annotators) + 1}")
        self.controls = part.controls | self.controls
        return part._replace(answers=self._named(part.answers), skipped=self._named(part.skipped))

    def _named(self, rows: pa.Table) -> pa.Table:
        place = rows.schema.get_field_index("annotator")
        coded = rows[place].combine_chunks().dictionary_encode()
        names = pa.array([self.annotators[number] for number in coded.dictionary.to_pylist()], pa.string())
        return rows.set_column(place, rows.field(place), names.take(coded.indices))

    def unanswered(self, skipped: pa.Table) -> Iterator[pa.Table]:
        """Yield, for each control that was asked or met so far, the cancelled rows of skipped annotations.

        Where its answers are of several kinds, these rows are of the first.
        """
        for control, control_type in sorted(self.controls.items()):
            yield cancelled_rows(skipped, control, control_type)


class PartReader:
    """Reads any tasks of an export.

    A task keeps the unit that labelloop made it for; any other is a unit of its own, its number in hexadecimal
    digits. For what an export does not tell, `prediction_shown` is whether the annotation was made from a prediction
    that says something, `guideline_version` `unknown`, `opinion_reason` `planned`.
    """

    def __init__(self, interface: Interface | None = None) -> None:
        """Read by what a spec asks; without one, answers are read by what they say themselves."""
        self._asked = asked_by(interface) if interface else {}
        self._confirmed = confirmed_questions(interface) if interface else {}

    def read(self, tasks: Sequence[Task | None]) -> Part:
        """Return what some tasks of the export gave."""
        annotations, facts = facts_of(tasks)
        said = self._said(annotations, facts["rule"].is_null().to_numpy())
        shared = self._shared(annotations, facts, said)
        return Part(
            len(annotations),
            shared["annotator"].drop_null().unique().to_pylist(),
            _controls(said.answers),
            answer_rows(shared, said.places, said.answers),
            shared.select(SHARED.names).filter(said.skipped).cast(SHARED),
            _refused(facts, said.refused),
        )

    def _said(self, annotations: Sequence[Annotation], sound: NDArray[np.bool_]) -> _Said:
        """Read the plain results at once and the others one by one."""
        given = np.flatnonzero(sound)
        plain = plain_answers([annotations[place].result for place in given.tolist()], self._asked)
        left = plain.left | self._confirmed_alone(plain)
        taken = ~left[plain.places]
        skipped = np.zeros(len(annotations), bool)
        skipped[given] = ~left & (np.bincount(plain.places, minlength=len(given)) == 0)
        others, refused = self._one_by_one(annotations, given[left].tolist())
        places = np.concatenate([given[plain.places[taken]], np.array(others.places, np.int64)])
        answers = pa.concat_tables([plain.said.filter(taken), others.table()])
        if others.places:
            order = np.argsort(places, kind="stable")
            places, answers = places[order], answers.take(order)
        return _Said(places, answers, refused, skipped)

    def _confirmed_alone(self, plain: PlainAnswers) -> NDArray[np.bool_]:
        """Return of which results somebody confirmed an answer that is not there."""
        found = np.zeros(len(plain.left), bool)
        for name, question in self._confirmed.items():
            confirmed, answered = (
                plain.places[pc.equal(plain.said["control"], control).to_numpy()] for control in (name, question.name)
            )
            found[np.setdiff1d(confirmed, answered)] = True
        return found

    def _one_by_one(
        self, annotations: Sequence[Annotation], places: Iterable[int]
    ) -> tuple[AnswerColumns, list[_Refusal]]:
        found = AnswerColumns()
        refused: list[_Refusal] = []
        for place in places:
            items = annotations[place].items()
            if items is None:
                refused.append((place, None, "its annotation has no list of results that can be read"))
                continue
            answers, problems = self._parsed(items)
            for answer in answers:
                found.add(place, answer)
            refused.extend((place, *problem) for problem in problems)
        return found, refused

    def _parsed(self, items: list[Any]) -> tuple[list[Answer], list[tuple[str, str]]]:
        answers, refused = parse(items, self._asked)
        answers += said_by_confirming(answers, {control for control, _ in refused}, self._confirmed)
        return answers, refused

    def _shared(self, annotations: Sequence[Annotation], facts: pa.Table, said: _Said) -> pa.Table:
        """Return the facts with all else that the answers of an annotation share."""
        same = {"opinion_reason": "planned", "guideline_version": "unknown"}
        repeated = {name: pa.repeat(pa.scalar(word), facts.num_rows) for name, word in same.items()}
        sound = facts["rule"].is_null().to_numpy()
        sound[[place for place, control, _ in said.refused if control is None]] = False
        authors = pc.if_else(pa.array(sound), facts["author"], pa.scalar(None, pa.int64()))
        cancelled = said.skipped | np.array([annotation.was_cancelled is True for annotation in annotations], bool)
        own = {"annotator": authors.cast(pa.string()), "state": pc.if_else(cancelled, "cancelled", "active")}
        return pa.table({**dict(zip(facts.column_names, facts.columns, strict=True)), **repeated, **own})


def _controls(answers: pa.Table) -> dict[str, str]:
    """Return the kind of each control, that of its first answer."""
    controls = answers["control"].combine_chunks().dictionary_encode()
    _, first = np.unique(controls.indices, return_index=True)
    kinds = answers["control_type"].take(pa.array(first))
    return dict(zip(controls.dictionary.to_pylist(), kinds.to_pylist(), strict=True))


def _refused(facts: pa.Table, found: list[_Refusal]) -> pa.Table:
    """Return what was refused of all annotations, those that are none by themselves too, in their order."""
    unsound = facts["rule"].is_valid().to_numpy()
    rules = facts["rule"].drop_null().to_pylist()
    all_found = [*zip(np.flatnonzero(unsound).tolist(), repeat(None), rules), *found]
    places, controls, words = zip(*sorted(all_found, key=itemgetter(0)), strict=True) if all_found else ((), (), ())
    named = facts.select(["task_id", "annotation_id"]).take(pa.array(places, pa.int64()))
    said = [pa.array(controls, pa.string()), pa.array(words, pa.string())]
    return pa.table([*named.columns, *said], names=REFUSED.names).cast(REFUSED)
