"""Answers that compare two items, as codes: read once, every unit turned the same way round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from labelloop.agreement.ratings import IntArray, Ratings, read_ratings, select_columns
from labelloop.consensus.rulings import join_rulings
from labelloop.errors import InputError

CHOICES: Final = ("left", "right", "tie")
TIED: Final = CHOICES.index("tie")
_SIDES: Final = ["unit", "left", "right"]


class Answers(NamedTuple):
    """One comparison each: two items, what was chosen (a place in `CHOICES`), by whom; -1 is an expert."""

    left: IntArray
    right: IntArray
    chosen: IntArray
    annotator: IntArray


@dataclass(frozen=True)
class Comparisons:
    """Ratings with the values left, right and, where it was said, tie; the items of each unit; what was ruled of it.

    Left and right are those of the annotator whose name comes first; who saw the items the other way round is turned.
    """

    ratings: Ratings
    known: IntArray
    items: list[str]
    left: IntArray
    right: IntArray

    @property
    def answers(self) -> Answers:
        """What annotators said, and each ruling as one answer more."""
        rated, ruled = self.ratings.unit, np.flatnonzero(self.known >= 0)
        unit = np.concatenate([rated, ruled])
        chosen = np.concatenate([self.ratings.value, self.known[ruled]])
        annotator = np.concatenate([self.ratings.annotator, np.full(len(ruled), -1)])
        return Answers(self.left[unit], self.right[unit], chosen, annotator)


def read_comparisons(table: pa.Table | pd.DataFrame, rulings: pa.Table | pd.DataFrame | None = None) -> Comparisons:
    """Comparisons of a long table unit, annotator, left, right, value, and an expert's rulings.

    Args:
        table: value is left, right, tie, or the name of the better item.
        rulings: unit, value; with left and right also for units that nobody else compared.

    Raises:
        InputError: a column is missing, a value is none of these, a unit has other items in another row, or a ruled
            unit has none; and what `read_ratings` refuses.

    >>> rows = {"unit": [1], "annotator": ["a"], "left": ["x"], "right": ["y"], "value": ["y"]}
    >>> read_comparisons(pd.DataFrame(rows)).ratings.value
    array([1])
    """
    rows = _rows(table, ("annotator", *_SIDES, "value"), "comparisons").sort_values(["unit", "annotator"])
    ruled = None if rulings is None else _rows(rulings, _of_rulings(rulings), "rulings")
    sided = rows if ruled is None or "left" not in ruled else pd.concat([rows, ruled])
    sides = sided[_SIDES].drop_duplicates("unit").set_index("unit")
    rows = _turned(rows, sides)
    ruled = None if ruled is None else _turned(ruled, sides)
    tied = any("tie" in set(given["value"]) for given in (rows, ruled) if given is not None)
    coded = read_ratings(rows[["unit", "annotator", "value"]], categories=CHOICES if tied else CHOICES[:TIED])
    ratings, known = join_rulings(coded, ruled)
    of_units = sides.loc[ratings.units.to_pylist()]
    items, codes = np.unique(of_units.to_numpy(dtype=str), return_inverse=True)
    left, right = codes.reshape(-1, 2).T.astype(np.int64)
    return Comparisons(ratings, known, [str(item) for item in items], left, right)


def _rows(table: pa.Table | pd.DataFrame, names: tuple[str, ...], what: str) -> pd.DataFrame:
    frame: pd.DataFrame = select_columns(table, names, what).to_pandas()
    frame = frame[frame["value"].notna()]
    texts = [name for name in ("left", "right", "value") if name in names]
    if frame[texts].isna().to_numpy().any():
        raise InputError(f"an item of the {what} has no name", remedy="fill left and right or drop the row")
    return frame.astype(dict.fromkeys(texts, str))


def _of_rulings(rulings: pa.Table | pd.DataFrame) -> tuple[str, ...]:
    present = rulings.column_names if isinstance(rulings, pa.Table) else list(rulings.columns)
    return (*_SIDES, "value") if {"left", "right"} <= set(present) else ("unit", "value")


def _turned(rows: pd.DataFrame, sides: pd.DataFrame) -> pd.DataFrame:
    """The rows with values left, right or tie, as seen with the items where `sides` has them."""
    if not rows["unit"].isin(sides.index).all():
        raise InputError("a ruling is about a unit that nobody compared", remedy="give its items as left and right")
    turned = _as_sides(rows, sides.loc[rows["unit"]]) if "left" in rows else rows
    if unknown := set(turned["value"]) - set(CHOICES):
        raise InputError(f"{len(unknown)} values are no choice", remedy=f"give {', '.join(CHOICES)} or an item")
    return turned


def _as_sides(rows: pd.DataFrame, wanted: pd.DataFrame) -> pd.DataFrame:
    """The rows with an item's name as its side, and the sides exchanged where the items are."""
    left, right, value = (rows[name].to_numpy(dtype=str) for name in ("left", "right", "value"))
    ours, theirs = (wanted[name].to_numpy(dtype=str) for name in ("left", "right"))
    swapped = (ours == right) & (theirs == left)
    if not (swapped | ((ours == left) & (theirs == right))).all():
        raise InputError("a unit compares other items in another row", remedy="give each pair a unit of its own")
    side = np.select([value == left, value == right], ["left", "right"], value)
    other = np.select([side == "left", side == "right"], ["right", "left"], side)
    return rows.assign(value=np.where(swapped, other, side))
