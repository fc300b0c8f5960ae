"""Our methods beside crowd-kit's on one small crowd (`python -m benchmarks.consensus` writes the file anew).

Majority and both kinds of Dawid-Skene are the same function. GLAD climbs the same hill by another way and stops
elsewhere near its top. MACE is a hill with several tops, and theirs starts at a random place, ours at the vote.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from labelloop.consensus import aggregate

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "crowd_kit.json").read_text(encoding="utf-8"))
FIXED = {"smoothing": 0.0, "max_iter": GOLDEN["steps"], "tol": 0.0}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "settings", "most", "mean"),
    [
        ("majority", {}, 1e-12, 1e-12),
        ("dawid-skene", FIXED, 1e-6, 1e-9),
        ("one-coin", FIXED, 1e-6, 1e-9),
        ("glad", {"max_iter": 500}, 0.05, 0.01),
        ("mace", {"max_iter": 500}, 0.5, 0.05),
    ],
)
def test_probabilities_lie_as_near_to_crowd_kits_as_the_methods_do(method, settings, most, mean):
    table = pd.DataFrame(GOLDEN["ratings"], columns=["unit", "annotator", "value"])
    ours = np.array(aggregate(table, method, **settings)["probabilities"].to_pylist())
    apart = np.abs(ours - np.array(GOLDEN["probabilities"][method]))
    assert apart.max() < most
    assert apart.mean() < mean
