"""Label Studio's own database, SQLite or PostgreSQL: opened, and asked which rows refer to which.

Only for what its API does not show; nothing of Label Studio's meaning is known here.
"""

from __future__ import annotations

import sqlite3
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from labelloop.errors import UnavailableError

if TYPE_CHECKING:
    import pg8000.native

_BUSY_SECONDS = 30.0
_REFERENCES = """
SELECT relname, attname FROM pg_constraint
JOIN pg_class ON pg_class.oid = conrelid
JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
WHERE contype = 'f' AND confrelid = to_regclass(quote_ident(:name))
"""
_PRIMARY_KEY = """
SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
WHERE indisprimary AND indrelid = to_regclass(quote_ident(:name))
"""


class Database(Protocol):
    """An open database; statements name their values as `:value`."""

    def run(self, statement: str, **values: object) -> list[Any]:
        """Carry out a statement and return its rows."""

    def references_to(self, table: str) -> list[tuple[str, str]]:
        """Return table and column of every foreign key that points to the table."""

    def primary_key(self, table: str) -> str:
        """Return the column that numbers the rows of a table."""

    def deleting(self) -> AbstractContextManager[None]:
        """Make the block one transaction."""

    def free(self, tables: Sequence[str]) -> None:
        """Give the space of what was deleted from the tables free; by itself a database may leave it for months."""


Opener = Callable[[], AbstractContextManager[Database]]


@contextmanager
def open_sqlite(path: Path) -> Iterator[Database]:
    """Lend the database in a file.

    Raises:
        UnavailableError: it is locked, or not there, or not that of a Label Studio we know.
    """
    try:
        address = f"{path.resolve().as_uri()}?mode=rw"
        with closing(sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)) as connection:
            yield _Sqlite(connection)
    except sqlite3.Error as error:
        raise _unusable(error, "LABELLOOP_LABEL_STUDIO_DATA_DIR") from None


@contextmanager
def open_postgresql(url: str) -> Iterator[Database]:
    """Lend the database at `postgresql://user:password@host:port/name`.

    The connection is encrypted if the server can; `?sslmode=verify-full` refuses one that cannot prove who it is.

    Raises:
        UnavailableError: it does not answer, or refuses us, or is not that of a Label Studio we know.
    """
    import pg8000.native  # only few installations need it

    try:
        with closing(pg8000.native.Connection(**_parameters(url), timeout=_BUSY_SECONDS)) as connection:
            yield _Postgresql(connection)
    except (pg8000.native.Error, OSError) as error:
        raise _unusable(error, "LABELLOOP_LABEL_STUDIO_DATABASE_URL") from None


class _Sqlite:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, statement: str, **values: object) -> list[Any]:
        return self._connection.execute(statement, values).fetchall()

    def references_to(self, table: str) -> list[tuple[str, str]]:
        tables = [name for (name,) in self.run("SELECT name FROM sqlite_master WHERE type = 'table'")]
        keys = ((name, key) for name in tables for key in self.run(f'PRAGMA foreign_key_list("{name}")'))
        return [(name, key[3]) for name, key in keys if key[2] == table]

    def primary_key(self, table: str) -> str:
        columns = self.run(f'PRAGMA table_info("{table}")')
        return next((str(column[1]) for column in columns if column[5]), "rowid")

    @contextmanager
    def deleting(self) -> Iterator[None]:
        self.run("PRAGMA secure_delete = ON")
        self.run("BEGIN IMMEDIATE")
        yield
        self.run("COMMIT")

    def free(self, _: Sequence[str]) -> None:
        self.run("PRAGMA wal_checkpoint(TRUNCATE)")


class _Postgresql:
    def __init__(self, connection: pg8000.native.Connection) -> None:
        self._connection = connection

    def run(self, statement: str, **values: object) -> list[Any]:
        return self._connection.run(statement, **values) or []

    def references_to(self, table: str) -> list[tuple[str, str]]:
        return [(name, column) for name, column in self.run(_REFERENCES, name=table)]

    def primary_key(self, table: str) -> str:
        return str(self.run(_PRIMARY_KEY, name=table)[0][0])

    @contextmanager
    def deleting(self) -> Iterator[None]:
        self.run("BEGIN")
        yield
        self.run("COMMIT")

    def free(self, tables: Sequence[str]) -> None:
        # A plain VACUUM leaves the bytes in their pages. This one locks the tables while it rewrites them.
        self.run(f"SET lock_timeout = '{_BUSY_SECONDS:.0f}s'")
        self.run("VACUUM (FULL) " + ", ".join(f'"{table}"' for table in tables))


def _parameters(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    verified = parse_qs(parts.query).get("sslmode") == ["verify-full"]
    return {
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "host": parts.hostname or "localhost",
        "port": parts.port or 5432,
        "database": unquote(parts.path.lstrip("/")),
        "ssl_context": ssl.create_default_context() if verified else None,
    }


def _unusable(error: Exception, setting: str) -> UnavailableError:
    return UnavailableError(
        f"the database of Label Studio cannot be used ({type(error).__name__})",
        remedy=f"look at {setting}, then run again",
    )
