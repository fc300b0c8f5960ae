"""What a model says of references, read from list columns: as arrays, with a mask for each rule a row breaks.

Class probabilities are judged in `probabilities.py`; here is everything that needs other columns. A refused row stays
in place as NaN, or without regions.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.acquisition.probabilities import screen_lists
from labelloop.errors import InputError
from labelloop.vectors import in_one_piece, matrix

Masks = dict[str, NDArray[np.bool_]]
Column: TypeAlias = pa.ChunkedArray | pa.Array


class Regions(NamedTuple):
    """Boxes or spans of n rows: `offsets` (n + 1,), and of each region its `confidence` and, for a span, `length`."""

    confidence: NDArray[np.floating]
    length: NDArray[np.floating]
    offsets: NDArray[np.int64]


def distributions(column: Column) -> tuple[NDArray[np.floating], Masks]:
    """Class probabilities as (n, k), and the rows that are none, by rule.

    >>> distributions(pa.array([[0.5, 0.5], None]))[1]["missing"].tolist()
    [False, True]
    """
    values, screening = screen_lists(column)
    return values, {rule: screening.broken(rule) for rule in screening.refused}


def committees(column: Column) -> tuple[NDArray[np.floating], Masks]:
    """Lists of class probabilities as (n, S, k); the most frequent number of members S is the right one.

    A row breaks a rule when any of its members does. Raises InputError for anything but lists of lists of numbers.

    >>> values, masks = committees(pa.array([[[0.5, 0.5], [1.0, 0.0]]] * 2 + [[[0.5, 0.5]]]))
    >>> values.shape, masks["wrong_member_count"].tolist()
    ((3, 2, 2), [False, False, True])
    """
    lists, lengths, missing = _rows(column, "lists of lists of numbers, one for each member")
    present = lengths[~missing & (lengths > 0)]
    members = int(np.bincount(present).argmax()) if len(present) else 1
    wrong = ~missing & (lengths != members)
    sound = ~(missing | wrong)
    said, screening = screen_lists(lists.filter(pa.array(sound)).flatten())
    values = np.full((len(lists), members, said.shape[1]), np.nan)
    values[sound] = said.reshape(int(sound.sum()), members, said.shape[1])
    masks: Masks = {"missing": missing, "wrong_member_count": wrong}
    for rule in screening.refused:
        broken = masks.setdefault(rule, np.zeros(len(lists), dtype=bool))
        broken[sound] |= screening.broken(rule).reshape(-1, members).any(axis=1)
    return values, masks


def labels(column: Column) -> tuple[NDArray[np.floating], Masks]:
    """Independent probabilities of labels as (n, k), each in [0, 1].

    >>> labels(pa.array([[0.9, 0.9], [2.0, 0.0]]))[1]["not_a_probability"].tolist()
    [False, True]
    """
    values, missing, misshapen = matrix(column)
    outside = ~(missing | misshapen) & ~((values >= 0) & (values <= 1)).all(axis=1)
    return values, {"missing": missing, "wrong_class_count": misshapen, "not_a_probability": outside}


def draws(column: Column) -> tuple[NDArray[np.floating], Masks]:
    """Predicted numbers of several members as (n, S), all finite.

    >>> draws(pa.array([[1.0, 2.0], [float("nan"), 0.0]]))[1]["not_finite"].tolist()
    [False, True]
    """
    values, missing, misshapen = matrix(column)
    infinite = ~(missing | misshapen) & ~np.isfinite(values).all(axis=1)
    return values, {"missing": missing, "wrong_member_count": misshapen, "not_finite": infinite}


def regions(column: Column, *, spans: bool = False) -> tuple[Regions, Masks]:
    """Boxes (lists of structs with `score`) or spans (also `start`, `end`), and the rows that cannot be used.

    A row is refused whole when a score is outside [0, 1] or a span ends before it starts. An empty list is fine.

    Raises:
        InputError: the column holds something else.

    >>> found, masks = regions(pa.array([[{"score": 0.5}], [], [{"score": 7.0}]]))
    >>> found.offsets.tolist(), masks["not_a_confidence"].tolist()
    ([0, 1, 1, 1], [False, False, True])
    """
    wanted = ("score", "start", "end") if spans else ("score",)
    lists, lengths, missing = _rows(column, f"lists of structs with {', '.join(wanted)}")
    parts = [_field(lists.flatten(), name) for name in wanted]
    confidence, length = parts[0], parts[2] - parts[1] if spans else np.ones(len(parts[0]))
    owner = np.repeat(np.arange(len(lists)), np.maximum(lengths, 0))
    outside, backwards = ~((confidence >= 0) & (confidence <= 1)), ~(length >= 0)
    masks = {"missing": missing}
    for rule, broken in (("not_a_confidence", outside), ("ends_before_it_starts", backwards)):
        masks[rule] = np.isin(np.arange(len(lists)), owner[broken])
    kept = ~np.logical_or.reduce(list(masks.values()))
    offsets = np.concatenate([[0], np.cumsum(np.where(kept, lengths, 0))])
    return Regions(confidence[kept[owner]], length[kept[owner]], offsets), masks


def _rows(column: Column, wanted: str) -> tuple[pa.Array, NDArray[np.int64], NDArray[np.bool_]]:
    """The column as one list array, the length of each row (-1 for a null) and which rows are null."""
    kind = column.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        raise InputError(f"a column of predictions holds {kind}", remedy=f"give {wanted}")
    lists = in_one_piece(column)
    lengths = pc.list_value_length(lists).cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    return lists, lengths, lengths < 0


def _field(items: pa.Array, name: str) -> NDArray[np.floating]:
    if not pa.types.is_struct(items.type) or items.type.get_field_index(name) < 0:
        raise InputError(f"regions have no field {name}", remedy=f"give each box or span a number {name}")
    values = pc.struct_field(items, name)
    if not (pa.types.is_floating(values.type) or pa.types.is_integer(values.type)):
        raise InputError(f"the field {name} of regions holds {values.type}", remedy="give numbers")
    return np.asarray(values.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False))
