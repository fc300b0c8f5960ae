"""`agreement.py COUNTS.npy`: krippendorff's alpha of a table of counts at each level, and its seconds, as JSON."""

from __future__ import annotations

import json
import sys
import time

import krippendorff
import numpy as np


def main() -> None:
    """Time the form that takes counts, which needs no table of annotators by units."""
    counts, found = np.load(sys.argv[1]), {}
    for level in ("nominal", "ordinal", "interval", "ratio"):
        start = time.process_time()
        domain = np.arange(counts.shape[1])
        alpha = krippendorff.alpha(value_counts=counts, value_domain=domain, level_of_measurement=level)
        found[level] = {"cpu_seconds": time.process_time() - start, "alpha": alpha}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
