"""One answer per unit where nobody knows where its marks are: the one that most annotators gave, mark for mark."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.ratings import FloatArray, IntArray


def vote_on_answers(table: pa.Table) -> pa.Table:
    """One row per unit, ascending: unit, regions, confidence, n, ties.

    Two answers are the same when Label Studio stored the same marks, whatever their names and order. `regions` are
    those of the answer with most votes, each with the share of them as `confidence` and their number as `n`; where
    answers tie, `ties` is 1 and the regions are of any of them.

    Args:
        table: unit, annotator, regions, raw, as in the contract `annotations`.

    >>> def marked(label):
    ...     return json.dumps([{"id": label, "value": {"start": "/p[1]", "end": "/p[1]", "labels": [label]}}])
    >>> rows = {"unit": ["u"] * 3, "annotator": [*"abc"], "raw": [marked(label) for label in "xxy"]}
    >>> (row,) = vote_on_answers(pa.table(rows | {"regions": [[{"labels": [label]}] for label in "xxy"]})).to_pylist()
    >>> row["regions"], row["n"], row["ties"]
    ([{'labels': ['x'], 'confidence': 0.6666666666666666, 'n': 2}], 3, 0)
    """
    votes = table.select(["unit", "annotator"]).to_pandas()
    votes = votes.assign(said=[_marks(raw) for raw in table["raw"].to_pylist()], place=np.arange(len(votes)))
    same = votes.groupby(["unit", "said"])["place"].agg(["size", "min"]).reset_index()
    same = same.sort_values(["unit", "size", "min"], ascending=[True, False, True])
    by_unit = same.groupby("unit")["size"]
    best, n = same.drop_duplicates("unit"), by_unit.sum()
    tied = same["size"].eq(by_unit.transform("max")).groupby(same["unit"]).sum() > 1
    share = best["size"].to_numpy() / n.to_numpy()
    chosen = table["regions"].combine_chunks().take(pa.array(best["min"]))
    return pa.table(
        {
            "unit": table["unit"].take(pa.array(best["min"])),
            "regions": _with_votes(chosen, share, best["size"].to_numpy()),
            "confidence": share,
            "n": n.to_numpy(),
            "ties": tied.to_numpy().astype(np.int64),
        }
    )


def _marks(raw: str) -> str:
    """What was marked, the same text for the same marks."""
    return json.dumps(sorted(json.dumps(item.get("value"), sort_keys=True) for item in json.loads(raw)))


def _with_votes(regions: pa.ListArray, share: FloatArray, n: IntArray) -> pa.ListArray:
    """The regions of each answer, with what its votes say of each."""
    answer, items = pc.list_parent_indices(regions).to_numpy(), regions.flatten()
    fields = dict(zip((field.name for field in items.type), items.flatten(), strict=True))
    fields |= {"confidence": pa.array(share[answer]), "n": pa.array(n[answer])}
    told = pa.StructArray.from_arrays(list(fields.values()), names=list(fields))
    size = pc.list_value_length(regions).to_numpy()
    return pa.ListArray.from_arrays(pa.array(np.concatenate([[0], np.cumsum(size)]), pa.int32()), told)
