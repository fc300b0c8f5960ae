"""The annotators' server as the stages see it, and the way to connect to it.

The real client is `label_studio_server.py`; a fake stands behind the same contract suite in `tests/`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from labelloop.workbench import RemoteTask
from tasks.clients.hot import Json
from tasks.clients.label_studio_connection import Connection
from tasks.clients.label_studio_server import LabelStudioServer
from tasks.clients.settings import Settings


class Annotator(Protocol):
    """One person at work, for the demo and for tests."""

    user_id: int

    def next_task(self, ls_project: int) -> RemoteTask | None:
        """Return the task the server hands out next, locked for this person; None when nothing is left."""

    def submit(self, task_id: int, result: list[Json], *, lead_time: float, key: str) -> int | None:
        """Answer a task and return the annotation's number; None if the answer `key` (a UUID) was there before."""

    def skip(self, task_id: int) -> None:
        """Say that the task cannot be answered."""

    def edit(self, annotation_id: int, result: list[Json]) -> None:
        """Replace an answer."""

    def withdraw(self, annotation_id: int) -> None:
        """Delete an answer."""


class LabelStudio(Protocol):
    """What every Label Studio can do; listings and look-ups cost time with what they return, not with the project."""

    @property
    def address(self) -> str:
        """Base URL, without user or password."""

    def find_project(self, marker: str) -> int | None:
        """Return the oldest project whose description contains the marker."""

    def project(self, ls_project: int) -> Json | None:
        """Return the settings of a project, or None if there is no such project.

        Among them `task_number` and `total_predictions_number`, counted now.
        """

    def create_project(self, settings: Json) -> int:
        """Create a project and return its number."""

    def change_project(self, ls_project: int, changes: Json) -> None:
        """Change settings. `maximum_annotations` set to 1 resets the overlap of every task."""

    def ensure_storage(self, ls_project: int, bucket: str) -> int:
        """Make sure that s3:// addresses of the bucket open in the browser, and return the storage's number."""

    def storage_fits(self, ls_project: int, bucket: str) -> bool:
        """Return whether the storage of the bucket is there as `ensure_storage` makes it; keys are not shown."""

    def task_ids(self, ls_project: int) -> set[int]:
        """Return the number of every task of the project."""

    def tasks(self, ls_project: int, task_ids: Collection[int]) -> list[RemoteTask]:
        """Return these tasks with their annotations; absent ones are left out."""

    def changed_tasks(self, ls_project: int, since: datetime | None) -> Iterator[RemoteTask]:
        """Yield the tasks that changed after `since` (None: all) with their annotations, by task number."""

    def tasks_after(self, ls_project: int, task_id: int) -> list[RemoteTask]:
        """Return the tasks of the project with higher numbers, in order."""

    def newest_change(self, ls_project: int) -> datetime | None:
        """Return when a task of the project last changed; None without tasks."""

    def import_tasks(self, ls_project: int, tasks: Sequence[Json]) -> list[int]:
        """Import tasks, all or none, and return their numbers in the same order.

        After UnavailableError they may still arrive: look before importing again.
        """

    def import_predictions(self, ls_project: int, predictions: Sequence[Json]) -> None:
        """Add predictions `task, score, model_version, result`; InputError unless the server took every one."""

    def delete_predictions(self, ls_project: int, task_ids: Collection[int]) -> None:
        """Delete all predictions of these tasks."""

    def set_overlap(self, task_id: int, overlap: int) -> None:
        """Say how many annotators a task is handed to."""

    def reopen(self, task_id: int) -> None:
        """Hand a finished task out again, to annotators who have not answered it."""

    def finish(self, task_id: int) -> None:
        """Hand a task out no more, whatever its overlap; its answers stay."""

    def change_data(self, task_id: int, data: Mapping[str, str]) -> None:
        """Replace what a task shows; answers and predictions stay."""

    def change_answer(self, annotation_id: int, change: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        """Replace the result of an annotation, as it is now, in place of its annotator; absent is fine."""

    def delete_task(self, task_id: int) -> None:
        """Delete one task with its annotations; absent is fine."""

    def views(self, ls_project: int) -> dict[int, Json]:
        """Return what people saved as views of the project (columns, filters, order), by number."""

    def save_view(self, ls_project: int, view: Json, view_id: int | None = None) -> int:
        """Make a view, or replace the one of this number; return its number."""

    def delete_view(self, view_id: int) -> None:
        """Delete one saved view; absent is fine."""

    def user_ids(self, emails: Iterable[str]) -> frozenset[int]:
        """Return the numbers of the users with these emails; emails do not leave the client."""

    def annotator(self, email: str, password: str) -> Annotator:
        """Return a person's session; a new account joins by invite link."""


def connect_label_studio(settings: Settings) -> LabelStudio:
    """Return a client of the server the settings name; nothing is asked of it yet."""
    token = settings.label_studio_token.get_secret_value()
    return LabelStudioServer(Connection(settings.label_studio_url, token, settings.timeout_seconds), settings)
