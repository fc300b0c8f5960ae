"""From tasks as Label Studio holds them to rows of `annotations`, and to what became of each task.

Decides only; what was read when, and what is written where, is the business of `tasks/collect.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.contracts import Refusal, contract
from labelloop.errors import DecisionNeeded
from labelloop.interface import COLUMNS, Answer, Asked, asked_by, parse
from labelloop.interface.confirmed import confirmed_questions, said_by_confirming
from labelloop.push import planned_overlap
from labelloop.spec import ProjectSpec
from labelloop.spec.question import Question
from labelloop.workbench import RemoteAnnotation, RemoteTask

Row = dict[str, Any]


@dataclass(frozen=True)
class Reader:
    """How annotations of one server become rows.

    `pseudonym` turns a user's number into the annotator's pseudonym; `experts` are users whose answers are reviews.
    `known` are the rows of the `tasks` table by unit; a unit that is missing there is read with `defaults`.
    `gold` are units whose answer is known already, `onboarding` those of them that everybody answers. `earlier` are
    rows that answers were read as before, by annotation: who gave one stays known when that account is deleted.
    """

    spec: ProjectSpec
    server: str
    pseudonym: Callable[[int], str]
    experts: Collection[int]
    known: Mapping[str, Row]
    defaults: Row
    gold: Collection[str] = ()
    onboarding: Collection[str] = ()
    earlier: Mapping[str, Row] = field(default_factory=dict)

    @cached_property
    def asked(self) -> dict[str, Asked]:
        """What each control of the interface lets its answer be."""
        return asked_by(self.spec.interface)

    @cached_property
    def _confirmed(self) -> dict[str, Question]:
        return confirmed_questions(self.spec.interface)

    def rows(self, task: RemoteTask) -> tuple[list[Row], list[Refusal]]:
        """Return the rows of one task's annotations, and the answers that were refused.

        The first planned opinions in time are `planned` (`gold` of a gold unit), later ones `adaptive`, those of
        experts `review`; a skipped or empty annotation is a `cancelled` row for each question, with the reason of the
        opinion it stands for. Marks that were confirmed to be none are an answer without regions, two sides that are
        alike a tie.
        """
        rows: list[Row] = []
        refused: list[Refusal] = []
        planned = self._planned(task)
        for annotation in task.annotations:
            shared = self._shared(task, annotation, self._reason(task, annotation, planned))
            answers, problems = parse(annotation.result, self.asked)
            answers += said_by_confirming(answers, {control for control, _ in problems}, self._confirmed)
            rows += [shared | _typed(answer) for answer in answers]
            refused += [_refusal(shared, annotation, *problem) for problem in problems]
            if not answers and not problems:
                rows += [shared | _empty(name, question.control_type) for name, question in self.asked.items()]
        return rows, refused

    def annotator(self, annotation: RemoteAnnotation) -> str:
        """Return the pseudonym of who gave an answer."""
        earlier = self.as_before(annotation)
        return str(earlier["annotator"]) if earlier else self.pseudonym(annotation.user_id)

    def is_expert(self, annotation: RemoteAnnotation) -> bool:
        """Return whether an answer is an expert's."""
        earlier = self.as_before(annotation)
        return earlier["opinion_reason"] == "review" if earlier else annotation.user_id in self.experts

    def as_before(self, annotation: RemoteAnnotation) -> Row | None:
        """Return what the answer of a deleted account was read as before; None of any other."""
        return self.earlier.get(self._id(annotation)) if annotation.user_id < 0 else None

    def _id(self, annotation: RemoteAnnotation) -> str:
        return f"{self.server}:{annotation.annotation_id}"

    def _reason(self, task: RemoteTask, annotation: RemoteAnnotation, planned: Collection[int]) -> str:
        if self.is_expert(annotation):
            return "review"
        if task.unit_id in self.onboarding:
            return "gold"
        if annotation.annotation_id not in planned:
            return "adaptive"
        return "gold" if task.unit_id in self.gold else "planned"

    def _planned(self, task: RemoteTask) -> set[int]:
        """The first planned opinions in time, and what was skipped before they were there."""
        asked = [a for a in task.annotations if not self.is_expert(a)]
        lacking, found = planned_overlap(self.spec, task.unit_id), set()
        for annotation in sorted(asked, key=lambda a: (a.created_at, a.annotation_id)):
            if lacking:
                found.add(annotation.annotation_id)
                lacking -= not annotation.cancelled
        return found

    def _shared(self, task: RemoteTask, annotation: RemoteAnnotation, reason: str) -> Row:
        shown = self.known.get(task.unit_id, self.defaults)
        lead_time = annotation.lead_time
        return {
            "annotation_id": self._id(annotation),
            "unit_id": task.unit_id,
            "task_id": task.task_id,
            "annotator": self.annotator(annotation),
            "lead_time": lead_time if lead_time is not None and lead_time >= 0 else None,
            "opinion_reason": reason,
            "prediction_shown": shown["prediction_shown"],
            "guideline_version": shown["guideline_version"],
            "state": "cancelled" if annotation.cancelled or not annotation.result else "active",
            "created_at": annotation.created_at,
            "updated_at": annotation.updated_at,
        }


