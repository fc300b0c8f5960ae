"""An interface for every kind of question, about media that it can be about."""

from __future__ import annotations

from typing import Any

from labelloop.spec.interface import Interface

AB = [{"value": "a"}, {"value": "b"}]
SERIES = {"channels": [{"column": "speed"}]}
# For each kind of question: the media, and what else the question needs.
ASKED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "choices": ({"media": "pdf"}, {"labels": AB}),
    "taxonomy": ({"media": "text"}, {"labels": [{"value": "a", "children": AB}]}),
    "rating": ({"media": "dialogue"}, {"maximum": 7}),
    "number": ({}, {"minimum": 0, "maximum": 1, "step": 0.1}),
    "datetime": ({"media": "text"}, {"only": "date"}),
    "text": ({"media": "audio"}, {"lines": 4}),
    "pairwise": ({"layout": "pair", "media": "text"}, {}),
    "ranking": ({"layout": "list"}, {}),
    "rectangle": ({}, {"labels": AB}),
    "ellipse": ({}, {"labels": AB}),
    "polygon": ({}, {"labels": AB}),
    "keypoint": ({}, {"labels": AB}),
    "mask": ({}, {"labels": AB}),
    "span": ({"media": "dialogue"}, {"labels": AB}),
    "segment": ({"media": "time_series", "series": SERIES}, {"labels": AB}),
    "track": ({"media": "video", "frame_rate": 25}, {"labels": AB}),
    "timeline": ({"media": "video"}, {"labels": AB}),
    "relation": ({"media": "text"}, {"labels": AB}),
}


def an_interface(kind: str, **question: Any) -> Interface:
    media, needed = ASKED[kind]
    asked = {"name": "q", "type": kind, "prompt": "Which?", **needed, **question}
    return Interface.model_validate({**media, "questions": [asked]})
