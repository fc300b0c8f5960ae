"""One triage per unit from those of several annotators: of each item the bucket in the middle of those chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.ratings import read_ratings, select_columns
from labelloop.consensus.table import aggregate
from labelloop.spec.question import UNSORTED

_ITEM: Final = pa.struct([("item", pa.string()), ("rank", pa.int64()), ("bucket", pa.string())])
_SOFT: Final = ("classes", "probabilities", "confidence", "n")


def bucket_median(table: pa.Table | pd.DataFrame, buckets: Sequence[str]) -> pa.Table:
    """One row per unit, ascending: unit, ranked, confidence, n, ties.

    `ranked` has the items that somebody put into a bucket, by bucket and rank: item, rank (from 0, by the mean rank
    of those who chose this bucket), bucket (the median of those chosen, null where the two in the middle differ), its
    soft label (`classes`: the buckets, `probabilities`), `confidence` and `n`. An item in no bucket was not judged.
    `confidence` of a unit is the mean of its items, `n` the number of its answers, `ties` of its items without a
    bucket. Answers that put nothing anywhere are none.

    Args:
        table: unit, annotator, ranked: a list of item, rank and bucket, as in the contract `annotations`.
        buckets: their names in order.

    Raises:
        InputError: a bucket is not among these, or an annotator put an item into two.

    >>> def kept(*items):
    ...     return [{"item": item, "rank": rank, "bucket": "keep"} for rank, item in enumerate(items)]
    >>> table = pd.DataFrame({"unit": [1, 1], "annotator": ["a", "b"], "ranked": [kept("x", "y"), kept("x")]})
    >>> (row,) = bucket_median(table, ["keep", "drop"]).to_pylist()
    >>> [(item["item"], item["bucket"], item["n"]) for item in row["ranked"]]
    [('x', 'keep', 2), ('y', 'keep', 1)]
    """
    placed = _placed(table)
    judged = placed.groupby(["unit", "item"])
    placed = placed.assign(thing=judged.ngroup())
    ratings = pa.table({"unit": placed["thing"], "annotator": placed["annotator"], "value": placed["bucket"]})
    found = aggregate(read_ratings(ratings, categories=list(buckets)), "median")
    things = judged.size().reset_index()[["unit", "item"]]
    things = things.assign(bucket=found["label"].to_pylist(), confidence=found["confidence"].to_numpy())
    by_unit = things.groupby("unit")
    return pa.table(
        {
            "unit": pa.array(things["unit"].unique()),
            "ranked": _lists(_in_order(things, placed, buckets), found),
            "confidence": by_unit["confidence"].mean().to_numpy(),
            "n": placed.groupby("unit")["annotator"].nunique().to_numpy(),
            "ties": (by_unit.size() - by_unit["bucket"].count()).to_numpy(),
        }
    )


def _placed(table: pa.Table | pd.DataFrame) -> pd.DataFrame:
    """One row for each item that an annotator put into a bucket."""
    answers = select_columns(table, ("unit", "annotator", "ranked"), "answers")
    lists = answers["ranked"].combine_chunks()
    who = answers.select(["unit", "annotator"]).take(pc.list_parent_indices(lists))
    items = pa.Table.from_struct_array(lists.flatten().cast(_ITEM))
    placed = pa.table([*who.columns, *items.columns], names=[*who.column_names, *items.column_names])
    given = pc.fill_null(pc.not_equal(placed["bucket"], UNSORTED), False)
    found: pd.DataFrame = placed.filter(given).to_pandas()
    return found


def _in_order(things: pd.DataFrame, placed: pd.DataFrame, buckets: Sequence[str]) -> pd.DataFrame:
    """The items of each unit by bucket and rank; those without a bucket come last."""
    chosen = placed[placed["bucket"] == things["bucket"].reindex(placed["thing"]).to_numpy()]
    place = pd.Categorical(things["bucket"], categories=list(buckets), ordered=True)
    ordered = things.assign(place=place, mean_rank=chosen.groupby("thing")["rank"].mean())
    ordered = ordered.sort_values(["unit", "place", "mean_rank", "item"])
    return ordered.assign(rank=ordered.groupby(["unit", "place"], observed=True).cumcount())


def _lists(things: pd.DataFrame, found: pa.Table) -> pa.ListArray:
    """The items of each unit with what was found of them."""
    soft = found.select(_SOFT).take(pa.array(things.index))
    fields = {
        "item": pa.array(things["item"], pa.string()),
        "rank": pa.array(things["rank"], pa.int64(), mask=things["bucket"].isna().to_numpy()),
        "bucket": pa.array(things["bucket"], pa.string()),
    }
    items = pa.table(fields | dict(zip(_SOFT, soft.columns, strict=True))).to_struct_array()
    ends = things.groupby("unit").size().cumsum()
    return pa.ListArray.from_arrays(pa.array([0, *ends], pa.int32()), items.combine_chunks())
