"""Label Studio 1.23 through its SDK: projects, tasks, predictions, annotations.

Sessions of annotators live in `label_studio_users.py`, errors and tokens in `label_studio_connection.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from labelloop.errors import ErasedError, InputError
from labelloop.workbench import RemoteTask, task_from_wire
from tasks.clients.hot import Json
from tasks.clients.label_studio_connection import Connection
from tasks.clients.label_studio_users import AnnotatorSession, user_token
from tasks.clients.settings import Settings

_PAGE = 500  # a page of 1,000 full tasks takes the server 5 s
_IDS_PER_QUERY = 300  # queries beyond about 5 KB are refused
_STORAGE_TITLE = "labelloop media"
# The server keeps a field of a nested object only if its name is listed as well.
_TASK_FIELDS = (
    "id,data,overlap,is_labeled,updated_at,total_predictions,predictions_model_versions,predictions_score,"
    "annotations,result,was_cancelled,completed_by,lead_time,created_at"
)


class LabelStudioServer:
    """The client every stage uses; see the Protocol `LabelStudio` for what each call promises."""

    def __init__(self, connection: Connection, settings: Settings) -> None:
        self._connection, self._settings = connection, settings

    @property
    def address(self) -> str:
        """Base URL, without user or password."""
        return self._connection.address

    def find_project(self, marker: str) -> int | None:
        """Return the oldest project whose description contains the marker."""
        with self._connection.asking("listing projects") as sdk:
            projects = sdk.projects.list(include="id,description", page_size=100)
            return min((int(p.id) for p in projects if marker in (p.description or "")), default=None)

    def project(self, ls_project: int) -> Json | None:
        """Return the settings of a project, or None if there is no such project."""
        with suppress(ErasedError), self._connection.asking("reading the project") as sdk:
            return dict(sdk.projects.get(ls_project).model_dump(mode="json"))
        return None

    def create_project(self, settings: Json) -> int:
        """Create a project and return its number."""
        with self._connection.asking("creating the project") as sdk:
            return int(sdk.projects.create(**settings).id)

    def change_project(self, ls_project: int, changes: Json) -> None:
        """Change settings of a project."""
        with self._connection.asking("changing project settings") as sdk:
            sdk.projects.update(ls_project, **changes)

    def ensure_storage(self, ls_project: int, bucket: str) -> int:
        """Create or refresh the storage that opens s3:// addresses; it is never synced."""
        wanted = self._storage(ls_project, bucket)
        with self._connection.asking("setting up the media storage") as sdk:
            storages = sdk.import_storage.s3
            for storage in storages.list(project=ls_project):
                if storage.title == _STORAGE_TITLE and storage.bucket == bucket:
                    return int(storages.update(storage.id, **wanted).id)
            return int(storages.create(**wanted).id)

    def storage_fits(self, ls_project: int, bucket: str) -> bool:
        """Return whether the storage is there as it should be, as far as the server shows it."""
        wanted = {k: v for k, v in self._storage(ls_project, bucket).items() if not k.startswith("aws_")}
        with self._connection.asking("reading media storages") as sdk:
            found = list(sdk.import_storage.s3.list(project=ls_project))
        # By attribute: dumped, a storage has the server's names, of which one differs from those it is set up by.
        return any(all(getattr(storage, name) == value for name, value in wanted.items()) for storage in found)

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

    def tasks_after(self, ls_project: int, task_id: int) -> list[RemoteTask]:
        """Return the tasks of the project with higher numbers, in order."""
        return [task_from_wire(task) for task in self._pages(ls_project, [], last=task_id)]

    def newest_change(self, ls_project: int) -> datetime | None:
        """Return when a task of the project last changed; None without tasks."""
        shape = {"fields": "all", "include": "id,updated_at", "page_size": 1}
        with self._connection.asking("reading tasks") as sdk:
            query = json.dumps({"ordering": ["-tasks:updated_at"]})
            newest = sdk.tasks.list(project=ls_project, query=query, **shape).items
        return newest[0].updated_at if newest else None

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
        with self._connection.asking("importing tasks") as sdk:
            taken = sdk.projects.import_tasks(ls_project, request=list(tasks), return_task_ids=True).model_dump()
        numbers = [int(task_id) for task_id in taken.get("task_ids") or ()]
        if len(numbers) != len(tasks):
            raise InputError(f"Label Studio took {len(numbers)} of {len(tasks)} tasks", remedy="run again")
        sent = [{**p, "task": n} for n, t in zip(numbers, tasks, strict=True) for p in t.get("predictions", ())]
        if sent and taken.get("prediction_count") == 0:
            # On SQLite a server that finds its database locked begins again, with the tasks alone.
            self.import_predictions(ls_project, sent)
        return numbers

    def import_predictions(self, ls_project: int, predictions: Sequence[Json]) -> None:
        """Add predictions; the server drops what it does not like without a word, so its count is compared."""
        with self._connection.asking("importing predictions") as sdk:
            created = sdk.projects.import_predictions(ls_project, request=list(predictions)).created
        if created != len(predictions):
            raise InputError(
                f"Label Studio took {created} of {len(predictions)} predictions", remedy="run push again"
            )

    def delete_predictions(self, ls_project: int, task_ids: Collection[int]) -> None:
        """Delete all predictions of these tasks, in one request; one by one would take fifty times as long."""
        chosen = {"all": False, "included": sorted(task_ids)}
        with self._connection.asking("deleting predictions") as sdk:
            sdk.actions.create(id="delete_tasks_predictions", project=ls_project, selected_items=chosen)

    def set_overlap(self, task_id: int, overlap: int) -> None:
        """Say how many annotators a task is handed to; the import ignores it."""
        with self._connection.asking("setting an overlap") as sdk:
            sdk.tasks.update(str(task_id), overlap=overlap)

    def reopen(self, task_id: int) -> None:
        """Hand a finished task out again; raising its overlap alone would not."""
        with self._connection.asking("reopening a task") as sdk:
            sdk.tasks.update(str(task_id), is_labeled=False)

    def finish(self, task_id: int) -> None:
        """Hand a task out no more, whatever its overlap; its answers stay."""
        with self._connection.asking("finishing a task") as sdk:
            sdk.tasks.update(str(task_id), is_labeled=True)

    def change_data(self, task_id: int, data: Mapping[str, str]) -> None:
        """Replace what a task shows; answers and predictions stay."""
        with self._connection.asking("changing what a task shows") as sdk:
            sdk.tasks.update(str(task_id), data=dict(data))

    def change_answer(self, annotation_id: int, change: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        """Replace the result of an annotation, as it is now, in place of its annotator; absent is fine."""
        with suppress(ErasedError), self._connection.asking("renaming in an answer") as sdk:
            present = sdk.annotations.get(annotation_id).result or []
            sdk.annotations.update(annotation_id, result=list(change(present)))

    def delete_task(self, task_id: int) -> None:
        """Delete one task with its annotations; absent is fine."""
        with suppress(ErasedError), self._connection.asking("deleting a task") as sdk:
            sdk.tasks.delete(str(task_id))

    def views(self, ls_project: int) -> dict[int, Json]:
        """Return what people saved as views of the project, by number."""
        with self._connection.asking("reading saved views") as sdk:
            found = sdk.views.list(project=ls_project)
        return {int(view.id): view.model_dump(mode="json").get("data") or {} for view in found}

    def save_view(self, ls_project: int, view: Json, view_id: int | None = None) -> int:
        """Make a view, or replace the one of this number; return its number."""
        with self._connection.asking("saving a view") as sdk:
            if view_id is None:
                return int(sdk.views.create(project=ls_project, data=view).id)
            return int(sdk.views.update(str(view_id), project=ls_project, data=view).id)

    def delete_view(self, view_id: int) -> None:
        """Delete one saved view; absent is fine."""
        with suppress(ErasedError), self._connection.asking("deleting a saved view") as sdk:
            sdk.views.delete(str(view_id))

    def user_ids(self, emails: Iterable[str]) -> frozenset[int]:
        """Return the numbers of the users with these emails."""
        wanted = {email.casefold() for email in emails}
        if not wanted:
            return frozenset()
        with self._connection.asking("reading users") as sdk:
            users = sdk.users.list()
        return frozenset(int(user.id) for user in users if user.email.casefold() in wanted)

    def annotator(self, email: str, password: str) -> AnnotatorSession:
        """Return a person's session; a new account joins by invite link."""
        with self._connection.asking("reading the invite link") as sdk:
            invite = sdk.organizations.invites.get_invite_link().invite_url
        timeout = self._settings.timeout_seconds
        return AnnotatorSession(self.address, user_token(self.address, invite, email, password, timeout), timeout)

    def _pages(
        self, ls_project: int, conditions: list[Json], *, fields: str = _TASK_FIELDS, last: int = 0
    ) -> Iterator[Json]:
        """Yield tasks by ascending number: page numbers would skip one whenever another is deleted meanwhile."""
        shape = {"fields": "all", "include": fields, "resolve_uri": False, "page_size": _PAGE}
        while True:
            items = [*conditions, _condition("id", "greater", last, "Number")]
            query = {"filters": {"conjunction": "and", "items": items}, "ordering": ["tasks:id"]}
            with self._connection.asking(f"reading tasks above number {last}") as sdk:
                page = sdk.tasks.list(project=ls_project, query=json.dumps(query), **shape).items
            yield from (task.model_dump(mode="json") for task in page)
            if len(page) < _PAGE:
                return
            last = page[-1].id

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
            "s3endpoint": self._settings.s3_endpoint or "",
            "presign": True,
            "presign_ttl": self._settings.label_studio_presign_minutes,
            "use_blob_urls": True,
            **credentials,
        }


def _condition(column: str, operator: str, value: Any, kind: str) -> Json:
    return {"filter": f"filter:tasks:{column}", "operator": operator, "value": value, "type": kind}
