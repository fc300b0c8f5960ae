"""Label Studio in memory: as much of the server as the stages ask for, kept honest by the contract suite."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from labelloop.errors import ErasedError, InputError
from labelloop.workbench import RemoteTask, task_from_wire

Json = dict[str, Any]


class MemoryLabelStudio:
    """Tasks are handed out in the order, with the locks and the overlap of the real server."""

    address = "http://label-studio.test"

    def __init__(self) -> None:
        self.projects: dict[int, Json] = {}
        self.storages: dict[int, Json] = {}
        self.all_tasks: dict[int, Json] = {}
        self.all_predictions: dict[int, Json] = {}
        self.all_views: dict[int, Json] = {}
        self.users: dict[str, int] = {"admin@labelloop.test": 1}
        self._numbers = 0
        self._moment = datetime(2026, 11, 2, 7, 0, tzinfo=UTC)

    # What the pipeline asks.

    def find_project(self, marker: str) -> int | None:
        found = [number for number, p in self.projects.items() if marker in p.get("description", "")]
        return min(found, default=None)

    def project(self, ls_project: int) -> Json | None:
        if ls_project not in self.projects:
            return None
        tasks, predictions = self.task_ids(ls_project), self._predictions(ls_project)
        counts = {"task_number": len(tasks), "total_predictions_number": len(predictions)}
        return self.projects[ls_project] | counts

    def create_project(self, settings: Json) -> int:
        number = self._next()
        self.projects[number] = {"id": number, "model_version": "", **settings}
        return number

    def change_project(self, ls_project: int, changes: Json) -> None:
        version = changes.get("model_version")
        if version and version not in {p["model_version"] for p in self._predictions(ls_project)}:
            raise InputError("Label Studio refused changing project settings (HTTP 400)")
        forgotten = {"model_version": ""} if changes.get("show_collab_predictions") is False else {}
        self.projects[ls_project].update(forgotten | changes)
        if changes.get("maximum_annotations") == 1:
            for number in self.task_ids(ls_project):
                self.all_tasks[number]["overlap"] = 1
                self._count(number)

    def ensure_storage(self, ls_project: int, bucket: str) -> int:
        for number, storage in self.storages.items():
            if storage == {"project": ls_project, "bucket": bucket}:
                return number
        number = self._next()
        self.storages[number] = {"project": ls_project, "bucket": bucket}
        return number

    def storage_fits(self, ls_project: int, bucket: str) -> bool:
        return {"project": ls_project, "bucket": bucket} in self.storages.values()

    def task_ids(self, ls_project: int) -> set[int]:
        return {number for number, task in self.all_tasks.items() if task["project"] == ls_project}

    def tasks(self, ls_project: int, task_ids: Collection[int]) -> list[RemoteTask]:
        held = defaultdict(list)
        for prediction in self.all_predictions.values():
            held[prediction["task"]].append(prediction)
        return [self._wire(n, held[n]) for n in sorted(self.task_ids(ls_project) & set(task_ids))]

    def tasks_after(self, ls_project: int, task_id: int) -> list[RemoteTask]:
        return self.tasks(ls_project, [n for n in self.task_ids(ls_project) if n > task_id])

    def newest_change(self, ls_project: int) -> datetime | None:
        return max((t.updated_at for t in self.tasks(ls_project, self.task_ids(ls_project))), default=None)

    def changed_tasks(self, ls_project: int, since: datetime | None) -> Iterator[RemoteTask]:
        for task in self.tasks(ls_project, self.task_ids(ls_project)):
            if since is None or task.updated_at > since:
                yield task

    def import_tasks(self, ls_project: int, tasks: Sequence[Json]) -> list[int]:
        needed = re.findall(r'value="\$(\w+)"', self.projects[ls_project]["label_config"])
        if any(name not in task["data"] for task in tasks for name in needed):
            raise InputError("Label Studio refused importing tasks (HTTP 400)")
        return [self._add_task(ls_project, task) for task in tasks]

    def import_predictions(self, ls_project: int, predictions: Sequence[Json]) -> None:
        good = [p for p in predictions if 0 <= p["score"] <= 1]
        for prediction in good:
            self._add_prediction(ls_project, prediction["task"], prediction)
        if len(good) != len(predictions):
            raise InputError(f"Label Studio took {len(good)} of {len(predictions)} predictions")

    def delete_predictions(self, ls_project: int, task_ids: Collection[int]) -> None:
        gone = self.task_ids(ls_project) & set(task_ids)
        for number in [n for n, p in self.all_predictions.items() if p["task"] in gone]:
            del self.all_predictions[number]

    def set_overlap(self, task_id: int, overlap: int) -> None:
        self._task(task_id)["overlap"] = overlap
        self._touch(task_id)

    def reopen(self, task_id: int) -> None:
        self._task(task_id)["is_labeled"] = False
        self._touch(task_id)

    def finish(self, task_id: int) -> None:
        self._task(task_id)["is_labeled"] = True
        self._touch(task_id)

    def change_data(self, task_id: int, data: Mapping[str, str]) -> None:
        self._task(task_id)["data"] = dict(data)
        self._touch(task_id)

    def change_answer(self, annotation_id: int, change: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        for task in self.all_tasks.values():
            for annotation in task["annotations"]:
                if annotation["id"] == annotation_id:
                    MemoryAnnotator(self, 1).edit(annotation_id, list(change(annotation["result"])))

    def delete_task(self, task_id: int) -> None:
        self.all_tasks.pop(task_id, None)
        for number in [n for n, p in self.all_predictions.items() if p["task"] == task_id]:
            del self.all_predictions[number]

    def views(self, ls_project: int) -> dict[int, Json]:
        return {n: view["data"] for n, view in self.all_views.items() if view["project"] == ls_project}

    def save_view(self, ls_project: int, view: Json, view_id: int | None = None) -> int:
        number = view_id or self._next()
        self.all_views[number] = {"project": ls_project, "data": view}
        return number

    def delete_view(self, view_id: int) -> None:
        self.all_views.pop(view_id, None)

    def user_ids(self, emails: Iterable[str]) -> frozenset[int]:
        return frozenset(self.users[e.casefold()] for e in emails if e.casefold() in self.users)

    def annotator(self, email: str, _password: str) -> MemoryAnnotator:
        if email.casefold() not in self.users:
            self.users[email.casefold()] = self._next()
        return MemoryAnnotator(self, self.users[email.casefold()])

    # What the annotator's session and the tests use.

    def delete_user(self, user_id: int) -> None:
        """Delete an account; what it answered stays and is nobody's."""
        self.users = {email: number for email, number in self.users.items() if number != user_id}
        for task in self.all_tasks.values():
            for annotation in task["annotations"]:
                if annotation["completed_by"] == user_id:
                    annotation["completed_by"] = None

    def queue(self, ls_project: int, user_id: int) -> list[int]:
        """Numbers of the tasks this person may get, in serving order."""
        version = self.projects[ls_project]["model_version"]
        scores = {p["task"]: p["score"] for p in self.all_predictions.values() if p["model_version"] == version}
        waiting = [n for n in self.task_ids(ls_project) if self._may_get(self.all_tasks[n], user_id)]
        return sorted(waiting, key=lambda n: (scores.get(n, 2.0), n))

    def _may_get(self, task: Json, user_id: int) -> bool:
        done = {a["completed_by"] for a in task["annotations"]}
        answered = {a["completed_by"] for a in task["annotations"] if not a["was_cancelled"]}
        taken = len(answered | (task["locks"] - {user_id} - done))
        return not task["is_labeled"] and user_id not in done and taken < task["overlap"]

    def _add_task(self, ls_project: int, task: Json) -> int:
        number = self._next()
        self.all_tasks[number] = {
            "id": number,
            "project": ls_project,
            "data": dict(task["data"]),
            "overlap": 1,
            "is_labeled": False,
            "annotations": [],
            "locks": set(),
        }
        self._touch(number)
        for prediction in task.get("predictions", ()):
            self._add_prediction(ls_project, number, prediction)
        return number

    def _add_prediction(self, ls_project: int, task_id: int, prediction: Json) -> None:
        self._task(task_id)
        self.all_predictions[self._next()] = {**prediction, "task": task_id}
        settings = self.projects[ls_project]
        settings["model_version"] = settings["model_version"] or prediction["model_version"]

    def _predictions(self, ls_project: int) -> list[Json]:
        ours = self.task_ids(ls_project)
        return [p for p in self.all_predictions.values() if p["task"] in ours]

    def _wire(self, task_id: int, predictions: list[Json]) -> RemoteTask:
        task, versions = self.all_tasks[task_id], {p["model_version"] for p in predictions}
        ordering = self.projects[task["project"]]["model_version"]
        scores = [p["score"] for p in predictions if p["model_version"] == ordering]
        told = {
            "total_predictions": len(predictions),
            "predictions_model_versions": ",".join(versions),
            "predictions_score": sum(scores) / len(scores) if scores else None,
        }
        return task_from_wire(task | told)

    def _task(self, task_id: int) -> Json:
        if task_id not in self.all_tasks:
            raise ErasedError("Label Studio has nothing there (HTTP 404)")
        return self.all_tasks[task_id]

    def _touch(self, task_id: int) -> str:
        task = self._task(task_id)
        self._moment += timedelta(seconds=1)
        task["updated_at"] = self._moment.isoformat()
        return task["updated_at"]

    def _count(self, task_id: int) -> None:
        task = self._task(task_id)
        answered = {a["completed_by"] for a in task["annotations"] if not a["was_cancelled"]}
        task["is_labeled"] = len(answered) >= task["overlap"]

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers


