"""Score of a predicted number: how far several models, or stochastic passes of one, are apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def variance(draws: NDArray[np.floating]) -> NDArray[np.floating]:
    """Variance of the members' predictions, one number >= 0 for each row of (n, S), S >= 1.

    mean_s (y_s - mean y)^2, in squared units of the prediction. NaN gives NaN, a single member 0.
    Source: the ambiguity of an ensemble, Krogh and Vedelsby, NIPS 1994.

    >>> variance(np.array([[1.0, 3.0], [2.0, 2.0]])).tolist()
    [1.0, 0.0]
    """
    return np.asarray(draws.var(axis=1))
