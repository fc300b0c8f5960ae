"""The question by which an answer that nobody gave is told from one that was confirmed."""

from __future__ import annotations

from typing import Final

from labelloop.spec.question import MARKS, Label, Question

_ASKED: Final = {
    "pairwise": ("Have you chosen?", ("one is better", "neither is better")),
    "ranking": ("Is the order right?", ("I have put it right", "it was right as shown")),
    "buckets": ("Is everything sorted?", ("everything is sorted", "what is left fits nowhere")),
    "marks": ("Is everything marked?", ("everything is marked", "there is nothing to mark")),
}


def confirmation(question: Question) -> Question | None:
    """Return the required choice that confirms the answer to a question, or None where none is due.

    Label Studio can demand an answer of choices, taxonomies, ratings, numbers, dates and texts alone; it stores a
    ranking that nobody touched, and marks need not be there at all. Relations are never demanded.

    >>> confirmation(Question(name="order", type="ranking", prompt="Sort")).name
    'order_confirmed'
    """
    kind: str = "marks" if question.type in MARKS else question.type
    if kind == "ranking" and question.labels:
        kind = "buckets"
    if not question.required or kind not in _ASKED:
        return None
    prompt, values = _ASKED[kind]
    labels = tuple(Label(value=value) for value in values)
    return Question(
        name=_name(question.name),
        renamed_from=_name(question.renamed_from) if question.renamed_from else None,
        prompt=prompt,
        labels=labels,
        about=question.about[:1],
        when=question.when,
    )


def _name(question: str) -> str:
    return f"{question[:30]}_confirmed"