class MemoryAnnotator:
    """One person at work on the server in memory."""

    def __init__(self, server: MemoryLabelStudio, user_id: int) -> None:
        self._server, self.user_id = server, user_id

    def next_task(self, ls_project: int) -> RemoteTask | None:
        queue = self._server.queue(ls_project, self.user_id)
        mine = [n for n in queue if self.user_id in self._server.all_tasks[n]["locks"]]
        for number in (mine or queue)[:1]:
            self._server.all_tasks[number]["locks"].add(self.user_id)
            return task_from_wire({**self._server.all_tasks[number], "annotations": []})
        return None

    def submit(self, task_id: int, result: list[Json], *, lead_time: float, key: str) -> int | None:
        taken = {a.get("unique_id") for task in self._server.all_tasks.values() for a in task["annotations"]}
        return None if key in taken else self._answer(task_id, result, lead_time=lead_time, unique_id=key)

    def skip(self, task_id: int) -> None:
        self._answer(task_id, [], was_cancelled=True)

    def edit(self, annotation_id: int, result: list[Json]) -> None:
        task, annotation = self._find(annotation_id)
        annotation.update(result=result, updated_at=self._server._touch(task["id"]))

    def withdraw(self, annotation_id: int) -> None:
        task, annotation = self._find(annotation_id)
        task["annotations"].remove(annotation)
        self._server._touch(task["id"])
        self._server._count(task["id"])

    def _answer(self, task_id: int, result: list[Json], **more: Any) -> int:
        task, number, moment = self._server._task(task_id), self._server._next(), self._server._touch(task_id)
        task["locks"].discard(self.user_id)
        given = {"id": number, "completed_by": self.user_id, "result": result, "was_cancelled": False}
        task["annotations"].append({**given, "created_at": moment, "updated_at": moment, **more})
        self._server._count(task_id)
        return number

    def _find(self, annotation_id: int) -> tuple[Json, Json]:
        found = (
            (t, a) for t in self._server.all_tasks.values() for a in t["annotations"] if a["id"] == annotation_id
        )
        return next(found)
