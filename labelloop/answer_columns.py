"""Answers taken in one after the other, annotation by annotation, and given back in the columns of `annotations`.

Words and numbers go into arrays at once. As objects that wait for their column they would lie scattered in memory
among all that was thrown away, and to gather them takes as long as to read them.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Sequence
from math import nan
from typing import Any, Final, cast

import numpy as np
import pyarrow as pa

from labelloop.annotation_rows import SAID
from labelloop.interface import Answer
from labelloop.interface.region import Frame, Region
from labelloop.nested_columns import WordLists, list_column, nested_column, spread_column

_REGION: Final = SAID.field("regions").type.value_type


class AnswerColumns:
    """Answers and the places of their annotations, as many of each."""

    def __init__(self) -> None:
        """Begin without answers."""
        self.places: list[int] = []
        self.controls: list[str] = []
        self.control_types: list[str] = []
        self._raw: list[str] = []
        self._rows: defaultdict[str, list[int]] = defaultdict(list)
        self._values: defaultdict[str, list[Any]] = defaultdict(list)
        self._choices = WordLists()
        self._regions = _Regions()

    def add(self, place: int, answer: Answer) -> None:
        """Take in one answer of the annotation at a place."""
        control, control_type, column, value, raw = answer
        self._rows[column].append(len(self.places))
        self.places.append(place)
        self.controls.append(control)
        self.control_types.append(control_type)
        self._raw.append(raw)
        if column == "regions":
            self._regions.add(value)
        elif column == "choices":
            self._choices.extend([value])
        else:
            self._values[column].append(value)

    def table(self) -> pa.Table:
        """Return the answers in the columns of `SAID`."""
        said = {"control": self.controls, "control_type": self.control_types, "raw": self._raw}
        columns = {name: pa.array(texts, pa.string()) for name, texts in said.items()}
        values = {name: nested_column(given, SAID.field(name).type) for name, given in self._values.items()}
        values |= {"choices": self._choices.array(), "regions": self._regions.array()}
        count = len(self.places)
        columns |= {name: spread_column(values[name], rows, count) for name, rows in self._rows.items()}
        return pa.table([columns.get(field.name, pa.nulls(count, field.type)) for field in SAID], schema=SAID)


class _Regions:
    """Lists of regions; numbers that a region does not have are no number here."""

    def __init__(self) -> None:
        self._sizes, self._point_sizes = array("i"), array("i")
        self._labels = WordLists()
        self._points, self._rotations, self._starts, self._ends = (array("d") for _ in range(4))
        self._ids: list[str] = []
        self._texts: list[str | None] = []
        self._frames: list[list[Frame] | None] = []

    def add(self, regions: Sequence[Region]) -> None:
        self._sizes.append(len(regions))
        for mark, labels, points, rotation, start, end, text, frames in regions:
            self._ids.append(mark)
            self._labels.extend([labels])
            self._point_sizes.append(-1 if points is None else len(points))
            if points:
                self._points.extend(map(_number, points) if None in points else cast(Sequence[float], points))
            self._rotations.append(nan if rotation is None else rotation)
            self._starts.append(nan if start is None else start)
            self._ends.append(nan if end is None else end)
            self._texts.append(text)
            self._frames.append(frames)

    def array(self) -> pa.Array:
        rotation, start, end = map(_numbers, (self._rotations, self._starts, self._ends))
        points = list_column(self._point_sizes, _numbers(self._points), _REGION.field("points").type)
        texts = pa.array(self._texts, pa.string())
        frames = nested_column(self._frames, _REGION.field("frames").type)
        ids = pa.array(self._ids, pa.string())
        columns = [ids, self._labels.array(), points, rotation, start, end, texts, frames]
        return list_column(
            self._sizes, pa.StructArray.from_arrays(columns, fields=[*_REGION]), SAID.field("regions").type
        )


def _number(given: float | None) -> float:
    return nan if given is None else given


def _numbers(given: array[float]) -> pa.Array:
    numbers = np.array(given)
    return pa.array(numbers, mask=np.isnan(numbers))
