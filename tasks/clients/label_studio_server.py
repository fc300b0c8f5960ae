"""Label Studio 1.23 over its REST interface: projects, tasks, predictions, annotations.

Sessions of annotators live in `label_studio_users.py`, the transport in `label_studio_http.py`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from labelloop.errors import ErasedError, InputError
from labelloop.workbench import RemotePrediction, RemoteTask, task_from_wire
from tasks.clients.hot import Json
from tasks.clients.label_studio_http import Http
from tasks.clients.label_studio_users import AnnotatorSession, user_token
from tasks.clients.settings import Settings

_PAGE = 500  # a page of 1,000 full tasks takes the server 5 s
_IDS_PER_QUERY = 300  # queries beyond about 5 KB are refused
_STORAGE_TITLE = "labelloop media"
_PRESIGN_MINUTES = 15
# The server keeps a field of a nested object only if its name is listed as well.
_TASK_FIELDS = (
    "id,data,overlap,is_labeled,updated_at,annotations,result,was_cancelled,completed_by,lead_time,created_at"
)


class LabelStudioServer:
    """The client every stage uses; see the Protocol `LabelStudio` for what each call promises."""

    def __init__(self, http: Http, settings: Settings) -> None:
        self._http, self._settings = http, settings

    @property
    def address(self) -> str:
        """Base URL, without user or password."""
        return self._http.address

    def find_project(self, marker: str) -> int | None:
        """Return the oldest project whose description contains the marker."""
        found = [p["id"] for p in self._projects() if marker in (p["description"] or "")]
        return min(found, default=None)

    def project(self, ls_project: int) -> Json | None:
        """Return the settings of a project, or None if there is no such project."""
        try:
            return dict(self._http.get(f"/api/projects/{ls_project}/", "reading the project"))
        except ErasedError:
            return None

    def create_project(self, settings: Json) -> int:
        """Create a project and return its number."""
        return int(self._http.post("/api/projects/", "creating the project", json=settings)["id"])

    def change_project(self, ls_project: int, changes: Json) -> None:
        """Change settings of a project."""
        self._http.patch(f"/api/projects/{ls_project}/", "changing project settings", json=changes)

    def ensure_storage(self, ls_project: int, bucket: str) -> int:
        """Create or refresh the storage that opens s3:// addresses; it is never synced."""
        what, wanted = "setting up the media storage", self._storage(ls_project, bucket)
        for storage in self._http.get("/api/storages/s3", what, params={"project": ls_project}):
            if storage["title"] == _STORAGE_TITLE and storage["bucket"] == bucket:
                self._http.patch(f"/api/storages/s3/{storage['id']}", what, json=wanted)
                return int(storage["id"])
        return int(self._http.post("/api/storages/s3", what, json=wanted)["id"])

    def task_ids(self, ls_project: int) -> set[int]:
        """Return the number of every task of the project."""
        return {task["id"] for task in self._pages(ls_project, [], fields="id")}

    def tasks(self, ls_project: int, task_ids: Collection[int]) -> list[RemoteTask]:
        """Return these tasks with their annotations; absent ones are left out."""
        wanted, found = sorted(task_ids), []
        for start in range(0, len(wanted), _IDS_PER_QUERY):
            listed = _condition("id", "in_list", wanted[start : start + _IDS_PER_QUERY], "List")
            found += [task_from_wire(task) for task in self._pages(ls_project, [listed])]
        return found

    def changed_tasks(self, ls_project: int, since: datetime | None) -> Iterator[RemoteTask]:
        """Yield the tasks that changed after `since` with their annotations, by task number."""
        conditions = []
        if since:
            # Any other spelling of the instant is answered by a failure of the server.
            instant = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{since.microsecond // 1000:03d}Z"
            conditions = [_condition("updated_at", "greater", instant, "Datetime")]
        for task in self._pages(ls_project, conditions):
            yield task_from_wire(task)

    def import_tasks(self, ls_project: int, tasks: Sequence[Json]) -> list[int]:
        """Import tasks, all or none, and return their numbers in the same order."""
        path = f"/api/projects/{ls_project}/import"
        answer = self._http.post(path, "importing tasks", params={"return_task_ids": "true"}, json=list(tasks))
        if len(answer["task_ids"]) != len(tasks):
            raise InputError(f"Label Studio took {len(answer['task_ids'])} of {len(tasks)} tasks", remedy="run again")
        return [int(task_id) for task_id in answer["task_ids"]]

    def import_predictions(self, ls_project: int, predictions: Sequence[Json]) -> None:
        """Add predictions; the server drops what it does not like without a word, so its count is compared."""
        path = f"/api/projects/{ls_project}/import/predictions"
        created = self._http.post(path, "importing predictions", json=list(predictions))["created"]
        if created != len(predictions):
            raise InputError(
                f"Label Studio took {created} of {len(predictions)} predictions", remedy="run push again"
            )

    def predictions(self, ls_project: int) -> list[RemotePrediction]:
        """Return every prediction of the project."""
        found = self._http.get("/api/predictions/", "reading predictions", params={"task__project": ls_project})
        return [RemotePrediction(int(p["id"]), int(p["task"]), str(p["model_version"])) for p in found]

    def delete_prediction(self, prediction_id: int) -> None:
        """Delete one prediction; absent is fine."""
        self._http.delete(f"/api/predictions/{prediction_id}/", "deleting a prediction")

    def set_overlap(self, task_id: int, overlap: int) -> None:
        """Say how many annotators a task is handed to; the import ignores it."""
        self._http.patch(f"/api/tasks/{task_id}/", "setting an overlap", json={"overlap": overlap})

    def reopen(self, task_id: int) -> None:
        """Hand a finished task out again; raising its overlap alone would not."""
        self._http.patch(f"/api/tasks/{task_id}/", "reopening a task", json={"is_labeled": False})

    def delete_task(self, task_id: int) -> None:
        """Delete one task with its annotations; absent is fine."""
        self._http.delete(f"/api/tasks/{task_id}/", "deleting a task")

    def user_ids(self, emails: Iterable[str]) -> frozenset[int]:
        """Return the numbers of the users with these emails."""
        wanted = {email.casefold() for email in emails}
        users = self._http.get("/api/users/", "reading users") if wanted else []
        return frozenset(int(user["id"]) for user in users if user["email"].casefold() in wanted)

    def annotator(self, email: str, password: str) -> AnnotatorSession:
        """Return a person's session; a new account joins by invite link."""
        invite = self._http.get("/api/invite", "reading the invite link")["invite_url"]
        token = user_token(self.address, invite, email, password, self._settings.timeout_seconds)
        return AnnotatorSession(Http(self.address, token, self._settings.timeout_seconds))

    def _projects(self) -> Iterator[Json]:
        page = 1
        while True:
            answer = self._http.get("/api/projects/", "listing projects", params={"page": page, "page_size": 100})
            yield from answer["results"]
            if not answer["next"]:
                return
            page += 1

    def _pages(self, ls_project: int, conditions: list[Json], *, fields: str = _TASK_FIELDS) -> Iterator[Json]:
        """Yield tasks by ascending number: page numbers would skip one whenever another is deleted meanwhile."""
        last = 0
        while True:
            items = [*conditions, _condition("id", "greater", last, "Number")]
            query = {"filters": {"conjunction": "and", "items": items}, "ordering": ["tasks:id"]}
            shape = {"fields": "all", "include": fields, "resolve_uri": "false", "page_size": _PAGE}
            parameters = {"project": ls_project, "query": json.dumps(query), **shape}
            page = self._http.get("/api/tasks", "reading tasks", params=parameters)["tasks"]
            yield from page
            if len(page) < _PAGE:
                return
            last = page[-1]["id"]

    def _storage(self, ls_project: int, bucket: str) -> Json:
        keys = self._settings.s3_access_key, self._settings.s3_secret_key
        credentials = {}
        if keys[0] and keys[1]:
            credentials = {
                "aws_access_key_id": keys[0].get_secret_value(),
                "aws_secret_access_key": keys[1].get_secret_value(),
            }
        return {
            "project": ls_project,
            "title": _STORAGE_TITLE,
            "bucket": bucket,
            "region_name": self._settings.s3_region,
            "s3_endpoint": self._settings.s3_endpoint or "",
            "presign": True,
            "presign_ttl": _PRESIGN_MINUTES,
            "use_blob_urls": True,
            **credentials,
        }


def _condition(column: str, operator: str, value: Any, kind: str) -> Json:
    return {"filter": f"filter:tasks:{column}", "operator": operator, "value": value, "type": kind}
