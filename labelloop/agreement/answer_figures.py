"""The table from control type to figures, for answers that have a place and for texts; one line for each kind.

What other answers are measured by is in `table.py`, `rankings.py`, `buckets.py` and `groupings.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from labelloop.agreement.figure import Figure
from labelloop.agreement.region_figures import region_figures
from labelloop.agreement.spans import span_figures
from labelloop.agreement.texts import text_figures
from labelloop.agreement.tracks import track_figures
from labelloop.errors import InputError

Measure = Callable[..., list[Figure]]
_AREAS: Final = ("rectangle", "ellipse", "polygon", "keypoint", "mask")
_STRETCHES: Final = ("span", "segment", "timeline")


def _of_regions(kind: str) -> Measure:
    return partial(region_figures, control_type=kind)


MEASURES: Final[Mapping[str, tuple[Measure, ...]]] = MappingProxyType(
    {kind: (_of_regions(kind),) for kind in _AREAS}
    | {kind: (_of_regions(kind), partial(span_figures, control_type=kind)) for kind in _STRETCHES}
    | {"track": (_of_regions("track"), track_figures), "text": (text_figures,)}
)


def answer_figures(table: pa.Table | pd.DataFrame, control_type: str, **settings: Any) -> list[Figure]:
    """Every figure that answers of this type have, each with interval or reason.

    Args:
        table: unit, annotator and `regions` (also `raw` for masks and turned shapes), of texts `value`.
        control_type: a name of `MEASURES`.
        settings: group, seed, n_boot, confidence and n_min, as of the functions in `MEASURES`.

    Raises:
        InputError: another control type, or answers that cannot be used.

    >>> table = pd.DataFrame({"unit": [1, 1], "annotator": ["a", "b"], "value": ["cat", "cut"]})
    >>> answer_figures(table, "text", n_min=1)[0].metric
    'edit_similarity'
    """
    if control_type not in MEASURES:
        known = ", ".join(MEASURES)
        raise InputError(f"answers of type {control_type!r} have no place and no text", remedy=f"give {known}")
    return [figure for measure in MEASURES[control_type] for figure in measure(table, **settings)]
