"""Agreement of tracks: where objects are at the key frames, and whether the same track follows the same object.

Tracks as wholes are compared like other regions (`region_figures`, control type track): how many were seen by both,
how far they overlap, what they are called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Unpack

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.optimize import linear_sum_assignment

from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import Precision, PrecisionSettings
from labelloop.agreement.ratings import FloatArray
from labelloop.agreement.region_figures import pair_figure
from labelloop.agreement.regions import Regions, read_regions
from labelloop.agreement.seen_objects import THRESHOLD
from labelloop.errors import InputError
from labelloop.geometry.tracks import Tracks, overlap


@dataclass(frozen=True)
class Scene:
    """Two answers at all key frames of both: `overlap` of each two tracks (n x m x frames), number of `boxes`.

    >>> empty = Scene(np.zeros((0, 0, 0)), 0)
    >>> key_frame_iou(empty), idf1(empty)
    (1.0, 1.0)
    """

    overlap: FloatArray
    boxes: int


def key_frame_iou(scene: Scene) -> float:
    """Mean over all boxes of both at the key frames of how well each is matched at its frame; 1 when both are empty.

    Whichever tracks the boxes belong to.
    """
    return 2.0 * _best_by_frame(scene.overlap) / scene.boxes if scene.boxes else 1.0


def idf1(scene: Scene) -> float:
    """2 x boxes of matched tracks that overlap by half / all boxes of both, 1 when both are empty.

    Tracks are matched as wholes, so that as many boxes as can be do so. Source: Ristani et al. (2016).
    """
    return 2.0 * _followed(scene) / scene.boxes if scene.boxes else 1.0


def identity_consistency(scene: Scene) -> float:
    """Of the boxes both have (overlap by half) the share whose tracks are each other's as wholes; NaN without any.

    1: nobody lost or swapped an object that both saw.
    """
    hits = (scene.overlap >= THRESHOLD).astype(np.float64)
    both = _best_by_frame(hits)
    return _followed(scene) / both if both else float("nan")


METRICS_OF_TRACKS: Final[Mapping[str, Callable[[Scene], float]]] = MappingProxyType(
    {"key_frame_iou": key_frame_iou, "idf1": idf1, "identity_consistency": identity_consistency}
)


def track_figures(
    table: pa.Table | pd.DataFrame,
    metrics: Sequence[str] = tuple(METRICS_OF_TRACKS),
    *,
    group: str | None = None,
    **settings: Unpack[PrecisionSettings],
) -> list[Figure]:
    """Agreement of tracks, one figure per metric, with interval or reason; each unit (video) counts once.

    Args:
        table: unit, annotator, regions with `frames`; see `read_regions`.
        metrics: names of `METRICS_OF_TRACKS`.
        group: column that clusters units.
        settings: the fields of `Precision`: seed, n_boot, confidence, n_min.

    Raises:
        InputError: an unknown metric, or tracks that cannot be used.

    >>> keys = [{"frame": f, "points": [0.0, 0.0, 2.0, 2.0], "rotation": 0.0, "enabled": True} for f in (1, 9)]
    >>> table = pd.DataFrame({"unit": [1, 1], "annotator": ["a", "b"], "regions": [[{"frames": keys}]] * 2})
    >>> [(figure.metric, figure.value) for figure in track_figures(table, ["idf1"], n_min=1)]
    [('idf1', 1.0)]
    """
    if unknown := [name for name in metrics if name not in METRICS_OF_TRACKS]:
        known = ", ".join(METRICS_OF_TRACKS)
        raise InputError(f"metric {unknown[0]!r} does not compare tracks", remedy=f"give one of {known}")
    regions, precision = read_regions(table, "track", group=group), Precision(**settings)
    pairs = zip(regions.pairs.first.tolist(), regions.pairs.second.tolist(), strict=True)
    scenes = [_scene(regions, one, other) for one, other in pairs]
    return [
        pair_figure(name, "track", regions, np.array([METRICS_OF_TRACKS[name](scene) for scene in scenes]), precision)
        for name in metrics
    ]


def _scene(regions: Regions, one: int, other: int) -> Scene:
    tracks = regions.shapes_as(Tracks)
    first, second = (np.arange(regions.start[answer], regions.start[answer + 1]) for answer in (one, other))
    frames = tracks.key_frames(np.concatenate([first, second]))
    mine, yours = ([tracks.at(track, frames) for track in side.tolist()] for side in (first, second))
    overlaps = np.array([[overlap(a, b) for b in yours] for a in mine])
    boxes = sum(int(track.visible.sum()) for track in (*mine, *yours))
    return Scene(overlaps.reshape(len(mine), len(yours), len(frames)), boxes)


def _best_by_frame(worth: FloatArray) -> float:
    return float(sum(_best(worth[:, :, frame]) for frame in range(worth.shape[2])))


def _followed(scene: Scene) -> float:
    return _best((scene.overlap >= THRESHOLD).sum(axis=2).astype(np.float64))


def _best(worth: FloatArray) -> float:
    return float(worth[linear_sum_assignment(worth, maximize=True)].sum())
