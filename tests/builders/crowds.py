"""Simulated crowds: annotators who err at a rate, press one button or guess, on units that may be hard."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def crowd(
    seed: int,
    errors: Sequence[float | str],
    n_units: int = 300,
    n_classes: int = 4,
    per_unit: int | None = None,
    shares: Sequence[float] | None = None,
    hard: float = 0.0,
) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """Truth, and the ratings of a random few of the annotators per unit.

    Args:
        seed: of everything drawn.
        errors: of each annotator the rate of errors, `first` (always the first class) or `guess`.
        n_units: how many.
        n_classes: how many.
        per_unit: annotators of each unit; all without it.
        shares: of the classes; even without it.
        hard: share of the units that everybody gets wrong at least half of the time.
    """
    rng = np.random.default_rng(seed)
    truth = rng.choice(n_classes, n_units, p=shares)
    unit, annotator = np.divmod(np.arange(n_units * len(errors)), len(errors))
    rate = np.array([error if isinstance(error, float) else 0.0 for error in errors])
    is_hard = rng.random(n_units) < hard
    chance = np.where(is_hard[unit], np.maximum(rate[annotator], 0.5), rate[annotator])
    wrong = rng.random(len(unit)) < chance
    value = np.where(wrong, (truth[unit] + rng.integers(1, n_classes, len(unit))) % n_classes, truth[unit])
    guess = rng.integers(0, n_classes, len(unit))
    kinds = np.array([str(error) for error in errors])[annotator]
    value = np.select([kinds == "first", kinds == "guess"], [0, guess], value)
    turn = rng.random((n_units, len(errors))).argsort(axis=1).argsort(axis=1).ravel()
    table = pd.DataFrame({"unit": unit, "annotator": annotator, "value": value})
    return truth, table[turn < (per_unit or len(errors))]
