"""What Label Studio keeps where its API does not reach: database rows of no project, files in its data folder.

Its bulk deletion first takes tasks out of their project: killed then, it leaves rows that no API shows. Uploads and
exports of people stay as files for ever. Only an SQLite database in the data folder is opened.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from labelloop.erasure.mentions import mentions, pattern_of
from labelloop.errors import UnavailableError

_DATABASE = "label_studio.sqlite3"
_FOLDERS = ("media/upload", "media/export", "export")
_BLOCK = 1 << 20
_BUSY_SECONDS = 30.0


class LabelStudioDisk:
    """The data folder of a Label Studio that runs on SQLite."""

    def __init__(self, folder: Path) -> None:
        """Name the data folder; nothing is read yet."""
        self._folder, self._database = folder, folder / _DATABASE

    @property
    def has_database(self) -> bool:
        """Return whether the database lies here; PostgreSQL does not."""
        return self._database.is_file()

    def orphans(self, names: Collection[str]) -> list[int]:
        """Return the tasks of no project whose data holds one of the names.

        Raises:
            UnavailableError: the database is locked, or not that of a Label Studio we know.
        """
        if not self.has_database:
            return []
        with self._connection() as database:
            rows = database.execute("SELECT id, data FROM task WHERE project_id IS NULL")
            return [number for number, data in rows if mentions(json.loads(data), names)]

    def delete_orphans(self, task_ids: Collection[int]) -> None:
        """Delete these tasks with all rows that belong to them, and their bytes; those with a project stay."""
        if not task_ids:
            return
        with self._connection() as database:
            database.execute("PRAGMA secure_delete = ON")
            database.execute("BEGIN IMMEDIATE")
            database.execute("CREATE TEMP TABLE doomed_task AS SELECT id FROM task WHERE 0")
            alone = "INSERT INTO doomed_task SELECT id FROM task WHERE id = ? AND project_id IS NULL"
            database.executemany(alone, [(number,) for number in task_ids])
            _delete_with_dependents(database, "task", "SELECT id FROM doomed_task", frozenset())
            database.execute("COMMIT")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def files(self, names: Collection[str]) -> list[Path]:
        """Return the uploads and exports that name anything erased, below the data folder."""
        wanted = pattern_of(names)
        longest = 6 * max((len(name.encode()) for name in names), default=0)
        return [path for path in self._copies() if _holds(path, wanted, longest)]

    def delete_files(self, paths: Collection[Path]) -> None:
        """Delete these files; absent is fine."""
        for path in paths:
            path.unlink(missing_ok=True)

    def _copies(self) -> Iterator[Path]:
        for folder in _FOLDERS:
            yield from sorted(path for path in (self._folder / folder).rglob("*") if path.is_file())

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        address = f"{self._database.resolve().as_uri()}?mode=rw"
        try:
            with closing(sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)) as database:
                yield database
        except sqlite3.Error as error:
            raise UnavailableError(
                f"the database of Label Studio cannot be used ({type(error).__name__})",
                remedy="look at LABELLOOP_LABEL_STUDIO_DATA_DIR, then run the erasure again",
            ) from None


def _delete_with_dependents(database: sqlite3.Connection, table: str, ids: str, above: frozenset[str]) -> None:
    """Delete the rows with these ids, and before them, table by table, every row that refers to one of them."""
    for dependent, column in _references_to(database, table):
        if dependent not in above | {table}:
            key = _primary_key(database, dependent)
            theirs = f'SELECT "{key}" FROM "{dependent}" WHERE "{column}" IN ({ids})'  # noqa: S608 - names of the schema
            _delete_with_dependents(database, dependent, theirs, above | {table})
    database.execute(f'DELETE FROM "{table}" WHERE "{_primary_key(database, table)}" IN ({ids})')  # noqa: S608


def _references_to(database: sqlite3.Connection, table: str) -> list[tuple[str, str]]:
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    keys = ((name, key) for name in tables for key in database.execute(f'PRAGMA foreign_key_list("{name}")'))
    return [(name, key[3]) for name, key in keys if key[2] == table]


def _primary_key(database: sqlite3.Connection, table: str) -> str:
    columns = database.execute(f'PRAGMA table_info("{table}")').fetchall()
    return next((str(column[1]) for column in columns if column[5]), "rowid")


def _holds(path: Path, wanted: re.Pattern[bytes], longest: int) -> bool:
    """Return whether the file's bytes match, read block by block, each with the end of the one before."""
    tail = b""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            if wanted.search(tail + block):
                return True
            tail = (tail + block)[-longest:] if longest else b""
    return False
