"""The mark a push leaves when Label Studio holds what it should, so that the next need not read every task.

The counts tell tasks and predictions that came late or went; the watermark tells tasks that were changed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from labelloop.changes import Changes
from tasks.clients.hot import Json, update
from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.labelling_project import LabellingProject


@dataclass(frozen=True)
class Settled:
    """What the server held at rest: tasks, foreign ones among them, predictions beyond one for each of ours.

    `updated_at`: the newest change of a task; `surveyed_at`: when the lake was read.
    """

    server: str
    tasks: int
    foreign: int
    spare: int
    updated_at: str
    surveyed_at: str

    @property
    def since(self) -> datetime:
        """The newest change that was seen."""
        return datetime.fromisoformat(self.updated_at)

    @property
    def surveyed(self) -> datetime:
        """When the lake was read."""
        return datetime.fromisoformat(self.surveyed_at)

    @property
    def counts(self) -> tuple[int, int]:
        """How many tasks and predictions the server should hold."""
        return self.tasks, self.tasks - self.foreign + self.spare


def settled(world: World, home: LabellingProject) -> Settled | None:
    """Return the mark, or None if there is none or the server holds other numbers of tasks or predictions now."""
    found = world.hot.get(_key(world))
    if found is None:
        return None
    mark = Settled(**found.value)
    return mark if mark.server == home.server and mark.counts == _counts(home.settings) else None


def unsettle(world: World, lease: Lease) -> None:
    """Take the mark away, before the first change."""
    if world.hot.get(_key(world)) is not None:
        lease.check()
        world.hot.delete(_key(world))


def settle(world: World, lease: Lease, home: LabellingProject, changes: Changes, *, tasks: int) -> None:
    """Leave the mark, unless the server holds other numbers than `tasks` and our predictions account for."""
    settings, newest = world.label_studio.project(home.ls_project), world.label_studio.newest_change(home.ls_project)
    if settings is None or newest is None:
        return
    moments = {"updated_at": newest.isoformat(), "surveyed_at": changes.surveyed.isoformat()}
    mark = Settled(home.server, tasks, changes.foreign, changes.spare, **moments)
    if mark.counts == _counts(settings):
        lease.check()
        update(world.hot, _key(world), lambda _: asdict(mark))


def _counts(settings: Json) -> tuple[int, int]:
    return int(settings["task_number"]), int(settings["total_predictions_number"])


def _key(world: World) -> str:
    return f"watermarks/{world.project}/push.json"
