"""For each template of a spec: the spec, small objects it is about, and how many of them make a unit."""

from __future__ import annotations

import io
import json
import math
import struct
import wave
from collections.abc import Callable
from functools import cache
from typing import Any

from PIL import Image, ImageDraw

from deployments.cli.templates import fill
from labelloop.spec import ProjectSpec, load_spec
from tests.checkout import ROOT

NAME = "digits"  # the prefix of every object, and the project of the tests' worlds
_VIDEO = "*/site-packages/label_studio/core/static/samples/opossum_snow.mp4"
MEMBERS = {"image-comparison": 2, "near-duplicates": 3, "outlier-review": 3, "triage": 3}
PASSAGES = [
    {"id": "rain", "title": "Weather", "text": "Rain is water that falls.", "score": 0.31, "source": "bm25"},
    {"id": "seas", "title": "Seas", "text": "Seas are salt:\n  rivers bring it.", "score": 0.92, "source": "dense"},
]
RECORDS: dict[str, dict[str, Any]] = {
    "pairwise": {"prompt": "Why is it salty?\n  In short.", "answer_a": "Rivers.", "answer_b": "It is not salty."},
    "rag-relevance": {"query": "Why is the sea salty?", "passages": PASSAGES},
}


@cache
def sample_spec(template: str) -> ProjectSpec:
    """The spec of a template about a project that tests have a world for."""
    return load_spec(fill(template, NAME), name=template)


@cache
def sample_objects(template: str) -> dict[str, bytes]:
    """By key the objects of one unit of a template."""
    media = sample_spec(template).interface.media
    ending, content = _OBJECTS[media]
    return {f"{NAME}/{n}/sample.{ending}": content(template, n) for n in range(MEMBERS.get(template, 1))}


def sample_unit(template: str) -> dict[str, Any]:
    """The unit of these objects, as push is given it: with its members, each with a score where a model spoke."""
    members = [
        {"ref_id": f"{n:032x}", "bucket": "media", "key": key, "score": 0.9 - n / 4, "source": "model-1"}
        for n, key in enumerate(sample_objects(template))
    ]
    return {"unit_id": f"{7:032x}", "members": members}


def sample_contents(template: str) -> dict[str, bytes]:
    """By reference id the content of the members."""
    return {f"{n:032x}": data for n, data in enumerate(sample_objects(template).values())}


def _picture(_template: str, n: int) -> bytes:
    image = Image.new("RGB", (320, 200), ("navy", "teal", "olive")[n % 3])
    ImageDraw.Draw(image).rectangle((60, 50, 180, 140), fill="white")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _words(_template: str, _n: int) -> bytes:
    return b"Alice works for Acme in Paris."


def _sound(_template: str, _n: int) -> bytes:
    buffer, rate = io.BytesIO(), 8000
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        beats = (int(9000 * math.sin(2 * math.pi * 440 * i / rate)) for i in range(3 * rate))
        file.writeframes(b"".join(struct.pack("<h", beat) for beat in beats))
    return buffer.getvalue()


def _film(_template: str, _n: int) -> bytes:
    (path,) = ROOT.glob(f".venv-label-studio/lib/{_VIDEO}")
    return path.read_bytes()


def _plot(_template: str, _n: int) -> bytes:
    rows = "".join(f"{i},{5 + math.sin(i / 5):.3f},{200 + i}\n" for i in range(100))
    return f"second,speed,power\n{rows}".encode()


def _dialogue(_template: str, _n: int) -> bytes:
    turns = [("user", "Is the sea salty?"), ("assistant", "Yes:\n  rivers bring salt.")]
    return json.dumps([{"author": author, "text": text} for author, text in turns]).encode()


def _record(template: str, _n: int) -> bytes:
    return json.dumps(RECORDS[template]).encode()


_OBJECTS: dict[str, tuple[str, Callable[[str, int], bytes]]] = {
    "image": ("png", _picture),
    "text": ("txt", _words),
    "audio": ("wav", _sound),
    "video": ("mp4", _film),
    "time_series": ("csv", _plot),
    "dialogue": ("json", _dialogue),
    "record": ("json", _record),
}
