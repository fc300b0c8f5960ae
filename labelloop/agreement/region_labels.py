"""Agreement on each label of regions: of what was called so by one, how much did the other find and call so, too.

Places are matched as in `region_figures.py`, whatever the labels are; then a label is asked of both partners.
"""

from __future__ import annotations

from collections import Counter
from typing import Unpack

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import Precision, PrecisionSettings
from labelloop.agreement.label_sets import label_sets
from labelloop.agreement.ratings import FloatArray
from labelloop.agreement.region_figures import pair_figure, share_of_both
from labelloop.agreement.regions import Regions, read_regions
from labelloop.agreement.seen_objects import THRESHOLD


def figures_by_label(
    table: pa.Table | pd.DataFrame,
    control_type: str,
    *,
    most: int = 100,
    group: str | None = None,
    **settings: Unpack[PrecisionSettings],
) -> list[tuple[str, Figure]]:
    """`mean_iou` and `f1` of each label, by name, with interval or reason; nothing where there is one label only.

    `f1`: 2 matched regions that both hold the label / all regions that hold it; `mean_iou` weighs each match by how
    alike the two are. Two answers of which neither holds the label say nothing of it.

    Args:
        table: unit, annotator, regions and, for masks and turned shapes, raw; see `read_regions`.
        control_type: what kind of regions.
        most: of so many labels, those that most regions hold.
        group: column that clusters units.
        settings: the fields of `Precision`: seed, n_boot, confidence, n_min.

    Raises:
        InputError: regions that cannot be used.
        NotEstimable: nobody knows where spans are.

    >>> box = {"labels": ["cat"], "points": [0.0, 0.0, 2.0, 2.0]}
    >>> other = {"labels": ["dog"], "points": [5.0, 5.0, 2.0, 2.0]}
    >>> table = pd.DataFrame({"unit": [1, 1], "annotator": ["a", "b"], "regions": [[box, other], [box]]})
    >>> [(who, f.metric, f.value) for who, f in figures_by_label(table, "rectangle", n_min=1) if f.metric == "f1"]
    [('cat', 'f1', 1.0), ('dog', 'f1', 0.0)]
    """
    regions, precision = read_regions(table, control_type, group=group), Precision(**settings)
    sets = label_sets(pa.array(regions.labels, pa.string()))
    held = Counter(label for code in regions.label.tolist() for label in sets[code] if label)
    labels = sorted(held, key=lambda label: (-held[label], str(label)))[:most]
    found = []
    for label in sorted(labels, key=str) if len(labels) > 1 else ():
        holds = np.array([label in one for one in sets], dtype=bool)[regions.label]
        for name, values in _of_label(regions, holds).items():
            found.append((str(label), pair_figure(name, control_type, regions, values, precision)))
    return found


def _of_label(regions: Regions, holds: NDArray[np.bool_]) -> dict[str, FloatArray]:
    """Both figures of each two answers, NaN where neither holds the label."""
    links, size = regions.matched, holds.astype(np.float64)
    links = links.where(holds[links.one] & holds[links.other])
    worth = {"mean_iou": links.similarity, "f1": (links.similarity >= THRESHOLD).astype(np.float64)}
    shared = {name: np.bincount(links.pair, each, len(regions.pairs.first)) for name, each in worth.items()}
    return {name: share_of_both(regions, each.astype(np.float64), size, np.nan) for name, each in shared.items()}
