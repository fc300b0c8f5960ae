"""Delta tables that were opened, each once and then only brought up to date; and the errors of Delta made ours.

Opening reads the whole log of a table, a dozen requests and more to S3; what others have committed since costs two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from labelloop.errors import Conflict, UnavailableError


class OpenTables:
    """Tables by address, each lent to one user at a time: the version that one writes upon is moved by no other."""

    def __init__(self, options: Mapping[str, str]) -> None:
        """Say how the storage is reached; nothing is opened yet."""
        self.options = dict(options)
        self._idle: dict[str, DeltaTable] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Let a copy, also one in another process, open its tables itself."""
        return type(self), (self.options,)

    def take(self, uri: str) -> DeltaTable:
        """Return the newest version of a table; TableNotFoundError if there is none."""
        found = self._idle.pop(uri, None)
        if found is None:
            return self._opened(uri)
        found.update_incremental()
        return found

    def give_back(self, uri: str, table: DeltaTable) -> None:
        """Keep a table for the next who asks; one that an error has met is left to go."""
        self._idle[uri] = table

    def _opened(self, uri: str) -> DeltaTable:
        try:
            return DeltaTable(uri, storage_options=self.options)
        except TableNotFoundError:
            raise
        except DeltaError:  # a purge took a log entry between its listing and its reading; another stands for it
            return DeltaTable(uri, storage_options=self.options)


@contextmanager
def delta_errors(what: str) -> Iterator[None]:
    """Turn what Delta raises within the block into our errors, but that there is no table; `what` names the act."""
    try:
        yield
    except TableNotFoundError:
        raise
    except CommitFailedError:
        raise Conflict(f"another writer committed first while {what} a table", remedy="run the stage again") from None
    except FileNotFoundError:
        raise Conflict(
            f"a file of a table went while {what} it", remedy="run the stage again; if it stays so, restore the table"
        ) from None
    except (DeltaError, OSError) as error:
        raise UnavailableError(
            f"{what} a table failed ({type(error).__name__})", remedy="check the lake's address and rights"
        ) from None
