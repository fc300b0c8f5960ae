"""From the tasks of a Label Studio export (JSON) to rows of `annotations`, a chunk at a time.

An export says less than the server: it knows no units, guidelines or experts. What is read of the file is said here;
who reads and writes files hands the rows in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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


class Chunk(NamedTuple):
    """What so many annotations gave: `answers` as rows of the contract, those without any, and what was refused."""

    annotations: int
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
    """Reads one export, chunk after chunk.

    Annotators are numbered in the order of their first annotation, so that one export always gives the same
    pseudonyms, and only the export leads back from them. A task keeps the unit that labelloop made it for; any other
    is a unit of its own, its number in hexadecimal digits. For what an export does not tell, `prediction_shown` is
    whether the annotation was made from a prediction, `guideline_version` `unknown`, `opinion_reason` `planned`.
    """

    def __init__(self, interface: Interface | None = None) -> None:
        """Begin with what a spec asks; without one, answers are read by what they say themselves."""
        self._asked = asked_by(interface) if interface else {}
        self._confirmed = confirmed_questions(interface) if interface else {}
        self.controls = {name: question.control_type for name, question in self._asked.items()}
        self.annotators: dict[int, str] = {}

    def read(self, tasks: Sequence[Task | None]) -> Chunk:
        """Return what some tasks of the export gave."""
        annotations, facts = facts_of(tasks)
        said = self._said(annotations, facts["rule"].is_null().to_numpy())
        met = said.answers.group_by(["control", "control_type"], use_threads=False).aggregate([])
        for control, control_type in zip(*(column.to_pylist() for column in met.columns), strict=True):
            self.controls.setdefault(control, control_type)
        shared = self._shared(annotations, facts, said)
        return Chunk(
            len(annotations),
            answer_rows(shared, said.places, said.answers),
            shared.select(SHARED.names).filter(said.skipped).cast(SHARED),
            pa.concat_tables([_unsound(facts), _refused(facts, said.refused)]),
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
        own = {"annotator": self._pseudonyms(authors), "state": pc.if_else(cancelled, "cancelled", "active")}
        return pa.table({**dict(zip(facts.column_names, facts.columns, strict=True)), **repeated, **own})

    def unanswered(self, skipped: pa.Table) -> Iterator[pa.Table]:
        """Yield, for each control that was asked or met so far, the cancelled rows of skipped annotations.

        Where its answers are of several kinds, these rows are of the first.
        """
        for control, control_type in sorted(self.controls.items()):
            yield cancelled_rows(skipped, control, control_type)

    def _pseudonyms(self, authors: pa.ChunkedArray) -> pa.Array:
        coded = authors.combine_chunks().dictionary_encode()
        for author in coded.dictionary.to_pylist():
            self.annotators.setdefault(author, f"a-{len(self.annotators) + 1}")
        names = [self.annotators[author] for author in coded.dictionary.to_pylist()]
        return pa.array(names, pa.string()).take(coded.indices)


def _unsound(facts: pa.Table) -> pa.Table:
    unsound = facts.filter(pc.is_valid(facts["rule"]))
    nothing = pa.nulls(unsound.num_rows, pa.string())
    columns = [unsound["task_id"], unsound["annotation_id"], nothing, unsound["rule"]]
    return pa.table(columns, names=REFUSED.names).cast(REFUSED)


def _refused(facts: pa.Table, found: list[_Refusal]) -> pa.Table:
    places, controls, rules = zip(*found, strict=True) if found else ((), (), ())
    named = facts.select(["task_id", "annotation_id"]).take(pa.array(places, pa.int64()))
    said = [pa.array(controls, pa.string()), pa.array(rules, pa.string())]
    return pa.table([*named.columns, *said], names=REFUSED.names).cast(REFUSED)
