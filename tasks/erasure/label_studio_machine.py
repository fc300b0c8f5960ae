"""What an erasure reaches of Label Studio where no API does: rows of its database, its files, its log.

Each is searched for every erased name if the installation lets us, and a person is told what to do if it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from labelloop.erasure.plan import Plan
from tasks.clients.label_studio_disk import LabelStudioDisk, LabelStudioLog
from tasks.clients.label_studio_orphans import Orphans
from tasks.clients.lease import Lease
from tasks.clients.world import World

Client = TypeVar("Client")
Found = TypeVar("Found")


@dataclass(frozen=True)
class Searched(Generic[Client, Found]):
    """One place on the machine: who can get at it (None if nobody), what names the erased there, and how it goes."""

    place: str
    client: Callable[[World], Client | None]
    find: Callable[[Client, Collection[str]], Sequence[Found]]
    clear: Callable[[Client, Sequence[Found], Collection[str]], None]
    remedy: str

    def count(self, worlds: Sequence[World], plan: Plan) -> dict[str, int]:
        """Return how much of the place names what is erased."""
        client = self.client(worlds[0])
        return {self.place: len(self.find(client, plan.names())) if client else 0}

    def erase(self, worlds: Sequence[World], lease: Lease, plan: Plan) -> None:
        """Clear what does."""
        client = self.client(worlds[0])
        if client and (found := self.find(client, plan.names())):
            lease.check()
            self.clear(client, found, plan.names())

    def out_of_reach(self, world: World) -> str | None:
        """Return what a person has to do where the place is out of reach."""
        return None if self.client(world) else self.remedy


ORPHANS = Searched(
    "label_studio_orphans",
    lambda world: world.orphans,
    Orphans.find,
    lambda orphans, found, _: orphans.delete(found),
    "no database of Label Studio is within reach (LABELLOOP_LABEL_STUDIO_DATABASE_URL, or its SQLite file in "
    "LABELLOOP_LABEL_STUDIO_DATA_DIR): look there for rows of the table `task` whose `project_id` is null, which no "
    "API shows, and delete them with their annotations, drafts and predictions",
)
FILES = Searched(
    "label_studio_files",
    lambda world: world.label_studio_disk,
    LabelStudioDisk.files,
    lambda disk, found, _: disk.delete_files(found),
    "no data folder of Label Studio is within reach (LABELLOOP_LABEL_STUDIO_DATA_DIR): look through `media/upload`, "
    "`media/export` and `export` there",
)
LOG = Searched(
    "label_studio_log",
    lambda world: world.label_studio_log,
    LabelStudioLog.files,
    LabelStudioLog.blank,
    "no log of Label Studio is within reach (LABELLOOP_LABEL_STUDIO_LOG): rotate it, and that of a proxy, within the "
    "deadline; unless queries are cut off it holds the address of every object viewed, base64-encoded",
)
