"""What is back though it is suppressed, among the references, in Label Studio, in the buckets; and asking for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from labelloop.erasure.decisions import received
from labelloop.erasure.request import Identifiers
from labelloop.erasure.suppression import Suppressions
from labelloop.identifiers import subject_ids
from tasks.clients.erasures import Erasures
from tasks.clients.receipts import receipts
from tasks.clients.s3 import split_uri
from tasks.clients.world import World
from tasks.erasure.ledger import restore_from_ledger
from tasks.labelling_project import known_project
from tasks.suppression import suppressions_in_force

Objects = frozenset[tuple[str, str]]
_NOTHING: Objects = frozenset()
_VERIFICATION = "erased before; came back with a restored backup"


@dataclass(frozen=True)
class Returned:
    """Bucket and key of every suppressed object that a reference, a task or the bucket itself has again."""

    references: Objects
    tasks: Objects
    objects: Objects


def recover_from_restore(world: World) -> int:
    """Bring the lake up to date with the ledger, and return how many rows a restored backup had lost.

    Where it had lost some, requests it brought back as unfinished are finished again, and what is suppressed and back
    is asked for; everywhere else this costs two listings.
    """
    restored = restore_from_ledger(world)
    if restored:
        proven = {receipt.request_id for receipt in receipts(world.lake)}
        Erasures(world.hot, world.vault).finish_restored(proven)
        ask_for_returned(world)
    return restored


def ask_for_returned(world: World) -> int:
    """Record a request for what is suppressed and back, one a project, and return how many objects they name."""
    worlds = world.neighbours()
    back = returned(worlds, suppressions_in_force(world))
    objects = back.references | back.tasks | back.objects
    projects = {each.spec.media.bucket: each.project for each in reversed(worlds)}
    for bucket, project in sorted(projects.items()):
        keys = tuple(sorted(key for place, key in objects if place == bucket))
        if keys:
            wanted = Identifiers(object_keys=keys, verification=_VERIFICATION)
            request = received(wanted, request_id=world.new_id(), project=project, now=world.now())
            Erasures(world.hot, world.vault).add(request, wanted)
    return len(objects)


def returned(worlds: Sequence[World], in_force: Suppressions) -> Returned:
    """Look through the whole lake, every project of Label Studio and every bucket.

    What an unfinished request is about to erase does not count: a hold or a person is what it waits for.
    """
    pending = _pending(worlds)
    return Returned(
        references=_references(worlds[0], in_force) - pending,
        tasks=_NOTHING.union(*(_tasks(world, in_force) for world in worlds)) - pending,
        objects=_NOTHING.union(*(_objects(world, in_force) for world in worlds)) - pending,
    )


def _references(world: World, in_force: Suppressions) -> Objects:
    rows = world.table("references").read(columns=["bucket", "key", "subject_hmac", "source_hmac"])
    found = rows.filter(in_force.cover_references(rows))
    return frozenset(zip(found["bucket"].to_pylist(), found["key"].to_pylist(), strict=True))


def _tasks(world: World, in_force: Suppressions) -> Objects:
    """Return what tasks show of which the lake knows nothing; those it knows are about its references."""
    connected = known_project(world)
    if connected is None:
        return _NOTHING
    known = set(world.table("tasks").read(columns=["task_id"])["task_id"].to_pylist())
    strays = world.label_studio.task_ids(connected.ls_project) - known
    tasks = world.label_studio.tasks(connected.ls_project, strays) if strays else []
    return _covered(world, in_force, {split_uri(address) for task in tasks for address in task.media})


def _objects(world: World, in_force: Suppressions) -> Objects:
    bucket, prefix = world.spec.media.bucket, world.spec.media.prefix
    return _covered(world, in_force, {(bucket, key) for key in world.media.keys_ever(bucket, prefix)})


def _covered(world: World, in_force: Suppressions, objects: Iterable[tuple[str, str]]) -> Objects:
    bucket, pattern = world.spec.media.bucket, world.spec.media.subject_pattern
    keys = sorted({key for place, key in objects if place == bucket})
    covered = in_force.cover(bucket, keys, subject_ids(keys, pattern))
    return frozenset((bucket, key) for key, hit in zip(keys, covered, strict=True) if hit)


def _pending(worlds: Sequence[World]) -> Objects:
    erasures = Erasures(worlds[0].hot, worlds[0].vault)
    buckets = {world.project: world.spec.media.bucket for world in worlds}
    found: set[tuple[str, str]] = set()
    for request in erasures.all():
        if request.is_finished or request.project not in buckets:
            continue
        if plan := erasures.plan(request.request_id):
            found |= set(plan.objects)
        else:
            found |= {(buckets[request.project], key) for key in erasures.identifiers(request).object_keys}
    return frozenset(found)
