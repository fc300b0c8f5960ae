"""What Label Studio holds, in our words: its tasks and the annotations on them.

Only the wire's JSON is turned into these shapes here; what to do about them is decided in `reconcile` and `collect`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from labelloop.task_data import addresses_in


@dataclass(frozen=True)
class RemoteAnnotation:
    """One annotator's answer as the server keeps it; `user_id` means something on that server only.

    Whose account was deleted is not known any more: each answer then has a `user_id` of its own, below zero.
    """

    annotation_id: int
    user_id: int
    result: tuple[Any, ...]
    cancelled: bool
    lead_time: float | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class RemoteTask:
    """One task as the server keeps it; `unit_id` is empty when it was not made by labelloop."""

    task_id: int
    unit_id: str
    overlap: int
    finished: bool
    updated_at: datetime
    annotations: tuple[RemoteAnnotation, ...] = ()
    media: tuple[str, ...] = ()  # the s3:// addresses it shows, also those of pictures in lists
    data: Mapping[str, Any] = field(default_factory=dict)
    predictions: int = 0
    versions: str = ""  # of its predictions, each once, with commas
    score: float | None = None  # of the prediction whose version orders the queue

    @property
    def answers(self) -> int:
        """How many people have answered it; skipping is no answer."""
        return len({a.user_id for a in self.annotations if not a.cancelled})


def task_from_wire(task: Mapping[str, Any]) -> RemoteTask:
    """Return the task that a JSON object of the server describes.

    >>> wire = {"id": 7, "data": {"unit": "ab"}, "overlap": 1, "is_labeled": False,
    ...         "updated_at": "2026-11-22T04:54:45.914371Z", "annotations": []}
    >>> task_from_wire(wire).unit_id
    'ab'
    """
    return RemoteTask(
        task_id=int(task["id"]),
        unit_id=str(task["data"].get("unit") or ""),
        overlap=int(task["overlap"]),
        finished=bool(task["is_labeled"]),
        updated_at=datetime.fromisoformat(task["updated_at"]),
        annotations=tuple(_annotation_from_wire(found) for found in task.get("annotations", ())),
        media=tuple(addresses_in(task["data"])),
        data=task["data"],
        predictions=int(task.get("total_predictions") or 0),
        versions=",".join(sorted(_versions(task.get("predictions_model_versions") or ""))),
        score=task.get("predictions_score"),
    )


def _versions(listed: str) -> set[str]:
    """Return the versions in a list with commas, behind which a server on PostgreSQL puts blanks."""
    return {version.strip() for version in listed.split(",")} - {""}


def _annotation_from_wire(annotation: Mapping[str, Any]) -> RemoteAnnotation:
    result, number, author = annotation["result"], int(annotation["id"]), annotation["completed_by"]
    return RemoteAnnotation(
        annotation_id=number,
        user_id=-number if author is None else int(author),
        result=tuple(result) if isinstance(result, list) else (result,),
        cancelled=bool(annotation["was_cancelled"]),
        lead_time=annotation.get("lead_time"),
        created_at=datetime.fromisoformat(annotation["created_at"]),
        updated_at=datetime.fromisoformat(annotation["updated_at"]),
    )
