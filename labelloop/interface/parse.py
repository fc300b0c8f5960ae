"""From the result of an annotation, as Label Studio stores it, to one typed answer per control.

The server checks no result against its configuration, so every shape that is not understood is refused with the
reason, never guessed at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from labelloop.spec.interface import Interface, Question


@dataclass(frozen=True)
class Answer:
    """One control's answer; exactly one of the values is set."""

    control: str
    control_type: str
    raw: Any
    choices: tuple[str, ...] | None = None
    number: float | None = None
    text: str | None = None


# Of what was not understood, the reason.
Refused = str


def parse(result: Iterable[Any], interface: Interface) -> tuple[list[Answer], list[tuple[str, str]]]:
    """Return the answers of one annotation, and what was refused as (control, reason).

    Args:
        result: the items of the annotation's `result`.
        interface: the questions that were asked; a known question takes only its own labels.

    >>> from labelloop.spec.interface import Interface, Label, Question
    >>> asked = Interface(questions=(Question(name="q", prompt="?", labels=(Label(value="a"), Label(value="b"))),))
    >>> item = {"from_name": "q", "to_name": "image", "type": "choices", "value": {"choices": ["b"]}}
    >>> parse([item], asked)[0][0].choices
    ('b',)
    >>> parse([{"foo": 1}], asked)
    ([], [('', 'it names no control')])
    """
    questions = {question.name: question for question in interface.questions}
    answers: dict[str, Answer] = {}
    refused = []
    for item in result:
        control = str(item.get("from_name") or "") if isinstance(item, Mapping) else ""
        answer = "it was answered twice" if control in answers else _answer(control, item, questions.get(control))
        if isinstance(answer, Answer):
            answers[control] = answer
        else:
            refused.append((control, answer))
    return list(answers.values()), refused


def _answer(control: str, item: Any, question: Question | None) -> Answer | Refused:
    if not control:
        return "it names no control"
    kind, value = item.get("type"), item.get("value")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None or not isinstance(value, Mapping):
        return "its kind of answer is not known"
    if question and question.type != kind:
        return f"the spec asks for {question.type} here"
    return read(control, item, question)


def _choices(control: str, item: Any, question: Question | None) -> Answer | Refused:
    chosen = item["value"].get("choices")
    if not isinstance(chosen, list) or not chosen or not all(isinstance(c, str) for c in chosen):
        return "its choices are not a list of texts"
    if len(set(chosen)) != len(chosen):
        return "a choice is repeated"
    if question and not set(chosen) <= {label.value for label in question.labels}:
        return "a choice is none of the question's labels"
    if question and not question.multiple and len(chosen) > 1:
        return "there are several choices where one is asked for"
    return Answer(control, "choices", item, choices=tuple(chosen))


def _number(control: str, item: Any, _question: Question | None) -> Answer | Refused:
    number = item["value"].get(item["type"])
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        return "its value is no number"
    return Answer(control, item["type"], item, number=float(number))


def _text(control: str, item: Any, _question: Question | None) -> Answer | Refused:
    lines = item["value"].get("text")
    lines = [lines] if isinstance(lines, str) else lines
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        return "its text is not a list of texts"
    return Answer(control, "text", item, text="\n".join(lines))


_READERS: dict[str, Callable[[str, Any, Question | None], Answer | Refused]] = {
    "choices": _choices,
    "rating": _number,
    "number": _number,
    "textarea": _text,
}
