"""Tasks of no project, which no API of Label Studio shows: found in its database, and deleted there.

Its bulk deletion first takes tasks out of their project: killed then, it leaves them behind with all their rows.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from labelloop.erasure.mentions import mentions
from tasks.clients.label_studio_database import Database, Opener


class Orphans:
    """The tasks of no project in one database."""

    def __init__(self, open_database: Opener) -> None:
        """Say how the database is opened; nothing is read yet."""
        self._open = open_database

    def find(self, names: Collection[str]) -> list[int]:
        """Return the numbers of those whose data holds one of the names.

        Raises:
            UnavailableError: the database cannot be used.
        """
        with self._open() as database:
            rows = database.run("SELECT id, CAST(data AS TEXT) FROM task WHERE project_id IS NULL ORDER BY id")
        return [number for number, data in rows if mentions(json.loads(data), names)]

    def delete(self, task_ids: Collection[int]) -> None:
        """Delete these tasks with every row that refers to them; tasks of a project stay.

        Raises:
            UnavailableError: the database cannot be used; nothing was deleted.
        """
        if not task_ids:
            return
        with self._open() as database:
            parts = _parts(database)
            with database.deleting():
                database.run("CREATE TEMP TABLE doomed_task AS SELECT id FROM task WHERE 1 = 0")
                for number in task_ids:
                    alone = "INSERT INTO doomed_task SELECT id FROM task WHERE id = :id AND project_id IS NULL"
                    database.run(alone, id=number)
                for table, theirs in parts:
                    column = database.primary_key(table)
                    database.run(f'DELETE FROM "{table}" WHERE "{column}" IN ({theirs})')  # noqa: S608 - names of the schema

    def free_space(self) -> None:
        """Free what deleted tasks took, those deleted over the API too, and what referred to them.

        Raises:
            UnavailableError: the database cannot be used.
        """
        with self._open() as database:
            database.free(sorted({table for table, _ in _parts(database)}))


def _parts(database: Database) -> list[tuple[str, str]]:
    return list(_dependents_first(database, "task", "SELECT id FROM doomed_task", frozenset()))


def _dependents_first(database: Database, table: str, ids: str, above: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield every table that refers to the rows with these ids, and the query of its rows that do; the table last."""
    for dependent, column in database.references_to(table):
        if dependent not in above | {table}:
            key = database.primary_key(dependent)
            theirs = f'SELECT "{key}" FROM "{dependent}" WHERE "{column}" IN ({ids})'  # noqa: S608 - names of the schema
            yield from _dependents_first(database, dependent, theirs, above | {table})
    yield table, ids
