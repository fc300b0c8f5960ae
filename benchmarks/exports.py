"""Exports of Label Studio as large as a benchmark needs them: each task with one choice and up to two boxes."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any, Final

LABELS: Final = ("car", "bus", "tram")
DIGITS: Final = tuple("0123456789")
# The configuration that the answers belong to.
CONFIGURATION: Final = f"""
<View>
  <Image name="image" value="$image"/>
  <Choices name="digit" toName="image">{"".join(f'<Choice value="{one}"/>' for one in DIGITS)}</Choices>
  <RectangleLabels name="box" toName="image">{"".join(f'<Label value="{one}"/>' for one in LABELS)}</RectangleLabels>
</View>
"""
_PEOPLE: Final = 40
_MOMENT: Final = "2026-11-21T23:50:00.914371Z"


def write_export(path: Path, n_tasks: int) -> None:
    """Write an export of so many annotated tasks, about 1.5 KB and two results each."""
    random = Random(7)  # noqa: S311 - the same file every time
    with path.open("w", encoding="utf-8") as file:
        for number in range(n_tasks):
            file.write(("," if number else "[") + json.dumps(_task(number, random)))
        file.write("]")


def _task(number: int, random: Random) -> dict[str, Any]:
    given = [_choice(number, random), *(_box(f"b{number}-{n}", random) for n in range(random.randrange(3)))]
    return {
        "id": number,
        "annotations": [_annotation(number, given, random)],
        "file_upload": None,
        "drafts": [],
        "predictions": [],
        "data": {"unit": f"{number:032x}", "image": f"s3://bucket/prefix/{number:08}.png"},
        "meta": {},
        "created_at": _MOMENT,
        "updated_at": _MOMENT,
        "inner_id": number,
        "total_annotations": 1,
        "cancelled_annotations": 0,
        "total_predictions": 0,
        "comment_count": 0,
        "unresolved_comment_count": 0,
        "last_comment_updated_at": None,
        "project": 1,
        "updated_by": 1,
        "comment_authors": [],
    }


def _annotation(number: int, given: list[dict[str, Any]], random: Random) -> dict[str, Any]:
    return {
        "id": number,
        "completed_by": random.randrange(_PEOPLE),
        "result": given,
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": _MOMENT,
        "updated_at": _MOMENT,
        "draft_created_at": None,
        "lead_time": round(20 * random.random(), 3),
        "prediction": {},
        "result_count": len(given),
        "unique_id": f"{number:032x}",
        "import_id": None,
        "last_action": None,
        "task": number,
        "project": 1,
        "updated_by": 1,
        "parent_prediction": None,
        "parent_annotation": None,
        "last_created_by": None,
    }


def _choice(number: int, random: Random) -> dict[str, Any]:
    names = {"id": f"c{number}", "from_name": "digit", "to_name": "image", "type": "choices", "origin": "manual"}
    return {"value": {"choices": [random.choice(DIGITS)]}, **names}


def _box(name: str, random: Random) -> dict[str, Any]:
    sides = {side: 50 * random.random() for side in ("x", "y", "width", "height")}
    return {
        "original_width": 640,
        "original_height": 480,
        "image_rotation": 0,
        "value": {**sides, "rotation": 0, "rectanglelabels": [random.choice(LABELS)]},
        "id": name,
        "from_name": "box",
        "to_name": "image",
        "type": "rectanglelabels",
        "origin": "manual",
    }
