"""Request files from the inbox that could not be understood: sealed until somebody takes them back to mend them."""

from __future__ import annotations

import base64
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from labelloop.errors import Conflict, InputError
from tasks.clients.hot import HotState
from tasks.clients.vault import opened, sealed, shred

_REFUSED = "erasure/refused/"


class RefusedFile(BaseModel):
    """The record of a refused file; what it says is sealed, and `None` if it was too large to be kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    reason: str
    received_at: datetime
    due_at: datetime
    payload: str | None = None


class RefusedFiles:
    """Every refused file of the lake, by its opaque id."""

    def __init__(self, hot: HotState, vault: HotState) -> None:
        """Keep records in `hot`, sealed with keys in `vault`."""
        self._hot, self._vault = hot, vault

    def is_known(self, file_id: str) -> bool:
        """Return whether a refused file of this id is recorded."""
        return self._hot.get(_place(file_id)) is not None

    def add(self, record: RefusedFile, content: bytes | None) -> None:
        """Record a refused file; one that is recorded already is left as it is."""
        if content is not None:
            payload = base64.b64encode(sealed(self._vault, _key_name(record.file_id), content)).decode()
            record = record.model_copy(update={"payload": payload})
        try:
            self._hot.create(_place(record.file_id), record.model_dump(mode="json"))
        except Conflict:
            return  # another run recorded the same file at this moment

    def all(self) -> list[RefusedFile]:
        """Return every refused file, in the order received."""
        found = [self._hot.get(key) for key in self._hot.keys(_REFUSED)]
        records = [RefusedFile.model_validate(record.value) for record in found if record]
        return sorted(records, key=lambda record: (record.received_at, record.file_id))

    def content(self, file_id: str) -> bytes | None:
        """Return what the file says; None if it was too large to be kept and still lies in the inbox.

        Raises:
            InputError: there is no such file.
        """
        found = self._hot.get(_place(file_id))
        if found is None:
            raise InputError("there is no such refused file", remedy="see `labelloop erase status`")
        if found.value["payload"] is None:
            return None
        return opened(self._vault, _key_name(file_id), base64.b64decode(found.value["payload"]))

    def forget(self, file_id: str) -> None:
        """Destroy the record and the key of what the file says."""
        self._hot.delete(_place(file_id))
        shred(self._vault, _key_name(file_id))


def _place(file_id: str) -> str:
    return f"{_REFUSED}{file_id}.json"


def _key_name(file_id: str) -> str:
    return f"erasure/refused/{file_id}"
