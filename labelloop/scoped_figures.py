"""Figures of one question: of the project, its slices, labels, and of people.

How answers of a kind are compared is decided in `labelloop.agreement.question`, how they are cut in `slices.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from types import MappingProxyType
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement import Figure, measure, pairwise, per_annotator
from labelloop.agreement.question import Question, Rated, question_figures, rated
from labelloop.slices import per_label, slices

Scoped = tuple[str, str, Figure]
# By the level at which answers are compared: of each two annotators, and of one against the others.
_OF_TWO: Final = MappingProxyType({"nominal": "cohen_kappa", "ordinal": "cohen_kappa_quadratic"})
_OF_ONE: Final = MappingProxyType({"ordinal": "cohen_kappa_quadratic", "interval": "cohen_kappa_quadratic"})


def scoped_figures(question: Question, batches: pa.Table, *, per_person: bool = True) -> Iterator[Scoped]:
    """Yield (scope, who, figure): of all answers, of each slice, of each label, of each two annotators and each one.

    Args:
        question: the answers.
        batches: rows of the contract `batches`, which tell why a unit was chosen.
        per_person: also of each two annotators and of each one.
    """
    for figure in question_figures(question):
        yield "project", "", figure
    for scope, name, rows in slices(question.rows, batches):
        for figure in question_figures(replace(question, rows=rows)):
            yield scope, name, figure
    answers = rated(question)
    if answers is not None:
        yield from _of_labels(question, answers)
    if per_person and answers is not None:
        yield from _of_people(question, answers)
    elif per_person:
        yield from _of_each_two(question)


def _of_labels(question: Question, answers: Rated) -> Iterator[Scoped]:
    for label, said in per_label(answers):
        for figure in measure(said, ["krippendorff_alpha"], **question.settings):
            yield "label", label, figure


def _of_people(question: Question, answers: Rated) -> Iterator[Scoped]:
    ratings, level = answers.ratings, answers.level
    for (left, right), figure in pairwise(
        ratings, _OF_TWO.get(level, "krippendorff_alpha"), level, **question.settings
    ):
        yield "pair", f"{left} {right}", figure
    for who, figure in per_annotator(ratings, _OF_ONE.get(level, "percent_agreement"), level, **question.settings):
        yield "annotator", who, figure


def _of_each_two(question: Question) -> Iterator[Scoped]:
    """Answers without categories are compared anew for each two annotators who share a unit."""
    units: dict[str, set[str]] = {}
    for unit, who in zip(*(question.rows[name].to_pylist() for name in ("unit_id", "annotator")), strict=True):
        units.setdefault(who, set()).add(unit)
    for left, right in combinations(sorted(units), 2):
        if units[left] & units[right]:
            of_both = pc.is_in(question.rows["annotator"], value_set=pa.array([left, right]))
            for figure in question_figures(replace(question, rows=question.rows.filter(of_both))):
                yield "pair", f"{left} {right}", figure
