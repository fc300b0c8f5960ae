"""Row functions over large arrays, block by block: fast because a block stays in cache, small because copies are.

A reduction along a short last axis spends its time on starting anew for each row. In a block laid out by columns
it runs along whole columns instead.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

NUMBERS: Final = 1 << 17  # in one block: 1 MB of float64
Result = TypeVar("Result", bound=np.generic)


def in_blocks(
    function: Callable[[NDArray[np.floating]], NDArray[Result]],
) -> Callable[[NDArray[np.floating]], NDArray[Result]]:
    """The same function of the rows of an (n, k) array, carried out block by block.

    It must treat every row by itself and give one number for each.

    >>> in_blocks(lambda rows: rows.sum(axis=1))(np.ones((3, 2))).tolist()
    [2.0, 2.0, 2.0]
    """

    @wraps(function)
    def blocked(values: NDArray[np.floating]) -> NDArray[Result]:
        step = max(1, NUMBERS // max(1, values.shape[1]))
        if len(values) <= step:
            return function(np.asfortranarray(values))
        head = function(np.asfortranarray(values[:step]))
        found = np.empty(len(values), dtype=head.dtype)
        found[:step] = head
        for start in range(step, len(values), step):
            found[start : start + step] = function(np.asfortranarray(values[start : start + step]))
        return found

    return blocked
