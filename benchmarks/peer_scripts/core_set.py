"""`core_set.py POINTS.npy N`: seconds that scikit-activeml needs for N picks by CoreSet, as JSON."""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from skactiveml.pool import CoreSet
from skactiveml.utils import MISSING_LABEL


def main() -> None:
    """Time CoreSet with nothing labelled but the first point."""
    points, count = np.load(sys.argv[1]), int(sys.argv[2])
    labels = np.full(len(points), MISSING_LABEL)
    labels[0] = 0
    start = time.process_time()
    CoreSet(random_state=0).query(points, labels, batch_size=count)
    print(json.dumps({"cpu_seconds": time.process_time() - start}))


main()
