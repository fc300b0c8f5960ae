"""From the tasks of a Label Studio export (JSON) to rows of `annotations`, a chunk at a time.

An export says less than the server: it knows no units, guidelines or experts. What is read of the file is said here;
who reads and writes files hands the rows in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.annotation_rows import SHARED, answer_rows, cancelled_rows
from labelloop.answer_columns import AnswerColumns
from labelloop.export_tasks import Given, Task, annotations_in, facts_of
from labelloop.interface import Answer, asked_by, parse
from labelloop.interface.confirmed import nothing_marked
from labelloop.spec.interface import Interface

REFUSED: Final = pa.schema(
    [("task_id", pa.int64()), ("annotation_id", pa.string()), ("control", pa.string()), ("rule", pa.string())]
)


class Chunk(NamedTuple):
    """What so many annotations gave: `answers` as rows of the contract, those without any, and what was refused."""

    annotations: int
    answers: pa.Table
    skipped: pa.Table
    refused: pa.Table


@dataclass(frozen=True)
class _Said:
    """Answers and refusals with the place of their annotation, places without any, the state of each annotation."""

    states: list[str]
    answers: AnswerColumns = field(default_factory=AnswerColumns)
    skipped: list[int] = field(default_factory=list)
    refused: list[tuple[int, str | None, str]] = field(default_factory=list)


class Conversion:
    """Reads one export, chunk after chunk.

    Annotators are numbered in the order of their first annotation, so that one export always gives the same
    pseudonyms, and only the export leads back from them. A task keeps the unit that labelloop made it for; any other
    is a unit of its own, its number in hexadecimal digits. For what an export does not tell, `prediction_shown` is
    whether the annotation was made from a prediction, `guideline_version` `unknown`, `opinion_reason` `planned`.
    """

    def __init__(self, interface: Interface | None = None) -> None:
        """Begin with what a spec asks; without one, answers are read by what they say themselves."""
        self._interface = interface
        self._asked = asked_by(interface) if interface else {}
        self.controls = {name: question.control_type for name, question in self._asked.items()}
        self.annotators: dict[int, str] = {}

    def read(self, tasks: Sequence[Task | None]) -> Chunk:
        """Return what some tasks of the export gave."""
        given = annotations_in(tasks)
        facts = facts_of(given)
        said = self._said(given, facts["rule"].to_pylist())
        self.controls.update(zip(said.answers.controls, said.answers.control_types, strict=True))
        shared = self._shared(facts, said)
        return Chunk(
            len(given),
            answer_rows(shared, said.answers.places, said.answers.table()),
            shared.select(SHARED.names).take(pa.array(said.skipped, pa.int64())).cast(SHARED),
            pa.concat_tables([_unsound(facts), _refused(facts, said.refused)]),
        )

    def _said(self, given: Sequence[Given], rules: Sequence[str | None]) -> _Said:
        said = _Said(["active"] * len(given))
        for place, ((_, annotation), rule) in enumerate(zip(given, rules, strict=True)):
            if annotation is None or rule is not None:
                continue
            items = annotation.items()
            if items is None:
                said.refused.append((place, None, "its annotation has no list of results that can be read"))
                continue
            answers, problems = self._parsed(items)
            for answer in answers:
                said.answers.add(place, answer)
            if problems:
                said.refused.extend((place, *problem) for problem in problems)
            elif not answers:
                said.skipped.append(place)
            if annotation.was_cancelled is True or not items:
                said.states[place] = "cancelled"
        return said

    def _parsed(self, items: list[Any]) -> tuple[list[Answer], list[tuple[str, str]]]:
        answers, refused = parse(items, self._asked)
        if self._interface:
            answers += nothing_marked(answers, {control for control, _ in refused}, self._interface)
        return answers, refused

    def _shared(self, facts: pa.Table, said: _Said) -> pa.Table:
        """Return the facts with all else that the answers of an annotation share."""
        same = {"opinion_reason": "planned", "guideline_version": "unknown"}
        repeated = {name: pa.repeat(pa.scalar(word), facts.num_rows) for name, word in same.items()}
        sound = facts["rule"].is_null().to_numpy()
        sound[[place for place, control, _ in said.refused if control is None]] = False
        authors = pc.if_else(pa.array(sound), facts["author"], pa.scalar(None, pa.int64()))
        own = {"annotator": self._pseudonyms(authors), "state": pa.array(said.states, pa.string())}
        return pa.table({**dict(zip(facts.column_names, facts.columns, strict=True)), **repeated, **own})

    def unanswered(self, skipped: pa.Table) -> Iterator[pa.Table]:
        """Yield, for each control that was asked or met so far, the cancelled rows of skipped annotations."""
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


def _refused(facts: pa.Table, found: list[tuple[int, str | None, str]]) -> pa.Table:
    places, controls, rules = zip(*found, strict=True) if found else ((), (), ())
    named = facts.select(["task_id", "annotation_id"]).take(pa.array(places, pa.int64()))
    said = [pa.array(controls, pa.string()), pa.array(rules, pa.string())]
    return pa.table([*named.columns, *said], names=REFUSED.names).cast(REFUSED)
