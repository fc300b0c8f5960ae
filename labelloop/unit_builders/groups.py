"""Near-duplicate groups: one question for all references that hardly differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labelloop.sampling.likeness import Likeness


def near_duplicate_groups(
    leaders: Sequence[int] | NDArray[np.intp],
    ways: Sequence[Likeness],
    eligible: NDArray[np.bool_],
    *,
    size: int,
) -> list[NDArray[np.intp]]:
    """For each leader the group it stands for: itself first, then rows that are like it in any way.

    Every member is like its leader, not merely like another member, so that a chain of small changes does not lead to
    a group of different things. A row belongs to the first leader it is like; a leader to no other's group.

    Args:
        leaders: rows chosen, best first.
        ways: in which rows can be alike.
        eligible: (n,) rows that may join a group.
        size: of a group at most; the first rows stay.

    >>> from labelloop.sampling.likeness import SameBytes
    >>> import pyarrow as pa
    >>> same = SameBytes(pa.chunked_array([["x", "y", "x", "x"]]))
    >>> [group.tolist() for group in near_duplicate_groups([0, 1], [same], np.ones(4, bool), size=2)]
    [[0, 2], [1]]
    """
    free = eligible.copy()
    free[leaders] = False
    groups = []
    for leader in leaders:
        alike = np.zeros(len(free), dtype=bool)
        for way in ways:
            alike |= way.near([int(leader)])
        joining = np.flatnonzero(alike & free)[: size - 1]
        free[joining] = False
        groups.append(np.concatenate([[leader], joining]).astype(np.intp))
    return groups
