"""Near-duplicates of audit references, which must not be trained on: a model would know what it is examined in.

Who belongs to the audit is decided in `labelloop.sampling`, when references are alike in its `likeness.py`.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.sampling.likeness import likenesses
from labelloop.sampling.limits import Limits
from labelloop.sampling.reading import check
from labelloop.spec.sampling import NearDuplicates


def copies_of_audit(rows: pa.Table, asked: pa.Table, audit: pa.Array, near: NearDuplicates) -> NDArray[np.bool_]:
    """Which rows of a training set speak of a near-duplicate of an audit reference, and are no audit themselves.

    Args:
        rows: `ref_id, split` of the contract `training_set`.
        asked: `ref_id` of what was asked about, and the columns by which references can be alike.
        audit: ids of the references that were asked about for the audit.
        near: when references are near-duplicates.

    Raises:
        InputError: `asked` lacks a column by which near-duplicates are to be told.

    >>> rows = pa.table({"ref_id": ["a", "b", "c"], "split": ["audit", "train", "train"]})
    >>> asked = pa.table({"ref_id": ["a", "b", "c"], "digest": ["x", "x", "y"]})
    >>> copies_of_audit(rows, asked, pa.array(["a"]), NearDuplicates()).tolist()
    [False, True, False]
    """
    examined = np.flatnonzero(pc.is_in(asked["ref_id"], value_set=audit))
    alike = np.zeros(len(asked), dtype=bool)
    if len(examined):
        check(asked, Limits(near).columns, "keeping near-duplicates of the audit out of training")
        for way in likenesses(asked, near):
            alike |= way.near(examined)
    copied = pc.is_in(rows["ref_id"], value_set=asked["ref_id"].filter(pa.array(alike)).combine_chunks())
    return np.asarray(pc.and_(copied, pc.not_equal(rows["split"], "audit")))
