"""What Label Studio opens, and to how many: on the open-source server everybody in an organisation sees all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.clients.label_studio_connection import Connection
from tasks.clients.settings import Settings


@dataclass(frozen=True)
class OpenBucket:
    """One storage of one project: any key of the bucket opens in it, for `minutes`; 0 if bytes come by the server."""

    ls_project: int
    bucket: str
    minutes: int


class Organisation:
    """The organisation our token belongs to."""

    def __init__(self, settings: Settings) -> None:
        """Name the server and the token; nothing is asked yet."""
        token = settings.label_studio_token.get_secret_value()
        self._connection = Connection(settings.label_studio_url, token, settings.timeout_seconds)

    def members(self) -> int:
        """Return how many people see everything."""
        with self._connection.asking("counting users") as sdk:
            return len(sdk.users.list())

    def open_buckets(self) -> Iterator[OpenBucket]:
        """Yield every storage of every project."""
        with self._connection.asking("listing projects") as sdk:
            projects = [int(project.id) for project in sdk.projects.list(include="id", page_size=100)]
        for number in projects:
            with self._connection.asking("reading media storages") as sdk:
                storages = sdk.import_storage.s3.list(project=number)
            for found in storages:
                minutes = found.presign_ttl or 0 if found.presign else 0
                yield OpenBucket(number, found.bucket or "", minutes)