def _typed(answer: Answer) -> Row:
    return _row(answer.control, answer.control_type, answer.raw) | {answer.column: answer.value}


def _empty(control: str, control_type: str) -> Row:
    return _row(control, control_type, "[]")


def _row(control: str, control_type: str, raw: str) -> Row:
    return dict.fromkeys(COLUMNS) | {"control": control, "control_type": control_type, "raw": raw}


def _refusal(shared: Row, annotation: RemoteAnnotation, control: str, reason: str) -> Refusal:
    kept = {name: shared[name] for name in ("annotation_id", "unit_id")}
    payload = kept | {"control": control, "result": list(annotation.result)}
    return Refusal("annotations", f"{shared['annotation_id']}/{control}", reason, "raw", payload)


def keep_first_guidelines(rows: list[Row], present: pa.Table) -> list[Row]:
    """Return the rows with the guideline version and prediction they were first read with.

    An edit, or guidelines that change later, do not rewrite what was on the screen when the answer was given.
    """
    first = {(row["annotation_id"], row["control"]): row for row in present.to_pylist()}
    kept = ("guideline_version", "prediction_shown")
    return [
        row | {name: known[name] for name in kept}
        if (known := first.get((row["annotation_id"], row["control"])))
        else row
        for row in rows
    ]


def tombstones(present: pa.Table, seen: Collection[tuple[str, str]]) -> list[Row]:
    """Return rows for answers that are there no longer: their identity stays, their content goes.

    Args:
        present: rows of the contract `annotations`, of tasks that were read now or are no longer on the server.
        seen: (annotation_id, control) of every row read now.
    """
    lost = [
        row
        for row in present.to_pylist()
        if row["state"] != "deleted" and (row["annotation_id"], row["control"]) not in seen
    ]
    return [row | _empty(row["control"], row["control_type"]) | {"state": "deleted"} for row in lost]


def task_state(task: RemoteTask, annotators: int) -> str:
    """Return what became of a task: `answered` when the server hands it out no more, or nobody is left to ask.

    One whose overlap was lowered to its answers is handed out no more either, though the server does not finish it.

    Args:
        task: as the server holds it.
        annotators: how many people work on the project; when all have answered or skipped, nobody is left.

    >>> from datetime import UTC, datetime
    >>> waiting = RemoteTask(7, "unit", 2, False, media=(), updated_at=datetime(2026, 1, 1, tzinfo=UTC))
    >>> task_state(waiting, annotators=4)
    'open'
    """
    asked = {annotation.user_id for annotation in task.annotations}
    is_over = task.finished or task.answers >= task.overlap or len(asked) >= annotators
    return "answered" if is_over else "open"


def vanished(known: pa.Table, present: Collection[int], limit: float) -> pa.Table:
    """Return the tasks that are on the server no longer.

    Args:
        known: `task_id` and more of the tasks of this server, without the withdrawn ones.
        present: numbers of the tasks on the server.
        limit: a larger share of them is no clean-up but a wrong server or a restored backup.

    Raises:
        DecisionNeeded: more than the limit vanished; nothing was concluded from it.
    """
    gone = known.filter(pc.invert(pc.is_in(known["task_id"], pa.array([*present], pa.int64()))))
    if len(gone) > limit * len(known):
        raise DecisionNeeded(
            f"{len(gone)} of {len(known)} tasks are no longer in Label Studio, more than the share of {limit} that "
            "quality.disappearance_limit allows",
            remedy="restore the server's backup; if they were deleted on purpose, raise the limit for one run",
            vanished=len(gone),
            known=len(known),
        )
    return gone


def annotator_row(pseudonym: str, level: str, at: Any) -> Row:
    """Return the row of an annotator nothing is known of yet."""
    names = contract("annotators").schema.names
    plain = {"annotator": pseudonym, "level": level, "n": 0, "flagged": False, "measured_at": at}
    return dict.fromkeys(names) | plain
