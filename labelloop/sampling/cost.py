"""What a reference will cost: hours of annotators' time, learned from how long answers took."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

PRIOR: Final = 10  # answers that the expectation weighs as much as
PAUSE: Final = 10.0  # an answer that took so many medians was a pause


def expected_hours(
    strata: pa.ChunkedArray | pa.Array, answers: pa.Table, *, seconds_per_answer: float, opinions: float
) -> NDArray[np.float64]:
    """Hours that each reference will take, > 0: the mean time of an answer in its stratum, times its opinions.

    Means are drawn towards the next wider one as if by 10 answers: a stratum's to the project's, the project's to the
    expectation (shrinkage, James and Stein, 1961). Answers of over ten medians count as ten medians.

    Args:
        strata: (n,) names, null for none.
        answers: `stratum`, `seconds` of answers given; null or not positive times do not count.
        seconds_per_answer: expected before anybody has answered.
        opinions: planned for a reference, on average.

    >>> answers = pa.table({"stratum": ["cat"] * 10, "seconds": [20.0] * 10})
    >>> (3600 * expected_hours(pa.array(["cat", "dog"]), answers, seconds_per_answer=40, opinions=1)).tolist()
    [25.0, 30.0]
    """
    seconds = pd.Series(answers["seconds"].cast(pa.float64()).to_numpy())
    timed = seconds > 0
    seconds, names = seconds[timed], pd.Series(answers["stratum"].cast(pa.string()).to_pylist(), dtype=object)[timed]
    seconds = seconds.clip(upper=PAUSE * seconds.median())
    project = (seconds.sum() + PRIOR * seconds_per_answer) / (len(seconds) + PRIOR)
    by_stratum = seconds.groupby(names).agg(["sum", "count"])
    means = (by_stratum["sum"] + PRIOR * project) / (by_stratum["count"] + PRIOR)
    expected = pd.Series(strata.cast(pa.string()).to_pylist(), dtype=object).map(means).fillna(project)
    return np.asarray(expected.to_numpy(dtype=np.float64) * opinions / 3600.0)
