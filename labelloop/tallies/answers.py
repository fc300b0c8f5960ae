"""Answers to one question as codes, ready to be counted: each unit in the random group of whom it shows."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.pairs import Pairs
from labelloop.agreement.ratings import IntArray, Ratings, read_ratings
from labelloop.contracts import contract
from labelloop.tallies.tally import Codes, groups_of

# The column that says what was answered, by kind of answer.
COUNTED: Final[Mapping[str, str]] = MappingProxyType(
    {"choices": "choices", "pairwise": "choices", "taxonomy": "paths", "rating": "number", "datetime": "text"}
)


@dataclass(frozen=True)
class Known:
    """What is known of the units that are counted: how they were chosen, and whom they show.

    `batches` are rows of the contract `batches`, all of each round; `clusters` has unit_id, cluster: units of one
    cluster are no independent evidence. `model` has what a model says: control, unit, annotator, value. Answers of
    `experts` are rulings where annotators are judged.
    """

    batches: pa.Table = field(default_factory=lambda: contract("batches").schema.empty_table())
    clusters: pa.Table | None = None
    model: pa.Table | None = None
    experts: Collection[str] = ()


@dataclass(frozen=True)
class Answers:
    """Coded answers in the order of their `rows`, by unit and annotator; `of_unit` is the group of each unit."""

    rows: pa.Table
    ratings: Ratings
    of_unit: IntArray

    @cached_property
    def annotators(self) -> list[str]:
        """Pseudonyms."""
        return [str(name) for name in self.ratings.annotators.to_pylist()]

    @cached_property
    def values(self) -> list[str]:
        """What was said, as text; of choices and paths the JSON list."""
        return [str(value) for value in self.ratings.values.to_pylist()]

    @cached_property
    def sizes(self) -> list[str]:
        """The numbers of answers that units can have, and one less."""
        return [str(n) for n in range(int(self.ratings.per_unit.max(initial=0)) + 1)]

    def said(self, pairs: Pairs) -> list[Codes]:
        """How many answered the unit of each pair, and its two answers, whoever gave which."""
        ratings = pairs.ratings
        one, other = ratings.value[pairs.first], ratings.value[pairs.second]
        lower, higher = one * (one <= other) + other * (one > other), one * (one > other) + other * (one <= other)
        return [(ratings.per_unit[pairs.unit], self.sizes), (lower, self.values), (higher, self.values)]


def coded(rows: pa.Table, kind: str, clusters: pa.Table | None) -> Answers:
    """Code answers that have categories; those that say nothing are left out.

    Args:
        rows: of the contract `annotations`, one of each annotator to each unit, by unit and annotator.
        kind: of the answers, one of `COUNTED`.
        clusters: unit_id, cluster.
    """
    column = COUNTED[kind]
    given = pc.is_valid(rows[column])
    if column == "choices":
        given = pc.fill_null(pc.greater(pc.list_value_length(rows[column]), 0), False)
    rows = rows.filter(given)
    ratings = read_ratings(
        rows.select(["unit_id", "annotator", column]).rename_columns(["unit", "annotator", "value"])
    )
    return Answers(rows, ratings, groups_of(_clusters(ratings.units, clusters)))


def _sets(choices: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """The choices; where all are single, as the text of their JSON list, made once for each label."""
    if (pc.max(pc.list_value_length(choices)).as_py() or 0) > 1:
        return choices
    labels = pc.list_element(choices, 0).combine_chunks().dictionary_encode()
    texts = [json.dumps([label], ensure_ascii=False) for label in labels.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(labels.indices)


def _clusters(units: pa.Array, clusters: pa.Table | None) -> pa.Array:
    if clusters is None:
        return units
    place = pc.index_in(units, value_set=clusters["unit_id"].combine_chunks())
    return pc.coalesce(clusters["cluster"].combine_chunks().take(place), units)
