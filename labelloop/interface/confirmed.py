"""Empty answers that somebody gave on purpose: nothing is there to mark."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from labelloop.interface.answer import Answer
from labelloop.spec.confirmation import confirmation
from labelloop.spec.interface import Interface
from labelloop.spec.question import MARKS


def nothing_marked(answers: Iterable[Answer], refused: Collection[str], interface: Interface) -> list[Answer]:
    """Return an answer without regions for each question of marks that was confirmed and has none.

    Label Studio stores nothing for it; without such an answer, "nothing there" would count as not answered.

    Args:
        answers: those of one annotation.
        refused: controls whose answer was not understood; theirs is no empty one.
        interface: what was asked.

    >>> from labelloop.spec.interface import Label, Question
    >>> boxes = Question(name="boxes", type="rectangle", prompt="?", labels=(Label(value="cat"),))
    >>> said = Answer("boxes_confirmed", "choices", "choices", ["there is nothing to mark"], "[]")
    >>> [(one.control, one.value) for one in nothing_marked([said], (), Interface(questions=(boxes,)))]
    [('boxes', [])]
    """
    given = {answer.control for answer in answers}
    return [
        Answer(question.name, question.type, "regions", [], "[]")
        for question in interface.questions
        if question.type in MARKS and question.name not in given and question.name not in refused
        if (due := confirmation(question)) and due.name in given
    ]
