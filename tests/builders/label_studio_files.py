"""What a Label Studio leaves on its machine, as small as it can be: a database of three tables, lines of its log."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path

from tasks.clients.label_studio_database import open_sqlite

_SCHEMA = (
    "CREATE TABLE task (id INTEGER PRIMARY KEY, data TEXT, project_id INTEGER)",
    "CREATE TABLE task_completion (id INTEGER PRIMARY KEY, task_id INTEGER REFERENCES task (id))",
    "CREATE TABLE draft (id INTEGER PRIMARY KEY, annotation_id INTEGER REFERENCES task_completion (id))",
)


def make_database(folder: Path, tasks: Iterable[tuple[int, str, int | None]]) -> Path:
    """Make a database in the folder with these tasks (number, JSON of data, project) and return its file.

    Task n has one answer, number n + 10, with one draft, number n + 20.
    """
    path = folder / "label_studio.sqlite3"
    path.touch()
    with open_sqlite(path) as database:
        for statement in _SCHEMA:
            database.run(statement)
        for number, data, project in tasks:
            given = {"id": number, "data": data, "project": project}
            database.run("INSERT INTO task VALUES (:id, :data, :project)", **given)
            database.run("INSERT INTO task_completion VALUES (:id + 10, :id)", id=number)
            database.run("INSERT INTO draft VALUES (:id + 20, :id + 10)", id=number)
    return path


def ids_in(path: Path, table: str) -> list[int]:
    """Return the numbers of the rows of a table."""
    with open_sqlite(path) as database:
        return [number for (number,) in database.run(f"SELECT id FROM {table} ORDER BY id")]  # noqa: S608


def asked_for(name: str, status: int = 303) -> str:
    """Return the line of the access log that is written when a browser asks for an object."""
    encoded = base64.urlsafe_b64encode(name.encode()).decode()
    return f'[02/Nov/2026 07:00:00] "GET /tasks/7/resolve/?fileuri={encoded} HTTP/1.1" {status} 0\n'
