"""What a model says of references, in the shape a file brings it: probabilities, a committee's, boxes or spans.

Each shape becomes columns of the contract `predictions`, with a mask for each rule a row breaks. Whose rows they are
is decided in `predictions.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.acquisition.columns import committees, regions
from labelloop.acquisition.probabilities import RULES, screen_lists
from labelloop.contracts import contract
from labelloop.errors import InputError
from labelloop.score import class_columns

Masks = dict[str, NDArray[np.bool_]]


class Answers(NamedTuple):
    """`columns` of the contract `predictions`, n rows each, and by rule which of the rows are `broken`."""

    columns: dict[str, pa.Array]
    broken: Masks


def read_answers(given: pa.Table, classes: Sequence[str]) -> Answers:
    """Return what a file's rows say of the classes; a broken row stays in place without meaning.

    Rules, beside those of `labelloop.acquisition.probabilities`: a committee is refused whole for one member
    (`wrong_member_count`: another number than most); boxes and spans for one region (`not_a_confidence`,
    `unknown_label`, `no_extent`, `ends_before_it_starts`). A row without any region is fine.

    Args:
        given: exactly one of the columns `probabilities` (list of numbers, or of lists: a committee), `committee`,
            `boxes` (`label, score, x, y, width, height`), `spans` (`label, score, start, end`).
        classes: what probabilities stand for, in their order; the labels that regions may have.

    Raises:
        InputError: none of these columns is there, or several, or one is of another type.

    >>> told = read_answers(pa.table({"committee": [[[1.0, 0.0], [0.0, 1.0]]]}), ["cat", "dog"])
    >>> told.columns["probabilities"].to_pylist()
    [[0.5, 0.5]]
    """
    found = [name for name in _SHAPES if name in given.column_names]
    if len(found) != 1:
        raise InputError(
            f"the predictions have the columns {sorted(given.column_names)}",
            remedy=f"give exactly one of {', '.join(_SHAPES)}",
        )
    return _SHAPES[found[0]](given[found[0]].combine_chunks(), classes)


def _probabilities(column: pa.Array, classes: Sequence[str]) -> Answers:
    if pa.types.is_list(column.type) and pa.types.is_list(column.type.value_type):
        return _committee(column, classes)
    values, screening = screen_lists(column, n_classes=len(classes))
    return Answers(class_columns(values, classes), {rule: screening.broken(rule) for rule in RULES})


def _committee(column: pa.Array, classes: Sequence[str]) -> Answers:
    values, masks = committees(column)
    if values.shape[2] != len(classes):
        wrong = {"wrong_class_count": ~masks["missing"]} if len(values) else {}
        return Answers(class_columns(np.zeros((len(values), len(classes))), classes), wrong | masks)
    mean = class_columns(values.mean(axis=1), classes)
    return Answers({**mean, "committee": column.cast(pa.list_(pa.list_(pa.float64())))}, masks)


def _boxes(column: pa.Array, classes: Sequence[str]) -> Answers:
    return _regions("boxes", column, classes)


def _spans(column: pa.Array, classes: Sequence[str]) -> Answers:
    return _regions("spans", column, classes)


def _regions(name: str, column: pa.Array, classes: Sequence[str]) -> Answers:
    """Regions in the fields of the contract; the confidence of a row is its least sure region's."""
    _, masks = regions(column, spans=name == "spans")
    kept = _in_contract(name, column)
    owner = pc.list_parent_indices(kept).to_numpy(zero_copy_only=False)
    items, n = kept.flatten(), len(kept)
    known = pc.is_in(pc.struct_field(items, "label"), value_set=pa.array(list(classes), pa.string()))
    masks["unknown_label"] = _rows_with(owner, ~_array(known, False), n)
    if name == "boxes":
        sides = [_array(pc.struct_field(items, side), np.nan) for side in ("x", "y", "width", "height")]
        bad = ~np.isfinite(sum(sides)) | ~(sides[2] > 0) | ~(sides[3] > 0)
        masks["no_extent"] = _rows_with(owner, bad, n)
    scores = _array(pc.struct_field(items, "score"), np.nan)
    lowest = np.full(n, np.inf)
    np.minimum.at(lowest, owner, np.where(np.isfinite(scores), scores, np.inf))
    confidence = pa.array(lowest, pa.float64(), mask=~np.isfinite(lowest))
    labels = pa.array([list(classes)] * n, pa.list_(pa.string()))
    return Answers({name: kept, "confidence": confidence, "classes": labels}, masks)


def _in_contract(name: str, column: pa.Array) -> pa.Array:
    """The list column with the fields of the contract in its order, others dropped; null rows stay null."""
    wanted = contract("predictions").schema.field(name).type
    items = column.flatten()
    given = {field.name for field in items.type}
    missing = [field.name for field in wanted.value_type if field.name not in given]
    if missing:
        raise InputError(f"{name} have no field {', '.join(missing)}", remedy="give each region every field")
    try:
        parts = [pc.struct_field(items, field.name).cast(field.type) for field in wanted.value_type]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise InputError(f"a field of {name} is of another type", remedy=f"give {wanted.value_type}") from None
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
    whole = pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(parts, fields=list(wanted.value_type)))
    return pc.if_else(pc.is_valid(column), whole, pa.nulls(len(column), wanted)).cast(wanted)


def _rows_with(owner: NDArray[np.intp], bad: NDArray[np.bool_], n: int) -> NDArray[np.bool_]:
    return np.asarray(np.bincount(owner[bad], minlength=n) > 0)


def _array(column: pa.Array, empty: object) -> NDArray[Any]:
    return np.asarray(pc.fill_null(column, empty).to_numpy(zero_copy_only=False))


_SHAPES: Final[Mapping[str, Callable[[pa.Array, Sequence[str]], Answers]]] = MappingProxyType(
    {"probabilities": _probabilities, "committee": _committee, "boxes": _boxes, "spans": _spans}
)
