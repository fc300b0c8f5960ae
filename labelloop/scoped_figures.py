"""Figures of one question: of the project, its slices, labels, and of people.

How answers of a kind are compared is decided in `labelloop.agreement.question`, how they are cut in `slices.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import combinations
from types import MappingProxyType
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement import Figure, measure, pairwise, per_annotator
from labelloop.agreement.changes_of_agreement import changes
from labelloop.agreement.comparisons import position_figures
from labelloop.agreement.drawn import SHAPES
from labelloop.agreement.question import Question, Rated, question_figures, rated
from labelloop.agreement.region_labels import figures_by_label
from labelloop.annotators.herd import constancy, shared_errors
from labelloop.contracts import contract
from labelloop.errors import NotEstimable
from labelloop.population import population_agreement
from labelloop.repeats import names_of, repeats
from labelloop.slices import LABELS, per_label, slices

Scoped = tuple[str, str, Figure]
# By the level at which answers are compared: of each two annotators, and of one against the others.
OF_TWO: Final = MappingProxyType({"nominal": "cohen_kappa", "ordinal": "cohen_kappa_quadratic"})
OF_ONE: Final = MappingProxyType({"ordinal": "cohen_kappa_quadratic", "interval": "cohen_kappa_quadratic"})


@dataclass(frozen=True)
class Beside:
    """What is known beside the answers: rows of the contracts `batches` and `units`.

    `model` has what a model says of units: control, unit, annotator, value. `clusters` are the rows of
    `labelloop.clusters`: which units are resampled together; without them each is on its own.
    """

    batches: pa.Table = field(default_factory=lambda: contract("batches").schema.empty_table())
    units: pa.Table = field(default_factory=lambda: contract("units").schema.empty_table())
    model: pa.Table | None = None
    clusters: pa.Table | None = None

    def of_control(self, control: str) -> Beside:
        """The same with what the model says of one question only."""
        if self.model is None:
            return self
        said = self.model.filter(pc.equal(self.model["control"], control)).drop_columns("control")
        return replace(self, model=said if said.num_rows else None)


def scoped_figures(question: Question, beside: Beside, *, per_person: bool = True) -> Iterator[Scoped]:
    """Yield (scope, who, figure): of all answers, of their parts, of the population, of people and of a model.

    Args:
        question: the answers.
        beside: what else is known.
        per_person: also of each two annotators and of each one.
    """
    for figure in question_figures(question):
        yield "project", "", figure
    for scope, name, rows in slices(question.rows, beside.batches):
        for figure in question_figures(replace(question, rows=rows)):
            yield scope, name, figure
    answers = rated(question)
    if answers is None:
        yield from _of_labels_of_regions(question)
    else:
        yield from _of_labels(question, answers)
        yield "population", "", _of_population(question, answers, beside)
        yield from _of_changes(question, answers)
        yield from _of_model(question, answers, beside)
    if per_person and answers is not None:
        yield from _of_people(question, answers)
        yield from repeat_figures(question, beside)
    elif per_person:
        yield from _of_each_two(question)


def _of_population(question: Question, answers: Rated, beside: Beside) -> Figure:
    given = answers.ratings, beside.batches, answers.level
    return population_agreement(*given, question.precision, question.group)


def _of_labels(question: Question, answers: Rated) -> Iterator[Scoped]:
    for label, said in per_label(answers, question.group):
        for figure in measure(said, ["krippendorff_alpha"], **question.settings):
            yield "label", label, figure


def _of_labels_of_regions(question: Question) -> Iterator[Scoped]:
    if question.kind not in SHAPES or question.marks is not None:
        return
    drawn = question.named("regions", "raw").filter(pc.is_valid(question.rows["regions"]))
    with suppress(NotEstimable):  # the figures of the project say why
        for label, figure in figures_by_label(drawn, question.kind, most=LABELS, **question.settings):
            yield "label", label, figure


def _of_changes(question: Question, answers: Rated) -> Iterator[Scoped]:
    if answers.level == "interval":
        return  # numbers are rarely the same
    said = answers.ratings.filter(pc.is_valid(answers.ratings["value"]))
    place = pc.index_in(
        names_of(said["unit"], said["annotator"]), names_of(question.rows["unit_id"], question.rows["annotator"])
    )
    for name, column in (("time", "updated_at"), ("seconds", "lead_time"), ("shown", "prediction_shown")):
        said = said.append_column(name, question.rows[column].take(place))
    for figure in changes(said, group=question.group, n_min=question.precision.n_min):
        yield "change", "", figure


def _of_model(question: Question, answers: Rated, beside: Beside) -> Iterator[Scoped]:
    """A model against the people, as one of them against the others."""
    if answers.level != "nominal" or beside.model is None:
        return
    place = pc.index_in(beside.model["unit"], value_set=answers.ratings["unit"].combine_chunks())
    said, place = beside.model.filter(pc.is_valid(place)), pc.drop_null(place)
    if question.group is not None:
        said = said.append_column(question.group, answers.ratings[question.group].take(place))
    both = pa.concat_tables([answers.ratings, said], promote_options="permissive")
    for metric in ("percent_agreement", "cohen_kappa"):
        for who, figure in per_annotator(both, metric, **question.settings):
            if who in beside.model["annotator"].to_pylist()[:1]:
                yield "model", who, figure


def repeat_figures(question: Question, beside: Beside, *, per_person: bool = True) -> Iterator[Scoped]:
    """Yield how far people agree with themselves; arguments as for `scoped_figures`."""
    answers = rated(question)
    if answers is None or not per_person:
        return
    for who, said in repeats(question.rows, answers.ratings, beside.units):
        for figure in measure(said, ["percent_agreement"], answers.level, **question.settings):
            yield "annotator", who, replace(figure, metric="repeat_agreement")


def _of_people(question: Question, answers: Rated) -> Iterator[Scoped]:
    ratings, level = answers.ratings, answers.level
    for (left, right), figure in pairwise(
        ratings, OF_TWO.get(level, "krippendorff_alpha"), level, **question.settings
    ):
        yield "pair", f"{left} {right}", figure
    for who, figure in per_annotator(ratings, OF_ONE.get(level, "percent_agreement"), level, **question.settings):
        yield "annotator", who, figure
    if question.kind == "pairwise":
        for who, figure in position_figures(_sides(ratings)):
            yield "annotator", who, figure
    if level == "nominal":
        for (left, right), figure in shared_errors(ratings):
            yield "pair", f"{left} {right}", figure
        for who, figure in constancy(ratings):
            yield "annotator", who, figure


def _sides(ratings: pa.Table) -> dict[tuple[str, str], int]:
    counted = ratings.group_by(["annotator", "value"]).aggregate([([], "count_all")]).to_pylist()
    return {(row["annotator"], row["value"]): row["count_all"] for row in counted}


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
