"""Answers of every kind, as typed columns of `annotations`: from what was meant to what one annotator says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from tests.builders.answers import answer
from tests.builders.brush_code import brush_code

Typed = dict[str, Any]
LABELS: Final = ("cat", "dog", "bird")


def _region(said: int, **place: Any) -> Typed:
    return {"regions": [{"region_id": "r1", "labels": [LABELS[said % 3]], "points": [], **place}]}


def _stretch(said: int) -> Typed:
    return _region(said, start=float(said), end=float(said + 4), text="abcd")


def _frames(said: int) -> Typed:
    frames = [{"frame": at, "points": [5.0 * said, 1.0, 20.0, 20.0], "enabled": True} for at in (1, 9)]
    return _region(said, frames=frames)


def _mask(said: int) -> Typed:
    code = brush_code(np.repeat(np.arange(40) > 4 * said, 4).astype(int) * 255)
    raw = [{"id": "r1", "original_width": 8, "original_height": 5, "value": {"format": "rle", "rle": code}}]
    return {**_region(said), "raw": json.dumps(raw)}


# What is meant is a number from 0 to 8.
EVERY_KIND: Final[Mapping[str, Callable[[int], Typed]]] = MappingProxyType(
    {
        "choices": lambda said: {"choices": [LABELS[said % 3]]},
        "taxonomy": lambda said: {"paths": [["animal", LABELS[said % 3]]]},
        "rating": lambda said: {"number": float(1 + said % 5)},
        "number": lambda said: {"number": 1.5 * said},
        "datetime": lambda said: {"text": f"2026-01-0{1 + said % 9}"},
        "text": lambda said: {"text": " ".join(LABELS[(said + at) % 3] for at in range(4))},
        "pairwise": lambda said: {"choices": [("left", "right")[said % 2]]},
        "ranking": lambda said: {
            "ranked": [{"item": LABELS[(said + at) % 3], "rank": at, "bucket": None} for at in range(3)]
        },
        "rectangle": lambda said: _region(said, points=[5.0 * said, 1.0, 20.0, 20.0]),
        "ellipse": lambda said: _region(said, points=[40.0 + 5 * said, 40.0, 20.0, 10.0]),
        "polygon": lambda said: _region(said, points=[5.0 * said, 0.0, 5.0 * said + 20, 0.0, 5.0 * said, 20.0]),
        "keypoint": lambda said: _region(said, points=[5.0 * said, 5.0, 1.0]),
        "mask": _mask,
        "span": _stretch,
        "segment": _stretch,
        "timeline": _stretch,
        "track": _frames,
        "relation": lambda _: {"relations": [{"from_id": "r1", "to_id": "r2", "direction": "right"}]},
    }
)


def answers_of(kind: str, *, n_units: int = 12, errors: float = 0.2, seed: int = 0) -> Iterator[Typed]:
    """Yield what three annotators, who each err at this rate, answer to a question of this kind."""
    rng = np.random.default_rng(seed)
    for unit in range(n_units):
        meant = int(rng.integers(9))
        for who in ("a-anna", "a-ben", "a-cora"):
            said = meant if rng.random() >= errors else int(rng.integers(9))
            typed = {"choices": None, **EVERY_KIND[kind](said)}
            yield answer(f"{unit:032x}", who, "", control=kind, control_type=kind, **typed)
