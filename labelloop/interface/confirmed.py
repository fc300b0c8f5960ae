"""Empty answers that somebody gave on purpose: nothing is there to mark."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from labelloop.interface.answer import Answer
from labelloop.spec.confirmation import confirmation
from labelloop.spec.interface import Interface
from labelloop.spec.question import MARKS, Question


def confirmed_marks(interface: Interface) -> dict[str, Question]:
    """Return the questions of marks whose answer is confirmed, by the control that confirms it."""
    marks = [question for question in interface.questions if question.type in MARKS]
    return {due.name: question for question in marks if (due := confirmation(question))}


def nothing_marked(
    answers: Iterable[Answer], refused: Collection[str], confirmed: Mapping[str, Question]
) -> list[Answer]:
    """Return an answer without regions for each question of marks that was confirmed and has none.

    Label Studio stores nothing for it; without such an answer, "nothing there" would count as not answered.

    Args:
        answers: those of one annotation.
        refused: controls whose answer was not understood; theirs is no empty one.
        confirmed: see `confirmed_marks`.

    >>> from labelloop.spec.interface import Label
    >>> boxes = Question(name="boxes", type="rectangle", prompt="?", labels=(Label(value="cat"),))
    >>> said = Answer("boxes_confirmed", "choices", "choices", ["there is nothing to mark"], "[]")
    >>> found = nothing_marked([said], (), confirmed_marks(Interface(questions=(boxes,))))
    >>> [(one.control, one.value) for one in found]
    [('boxes', [])]
    """
    given = {answer.control for answer in answers}
    return [
        Answer(question.name, question.type, "regions", [], "[]")
        for name, question in confirmed.items()
        if name in given and question.name not in given and question.name not in refused
    ]
