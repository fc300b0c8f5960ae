"""Boxes of two annotators on 100,000 images, compared and matched one to one, beside pycocotools in the same run."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import measured
from benchmarks.parts import Figures
from benchmarks.peers import run_peer
from labelloop.geometry.matching import Links, best_links, touching
from labelloop.geometry.rectangles import Rectangles

SEED: Final = 7
REPEAT: Final = 3
HALF: Final = 0.5
SEEN: Final = 0.9  # of the objects each annotator sees
# Objects of an image in the mean, and images.
SCENES: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {"7 objects, as in COCO": (7, 100_000), "20 objects, crowded": (20, 20_000)}
)
QUICK: Final = 100  # times fewer images
_PEER_MINUTES: Final = 20


class Scenes(NamedTuple):
    """Boxes x, y, width, height by answer, and where each answer begins; answers 2 i and 2 i + 1 are of image i."""

    box: NDArray[np.float64]
    start: NDArray[np.int64]

    @property
    def n(self) -> int:
        """Number of images."""
        return len(self.start) // 2


def run(quick: bool) -> Figures:
    """Match the boxes of 100,000 images; quick: 1,000."""
    fewer = QUICK if quick else 1
    return {
        "title": "Boxes",
        "about": [
            "Two annotators see nine of ten objects of an image each and place them a little apart. Ours: the",
            "overlap of all boxes that touch, and the one-to-one matching with the greatest sum. pycocotools: the",
            "overlap alone (`mask.iou`), and overlap with its greedy matching at one half (`COCOeval.evaluate`);",
            "its index of the boxes is built before the clock starts. Target: at least the speed of pycocotools.",
        ],
        "tables": {
            "Two annotators' boxes": [
                _row(name, _scenes(n_images // fewer, n_objects)) for name, (n_objects, n_images) in SCENES.items()
            ]
        },
    }


def _scenes(n: int, per_image: int) -> Scenes:
    rng = np.random.default_rng(SEED)
    image = np.repeat(np.arange(n), rng.poisson(per_image, n))
    box = np.column_stack([rng.uniform(0, 80, (len(image), 2)), rng.uniform(2, 30, (len(image), 2))])
    moved = np.maximum(box + rng.normal(0, 2, box.shape), 0.5)
    seen = [np.flatnonzero(rng.random(len(image)) < SEEN) for _ in range(2)]
    answer = np.concatenate([2 * image[seen[0]], 2 * image[seen[1]] + 1])
    order = np.argsort(answer, kind="stable")
    both = np.concatenate([box[seen[0]], moved[seen[1]]])[order]
    return Scenes(both, np.searchsorted(answer[order], np.arange(2 * n + 1)))


def _match(scenes: Scenes) -> Links:
    boxes = Rectangles(scenes.box, np.zeros(len(scenes.box)), np.ones(len(scenes.box)))
    first = np.arange(0, 2 * scenes.n, 2)
    pair, one, other = touching(boxes.bounds, scenes.start, first, first + 1)
    links = Links(pair, one, other, boxes.similarity(one, other))
    return best_links(links, np.zeros(len(pair), dtype=bool))


def _row(name: str, scenes: Scenes) -> dict[str, Any]:
    ours = measured(lambda: _match(scenes), REPEAT)
    row: dict[str, Any] = {
        "scene": name,
        "images": scenes.n,
        "compare and match, CPU s": ours.cpu_seconds,
        "added MiB": ours.added_mib,
        "matched at one half": int((ours.result.similarity >= HALF).sum()),
    }
    theirs = _pycocotools(scenes)
    if "failed" in theirs:
        return row | {"pycocotools": theirs["failed"]}
    return row | {
        "pycocotools compare, CPU s": theirs["compare"],
        "pycocotools compare and match, CPU s": theirs["match"],
        "theirs / ours": theirs["match"] / ours.cpu_seconds,
        "theirs matched": theirs["matches"],
    }


def _pycocotools(scenes: Scenes) -> dict[str, Any]:
    answer = np.repeat(np.arange(2 * scenes.n), np.diff(scenes.start))
    sizes = np.diff(scenes.start)
    sides = {"one": 0, "other": 1}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scenes.npz"
        boxes = {name: scenes.box[answer % 2 == side] for name, side in sides.items()}
        ends = {f"{name}_ends": np.cumsum(sizes[side::2]) for name, side in sides.items()}
        np.savez(file, **boxes, **ends)
        return run_peer("box_matching", file, seconds=60 * _PEER_MINUTES)
