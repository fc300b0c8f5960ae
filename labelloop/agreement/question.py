"""All answers to one question, and how those of its kind are compared; one line for each kind.

Reads rows of the contract `annotations`. Not part of what `labelloop.agreement` gives at its door: regions need more
libraries than coefficients do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.answer_figures import MEASURES, answer_figures
from labelloop.agreement.buckets import bucket_figures
from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import Precision
from labelloop.agreement.of_each_region import Marks, figures_of_each_region, named
from labelloop.agreement.rankings import CONCORDANCE, METRICS_OF_RANKINGS, ranking_figures
from labelloop.agreement.scope import measure
from labelloop.agreement.table import DEFAULTS
from labelloop.errors import InputError, NotEstimable
from labelloop.spec.interface import Interface
from labelloop.spec.question import UNSORTED

RELATIONS: Final = "relations join regions, which have another name in the answer of each annotator"


@dataclass(frozen=True)
class Question:
    """Answers to one question: `rows` of the contract `annotations`, one of each annotator to each unit.

    `kind` is their control type, `buckets` those of a triage in their order, `marks` the regions that the question is
    asked of, `settings` seed, n_boot, confidence, n_min and group (a column of the rows), as of `measure`.
    """

    rows: pa.Table
    kind: str
    buckets: tuple[str, ...] = ()
    marks: Marks | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def values(self, column: pa.ChunkedArray | pa.Array) -> pa.Table:
        """The table unit, annotator, value that statistics read, and the group of each unit if there is one."""
        return self.named().append_column("value", column)

    def named(self, *columns: str) -> pa.Table:
        """Columns of the rows beside unit, annotator and group."""
        return named(self.rows, *columns, group=self.group)

    @property
    def group(self) -> str | None:
        """The column of the rows that clusters units, if there is one."""
        return self.settings.get("group")

    @property
    def precision(self) -> Precision:
        """The settings of intervals alone."""
        return Precision(**{name: value for name, value in self.settings.items() if name != "group"})


@dataclass(frozen=True)
class Rated:
    """Answers that are categories: `ratings` as of `Question.values`, and the `level` at which they are compared."""

    ratings: pa.Table
    level: str


def question_figures(question: Question) -> list[Figure]:
    """Every figure that answers to this question have, each with interval or reason.

    Raises:
        InputError: a kind of answer that is not known, or answers that cannot be used.

    >>> rows = pa.table({"unit_id": ["u", "u"], "annotator": ["a", "b"], "text": ["cat", "cut"]})
    >>> question_figures(Question(rows, "text", settings={"n_min": 1}))[0].metric
    'edit_similarity'
    """
    if question.kind not in COMPARED_BY:
        raise InputError(f"answers of type {question.kind!r} are unknown", remedy=f"give {', '.join(COMPARED_BY)}")
    if question.marks is not None:
        return figures_of_each_region(question.rows, question.kind, question.marks, question.settings)
    return COMPARED_BY[question.kind](question)


def buckets_of(interface: Interface) -> dict[str, tuple[str, ...]]:
    """The buckets of each question that is a triage, in their order."""
    triages = (question for question in interface.questions if question.type == "ranking" and question.labels)
    return {question.name: tuple(label.value for label in question.labels) for question in triages}


def rated(question: Question) -> Rated | None:
    """The answers as categories; None for those that are none."""
    if question.marks is not None or question.kind not in RATED_BY:
        return None
    return RATED_BY[question.kind](question)


def _chosen(question: Question) -> Rated:
    """Single choices as they are; where somebody chose several, each answer is a set. Nothing chosen is no answer."""
    length = pc.list_value_length(question.rows["choices"])
    some = replace(question, rows=question.rows.filter(pc.greater(length, 0)))
    if (pc.max(length).as_py() or 0) > 1:
        return Rated(some.values(some.rows["choices"]), "masi")
    return Rated(some.values(pc.list_element(some.rows["choices"], 0)), "nominal")


def _column(name: str, level: str, question: Question) -> Rated:
    return Rated(question.values(question.rows[name]), level)


def _of_categories(question: Question) -> list[Figure]:
    ratings, level = (answers := RATED_BY[question.kind](question)).ratings, answers.level
    try:
        return measure(ratings, None, level, **question.settings)
    except NotEstimable as error:
        return [Figure(name, level, reason=str(error)) for name in DEFAULTS[level]]


def _order(question: Question) -> list[Figure]:
    """Orders of items; where they lie in buckets, the bucket of each item."""
    ranked = question.rows["ranked"].to_pylist()
    if any(item["bucket"] is not None for answer in ranked for item in answer or ()):
        return _triage(question, ranked)
    orders = [answer and [item["item"] for item in sorted(answer, key=lambda one: one["rank"])] for answer in ranked]
    table = question.values(pa.array(orders, pa.list_(pa.string())))
    given = table.filter(pc.is_valid(table["value"]))
    return ranking_figures(given, (*METRICS_OF_RANKINGS, CONCORDANCE), **question.settings)


def _triage(question: Question, ranked: list[Any]) -> list[Figure]:
    """What nobody sorted is in no bucket: it was not judged."""
    placed = [_by_bucket(answer) for answer in ranked]
    buckets = question.buckets or tuple(sorted({name for answer in placed for name in answer}))
    frame = question.values(pa.nulls(len(ranked))).to_pandas().assign(value=placed)
    return bucket_figures(frame[[answer is not None for answer in ranked]], buckets, **question.settings)


def _by_bucket(answer: list[dict[str, Any]] | None) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in answer or ():
        if item["bucket"] not in (None, UNSORTED):
            found.setdefault(item["bucket"], []).append(item["item"])
    return found


def _text(question: Question) -> list[Figure]:
    return answer_figures(question.values(question.rows["text"]), "text", **question.settings)


def _places(question: Question) -> list[Figure]:
    given = question.named("regions", "raw").filter(pc.is_valid(question.rows["regions"]))
    return answer_figures(given, question.kind, **question.settings)


def _relations(_: Question) -> list[Figure]:
    return [Figure("krippendorff_alpha", "nominal", reason=RELATIONS)]


RATED_BY: Final[Mapping[str, Callable[[Question], Rated]]] = MappingProxyType(
    {
        "choices": _chosen,
        "pairwise": _chosen,
        "taxonomy": partial(_column, "paths", "taxonomy"),
        "rating": partial(_column, "number", "ordinal"),
        "number": partial(_column, "number", "interval"),
        "datetime": partial(_column, "text", "nominal"),
    }
)
COMPARED_BY: Final[Mapping[str, Callable[[Question], list[Figure]]]] = MappingProxyType(
    dict.fromkeys(RATED_BY, _of_categories)
    | dict.fromkeys(MEASURES, _places)
    | {"text": _text, "ranking": _order, "relation": _relations}
)
