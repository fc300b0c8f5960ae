"""Regions of annotations: what each annotator drew on each unit, as flat columns that are checked once.

The single entrance for agreement and consensus of everything that has a place. An answer without any region says that
there is nothing; a null says nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.drawn import SHAPES, Drawn, field
from labelloop.agreement.pairs import Pairs, pairs_of
from labelloop.agreement.ratings import IntArray, Ratings, read_ratings, select_columns
from labelloop.errors import InputError
from labelloop.geometry.matching import Links, best_links, touching
from labelloop.geometry.shapes import Shapes

TOLERANCE: Final = 2.5  # percent of the image between key points that still are near
Kind = TypeVar("Kind")
UNLABELLED: Final = '[""]'
_EMPTY: Final = pa.struct([("labels", pa.list_(pa.string())), ("points", pa.list_(pa.float64()))])
_BETWEEN: Final = "\x1f"  # labels of one region while they are counted


@dataclass(frozen=True)
class Regions:
    """Shapes of one kind sorted by answer; `answer` is the place in `ratings` of the answer each belongs to.

    `label` is a code of `labels`, the sets of labels as JSON text. Values of `ratings` mean nothing; `items` are
    the regions as they were stored, `kept` other columns of the answers.
    """

    ratings: Ratings
    answer: IntArray
    label: IntArray
    labels: list[str]
    shapes: Shapes
    items: pa.StructArray
    kept: pa.Table

    @cached_property
    def start(self) -> IntArray:
        """Place of the first region of each answer, and the number of regions."""
        return np.searchsorted(self.answer, np.arange(len(self.ratings.unit) + 1))

    @cached_property
    def pairs(self) -> Pairs:
        """Each two answers to one unit."""
        return pairs_of(self.ratings)

    @cached_property
    def touching(self) -> Links:
        """Every two regions of two answers to a unit that may overlap, and how alike they are."""
        pair, one, other = touching(self.shapes.bounds, self.start, self.pairs.first, self.pairs.second)
        return Links(pair, one, other, self.shapes.similarity(one, other))

    @cached_property
    def matched(self) -> Links:
        """The regions of each two answers matched one to one as well as can be, whatever their labels."""
        return best_links(self.touching, self.label[self.touching.one] == self.label[self.touching.other])

    def shapes_as(self, kind: type[Kind]) -> Kind:
        """The shapes, which must be of this kind.

        Raises:
            InputError: they are of another.
        """
        if not isinstance(self.shapes, kind):
            raise InputError(
                f"these regions are no {kind.__name__.lower()}", remedy="give answers of another control type"
            )
        return self.shapes

    def count(self, answers: IntArray) -> IntArray:
        """How many regions these answers have."""
        return np.asarray(np.diff(self.start)[answers])


def read_regions(
    table: pa.Table | pd.DataFrame,
    control_type: str,
    *,
    group: str | None = None,
    tolerance: float = TOLERANCE,
    keep: Sequence[str] = (),
) -> Regions:
    """The regions of a long table unit, annotator, regions, and `raw` for masks and for the aspect of images.

    Args:
        table: one row per answer to a control of one kind, columns as in the contract `annotations`.
        control_type: a name of `SHAPES`.
        group: column that clusters units.
        tolerance: of key points, in percent of the image.
        keep: other columns to have beside the answers.

    Raises:
        InputError: an unknown control type, regions that are no lists of regions, coordinates that are missing, no
            finite numbers or negative extents, an interval that ends before it starts, a mask that `raw` has not; and
            what `read_ratings` refuses.
        NotEstimable: nobody knows where spans are (of HTML Label Studio stores paths only).

    >>> box = {"labels": ["cat"], "points": [0.0, 0.0, 2.0, 2.0]}
    >>> found = read_regions(pd.DataFrame({"unit": [1], "annotator": ["a"], "regions": [[box]]}), "rectangle")
    >>> found.labels, found.answer.tolist()
    (['["cat"]'], [0])
    """
    if control_type not in SHAPES:
        raise InputError(f"answers of type {control_type!r} have no regions", remedy=f"give {', '.join(SHAPES)}")
    present = table.column_names if isinstance(table, pa.Table) else list(table.columns)
    told = [name for name in ("raw", group) if name is not None and name in present and name not in keep]
    names = ["unit", "annotator", "regions", *told, *keep]
    columns = select_columns(table, names, "regions")
    columns = columns.filter(pc.is_valid(columns["regions"]))
    rows = columns.drop_columns(["regions", *keep]).append_column("value", pa.array(np.arange(len(columns))))
    ratings = read_ratings(rows, group=group)
    columns = columns.take(ratings.values.take(pa.array(ratings.value)).cast(pa.int64()))
    items, answer = _flattened(columns["regions"])
    label, labels = _labels(items, len(answer))
    raw = columns["raw"] if "raw" in columns.column_names else None
    drawn = Drawn(items, answer, ratings.unit, raw, tolerance)
    return Regions(ratings, answer, label, labels, SHAPES[control_type](drawn), items, columns.select(list(keep)))


def _flattened(column: pa.ChunkedArray) -> tuple[pa.Array, IntArray]:
    """All regions one behind the other, and the row of each."""
    lists = column.combine_chunks()
    nowhere = pa.types.is_list(lists.type) and pa.types.is_null(lists.type.value_type)
    if not len(lists) or nowhere:
        return pa.array([], _EMPTY), np.empty(0, dtype=np.int64)
    if not pa.types.is_list(lists.type) or not pa.types.is_struct(lists.type.value_type):
        raise InputError(f"regions are {lists.type}", remedy="give a list of regions for each answer")
    return lists.flatten(), pc.list_parent_indices(lists).to_numpy(False).astype(np.int64)


def _labels(items: pa.StructArray, n: int) -> tuple[IntArray, list[str]]:
    """The set of labels of each region as a code, and the sets as JSON text, ascending."""
    column = field(items, "labels")
    if column is None or pa.types.is_null(column.type):
        return np.zeros(n, dtype=np.int64), [UNLABELLED]
    joined = pc.fill_null(pc.binary_join(column.cast(pa.list_(pa.string())), _BETWEEN), "").dictionary_encode()
    texts = [
        json.dumps(sorted(set(one.split(_BETWEEN))), ensure_ascii=False) for one in joined.dictionary.to_pylist()
    ]
    labels = sorted(set(texts))
    place = np.array([labels.index(text) for text in texts], dtype=np.int64)
    return place[joined.indices.to_numpy()], labels
