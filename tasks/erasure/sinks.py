"""The sinks of an erasure in the order they are emptied; `data_contracts/data_map.yaml` says which place needs which.

Each sink counts what it still finds, and erases it; both can be killed and called again. The references come last,
since they tell which objects are being erased, and the media before them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from labelloop.erasure.plan import Plan
from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.erasure import inbox_files, label_studio, label_studio_machine, media, rows

Worlds = Sequence[World]


def _within_reach(_: World) -> str | None:
    return None


@dataclass(frozen=True)
class Sink:
    """One part of the eraser: `count` says for each of its places how much is there, `method` how that was seen.

    `out_of_reach` says what a person has to do instead where the installation does not let us look.
    """

    name: str
    places: tuple[str, ...]
    method: str
    count: Callable[[Worlds, Plan], dict[str, int]]
    erase: Callable[[Worlds, Lease, Plan], None]
    out_of_reach: Callable[[World], str | None] = _within_reach


SINKS = (
    Sink(
        "inbox",
        ("inbox_files",),
        "every version of every file of the inbox listed again",
        inbox_files.count_inbox,
        inbox_files.erase_inbox,
    ),
    Sink(
        "label_studio_tasks",
        ("label_studio_tasks",),
        "the numbers of all tasks of the project asked for again",
        label_studio.count_tasks,
        label_studio.erase_tasks,
    ),
    Sink(
        "label_studio_views",
        ("label_studio_views",),
        "the saved views of the project asked for again",
        label_studio.count_views,
        label_studio.erase_views,
    ),
    Sink(
        "label_studio_orphans",
        ("label_studio_orphans",),
        "tasks of no project read in the database itself",
        label_studio_machine.ORPHANS.count,
        label_studio_machine.ORPHANS.erase,
        label_studio_machine.ORPHANS.out_of_reach,
    ),
    Sink(
        "label_studio_files",
        ("label_studio_files",),
        "every upload and export searched for every name",
        label_studio_machine.FILES.count,
        label_studio_machine.FILES.erase,
        label_studio_machine.FILES.out_of_reach,
    ),
    Sink(
        "label_studio_log",
        ("label_studio_log",),
        "every part of the log searched for every name",
        label_studio_machine.LOG.count,
        label_studio_machine.LOG.erase,
        label_studio_machine.LOG.out_of_reach,
    ),
    Sink("rows", tuple(rows.TABLES), "the newest version of the table read again", rows.count_rows, rows.erase_rows),
    Sink(
        "training_sets",
        ("training_sets", "models"),
        "every published file read again, the flags of models read again",
        rows.count_training_sets,
        rows.erase_from_training_sets,
    ),
    Sink(
        "media",
        ("media_versions", "media_uploads"),
        "every version, delete marker and unfinished upload of the exact key listed again, in each replica",
        media.count_media,
        media.erase_media,
    ),
    Sink(
        "references",
        ("references",),
        "the newest version of the table read again",
        rows.count_references,
        rows.erase_references,
    ),
)


def count(worlds: Worlds, plan: Plan) -> dict[str, int]:
    """Return how much is there now of what the plan names, by place."""
    return {place: number for sink in SINKS for place, number in sink.count(worlds, plan).items()}


def methods() -> dict[str, str]:
    """Return for each place how it is looked at."""
    return {place: sink.method for sink in SINKS for place in sink.places}
