"""What an erasure reaches in Label Studio through its API: tasks and saved views."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import pyarrow as pa

from labelloop.erasure.mentions import view_names_erased
from labelloop.erasure.plan import Plan, ProjectReach
from tasks.artifacts import progress
from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.erasure.worlds import reached
from tasks.labelling_project import known_project


def count_tasks(worlds: Sequence[World], plan: Plan) -> dict[str, int]:
    """Return how many of the planned tasks Label Studio still has."""
    return {"label_studio_tasks": sum(len(_present_tasks(w, r)) for w, r in reached(worlds, plan))}


def erase_tasks(worlds: Sequence[World], lease: Lease, plan: Plan) -> None:
    """Delete the tasks one by one: Label Studio's bulk deletion can leave rows that no API shows."""
    for world, reach in reached(worlds, plan):
        tasks = _present_tasks(world, reach)
        with progress(len(tasks), "deleting tasks from Label Studio") as bar:
            for _, task_id in tasks:
                lease.check()
                world.label_studio.delete_task(task_id)
                bar.advance()


def count_views(worlds: Sequence[World], plan: Plan) -> dict[str, int]:
    """Return how many of the planned saved views Label Studio still has."""
    return {"label_studio_views": sum(len(_present_views(w, r)) for w, r in reached(worlds, plan))}


def erase_views(worlds: Sequence[World], lease: Lease, plan: Plan) -> None:
    """Delete the saved views whose filters give away what is erased."""
    for world, reach in reached(worlds, plan):
        for _, view in _present_views(world, reach):
            lease.check()
            world.label_studio.delete_view(view)


def tasks_of(world: World, unit_ids: Collection[str], addresses: Collection[str]) -> list[tuple[int, int]]:
    """Return project and number of the units' tasks, and of those the lake does not know that show an object.

    A killed push made such, or a restored backup of Label Studio brought them back.
    """
    if not (unit_ids or addresses):
        return []
    rows = world.table("tasks").read(columns=["unit_id", "ls_project", "task_id"]).to_pylist()
    known = {(row["ls_project"], row["task_id"]) for row in rows}
    found = {(row["ls_project"], row["task_id"]) for row in rows if row["unit_id"] in unit_ids}
    for number in _ls_projects(world, known):
        strays = world.label_studio.task_ids(number) - {task for project, task in known if project == number}
        tasks = world.label_studio.tasks(number, strays) if strays else []
        mine = (task for task in tasks if task.unit_id in unit_ids or not set(task.media).isdisjoint(addresses))
        found |= {(number, task.task_id) for task in mine}
    return sorted(found)


def views_of(world: World, plan: Plan, staying: Callable[[], pa.ChunkedArray]) -> list[tuple[int, int]]:
    """Return project and number of the saved views whose filters give away what the plan erases.

    Args:
        world: the project.
        plan: objects, references and units; nothing else of it is looked at.
        staying: gives the addresses of the objects that stay; asked only if there are views at all.
    """
    connected = known_project(world)
    views = world.label_studio.views(connected.ls_project) if connected else {}
    if not views or connected is None:
        return []
    names, kept = plan.names(), staying()
    erased = pa.array([f"s3://{bucket}/{key}" for bucket, key in plan.objects], pa.string())
    found = [number for number, view in views.items() if view_names_erased(view, names, erased, kept)]
    return [(connected.ls_project, number) for number in sorted(found)]


def _present_tasks(world: World, reach: ProjectReach) -> list[tuple[int, int]]:
    """Return the planned tasks that Label Studio still has.

    Raises:
        WrongServerError: the server that answers is not the one that was given the tasks.
    """
    if reach.ls_tasks:
        known_project(world)
    there = {number: world.label_studio.task_ids(number) for number in {p for p, _ in reach.ls_tasks}}
    return [(number, task) for number, task in reach.ls_tasks if task in there[number]]


def _present_views(world: World, reach: ProjectReach) -> list[tuple[int, int]]:
    if reach.ls_views:
        known_project(world)
    there = {number: world.label_studio.views(number) for number in {p for p, _ in reach.ls_views}}
    return [(number, view) for number, view in reach.ls_views if view in there[number]]


def _ls_projects(world: World, known: set[tuple[int, int]]) -> set[int]:
    connected = known_project(world)
    return {number for number, _ in known} | ({connected.ls_project} if connected else set())
