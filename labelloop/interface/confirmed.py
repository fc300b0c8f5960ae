"""Answers that somebody gave by confirming alone: nothing is there to mark, or neither of two is better."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from labelloop.interface.answer import Answer
from labelloop.spec.confirmation import confirmation
from labelloop.spec.interface import Interface
from labelloop.spec.question import MARKS, Question

_BY_CONFIRMING: Final = MARKS | {"pairwise"}


def confirmed_questions(interface: Interface) -> dict[str, Question]:
    """Return the questions of marks and sides whose answer is confirmed, by the control that confirms it."""
    asked = [question for question in interface.questions if question.type in _BY_CONFIRMING]
    return {due.name: question for question in asked if (due := confirmation(question))}


def said_by_confirming(
    answers: Iterable[Answer], refused: Collection[str], confirmed: Mapping[str, Question]
) -> list[Answer]:
    """Return an answer for each question that was confirmed and has none: no regions, or a tie of two sides.

    Label Studio stores nothing for it; without such an answer, "nothing there" would count as not answered.

    Args:
        answers: those of one annotation.
        refused: controls whose answer was not understood; theirs is no empty one.
        confirmed: see `confirmed_questions`.

    >>> from labelloop.spec.interface import Label
    >>> boxes = Question(name="boxes", type="rectangle", prompt="?", labels=(Label(value="cat"),))
    >>> said = Answer("boxes_confirmed", "choices", "choices", ["there is nothing to mark"], "[]")
    >>> found = said_by_confirming([said], (), confirmed_questions(Interface(questions=(boxes,))))
    >>> [(one.control, one.value) for one in found]
    [('boxes', [])]
    """
    given = {answer.control: answer.value for answer in answers}
    unsaid = ((name, one) for name, one in confirmed.items() if one.name not in given and one.name not in refused)
    return [answer for name, one in unsaid if name in given for answer in _said(one, given[name])]


def _said(question: Question, chosen: list[str]) -> Iterator[Answer]:
    due = confirmation(question)
    if question.type in MARKS:
        yield Answer(question.name, question.type, "regions", [], "[]")
    elif due and chosen == [due.labels[-1].value]:
        yield Answer(question.name, question.type, "choices", ["tie"], "[]")
