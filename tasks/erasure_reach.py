"""What an erasure reaches: looked up once before it, counted again after it; nothing is changed here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.erasure.plan import (
    Plan,
    ProjectReach,
    keys_of_subjects,
    matching_references,
    mentions,
    models_trained_on,
    units_with,
)
from labelloop.erasure.request import Identifiers
from tasks.clients.datasets import datasets, read_dataset
from tasks.clients.quarantine import payloads
from tasks.clients.world import World
from tasks.labelling_project import known_project

# Which opaque key a project's table is deleted by; units last, since the others refer to them.
TABLES = {
    "predictions": "ref_id",
    "batches": "unit_id",
    "annotations": "unit_id",
    "labels": "unit_id",
    "tasks": "unit_id",
    "quarantine": "row_id",
    "units": "unit_id",
}
Objects = set[tuple[str, str]]


def reach_of(worlds: Sequence[World], wanted: Identifiers, bucket: str) -> Plan:
    """Return everything a request reaches in every project of the lake, with how much there is of it.

    Args:
        worlds: every project of the lake.
        wanted: the request.
        bucket: the bucket its object keys and prefixes lie in.
    """
    world = worlds[0]
    references = matching_references(world.table("references").read(), wanted, bucket, world.keys)
    known = zip(references["bucket"].to_pylist(), references["key"].to_pylist(), strict=True)
    objects: Objects = {*known, *_objects_named(worlds, wanted, bucket)}
    ref_ids = sorted(references["ref_id"].to_pylist())
    projects = tuple(_reach_in_project(each, ref_ids, {key for _, key in objects}) for each in worlds)
    plan = Plan(objects=tuple(sorted(objects)), ref_ids=tuple(ref_ids), projects=projects)
    return plan.model_copy(update={"found": count(worlds, plan)})


def count(worlds: Iterable[World], plan: Plan) -> dict[str, int]:
    """Return how much is there now of what the plan names, by place."""
    by_name = {world.project: world for world in worlds}
    totals = dict.fromkeys(["label_studio_tasks", *TABLES, "training_sets"], 0)
    for reach in plan.projects:
        world = by_name[reach.project]
        totals["label_studio_tasks"] += len(present_tasks(world, reach))
        totals["training_sets"] += len(training_sets_with(world, plan.ref_ids))
        for table, column in TABLES.items():
            totals[table] += len(present_keys(world, table, column, keys_of(plan, reach, column)))
    world = next(iter(by_name.values()))
    totals["references"] = len(present_keys(world, "references", "ref_id", plan.ref_ids))
    totals["media_versions"] = sum(len(world.media.versions(bucket, key)) for bucket, key in plan.objects)
    return totals


def keys_of(plan: Plan, reach: ProjectReach, column: str) -> tuple[str, ...]:
    """Return the planned keys of a project's tables that are named by this column."""
    return {"ref_id": plan.ref_ids, "unit_id": reach.unit_ids, "row_id": reach.row_ids}[column]


def present_keys(world: World, table: str, column: str, keys: Collection[str]) -> list[str]:
    """Return the values of the column, one for each row of the table that has one of the keys."""
    if not keys:
        return []
    # The cast keeps pyarrow from comparing with row-group statistics, which delta-rs writes as another string type.
    wanted = pc.field(column).cast(pa.string()).isin(list(keys))
    rows = world.table(table).read(columns=[column], where=wanted)
    return list(rows[column].to_pylist())


def present_tasks(world: World, reach: ProjectReach) -> list[tuple[int, int]]:
    """Return the planned tasks that Label Studio still has.

    Raises:
        WrongServerError: the server that answers is not the one that was given the tasks.
    """
    if reach.ls_tasks:
        known_project(world)
    there = {number: world.label_studio.task_ids(number) for number in {p for p, _ in reach.ls_tasks}}
    return [(number, task) for number, task in reach.ls_tasks if task in there[number]]


def training_sets_with(world: World, ref_ids: Collection[str]) -> list[str]:
    """Return the published training sets that have a row of any of the references."""
    published = sorted(version for version, row in datasets(world).items() if row["state"] == "published")
    wanted = pa.array(list(ref_ids), pa.string())
    return [v for v in published if pc.any(pc.is_in(read_dataset(world, v)["ref_id"], value_set=wanted)).as_py()]


def _objects_named(worlds: Sequence[World], wanted: Identifiers, bucket: str) -> Objects:
    """Return the objects a request names by key, prefix or subject, though no reference may know them."""
    media = worlds[0].media
    objects = {(bucket, key) for key in wanted.object_keys}
    objects |= {(bucket, key) for prefix in wanted.prefixes for key in media.keys_ever(bucket, prefix)}
    sources = {(w.spec.media.bucket, w.spec.media.prefix, w.spec.media.subject_pattern) for w in worlds}
    for place, prefix, pattern in sorted(sources, key=str):
        if wanted.subjects and pattern:
            keys = list(media.keys_ever(place, prefix))
            objects |= {(place, key) for key in keys_of_subjects(keys, wanted.subjects, pattern)}
    return objects


def _reach_in_project(world: World, ref_ids: Sequence[str], keys: Collection[str]) -> ProjectReach:
    unit_ids = units_with(world.table("units").read(columns=["unit_id", "ref_ids"]), ref_ids)
    names = {*ref_ids, *unit_ids, *keys}
    addresses = {f"s3://{world.spec.media.bucket}/{key}" for key in keys}
    training_sets = training_sets_with(world, ref_ids)
    return ProjectReach(
        project=world.project,
        unit_ids=tuple(unit_ids),
        ls_tasks=tuple(sorted(_tasks_of(world, set(unit_ids), addresses))),
        row_ids=tuple(row_id for row_id, row in payloads(world) if mentions(row, names)),
        dataset_versions=tuple(training_sets),
        model_versions=tuple(models_trained_on(world.table("models").read(), training_sets)),
    )


def _tasks_of(world: World, unit_ids: set[str], addresses: set[str]) -> set[tuple[int, int]]:
    """Return the tasks of the units, and those the lake does not know that show one of the objects.

    A killed push created such, or a restored backup of Label Studio brought them back.
    """
    if not (unit_ids or addresses):
        return set()
    rows = world.table("tasks").read(columns=["unit_id", "ls_project", "task_id"]).to_pylist()
    known = {(row["ls_project"], row["task_id"]) for row in rows}
    found = {(row["ls_project"], row["task_id"]) for row in rows if row["unit_id"] in unit_ids}
    for number in _ls_projects(world, known):
        strays = world.label_studio.task_ids(number) - {task for project, task in known if project == number}
        tasks = world.label_studio.tasks(number, strays) if strays else []
        found |= {(number, task.task_id) for task in tasks if task.unit_id in unit_ids or addresses & set(task.media)}
    return found


def _ls_projects(world: World, known: set[tuple[int, int]]) -> set[int]:
    connected = known_project(world)
    return {number for number, _ in known} | ({connected.ls_project} if connected else set())
