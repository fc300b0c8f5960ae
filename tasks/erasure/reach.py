"""What an erasure reaches: looked up once before anything is deleted, to be frozen; nothing is changed here."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.erasure.mentions import mentions
from labelloop.erasure.plan import (
    Plan,
    ProjectReach,
    addresses_of,
    keys_of_sources,
    keys_of_subjects,
    matching_references,
    models_trained_on,
    units_with,
)
from labelloop.erasure.request import Identifiers
from labelloop.spec.media import Media
from tasks.clients.quarantine import payloads
from tasks.clients.world import World
from tasks.erasure.label_studio import tasks_of, views_of
from tasks.erasure.rows import table_versions, training_sets_with
from tasks.erasure.sinks import count

Objects = set[tuple[str, str]]


def reach_of(worlds: Sequence[World], wanted: Identifiers, bucket: str, inbox_files: Sequence[str] = ()) -> Plan:
    """Return everything a request reaches in every project of the lake, with how much there is of it.

    Args:
        worlds: every project of the lake.
        wanted: the request.
        bucket: the bucket its object keys and prefixes lie in.
        inbox_files: ids of the files it came from; they were found, and destroyed, when they were taken up.
    """
    world = worlds[0]
    known = world.table("references").read()
    references = matching_references(known, wanted, bucket, world.keys)
    ref_ids = sorted(references["ref_id"].to_pylist())
    staying = known.filter(pc.invert(pc.is_in(known["ref_id"], value_set=pa.array(ref_ids, pa.string()))))
    objects = _objects(references, staying) | _objects_named(worlds, wanted, bucket)
    objects |= _sidecars(worlds, objects)
    units = {each.project: _units(each, ref_ids) for each in worlds}
    bare = Plan(
        objects=tuple(sorted(objects)),
        ref_ids=tuple(ref_ids),
        projects=tuple(ProjectReach(project=name, unit_ids=tuple(ids)) for name, ids in units.items()),
        inbox_files=tuple(inbox_files),
    )
    projects = tuple(_reach_in_project(each, bare, units[each.project], staying) for each in worlds)
    plan = bare.model_copy(update={"projects": projects, "versions": table_versions(worlds)})
    return plan.model_copy(update={"found": count(worlds, plan) | {"inbox_files": len(inbox_files)}})


def _objects(references: pa.Table, staying: pa.Table) -> Objects:
    """Return where the objects lie and, as older versions, lay before they were moved.

    A former key that another reference has now is left alone: its newest version is somebody else's.
    """
    rows = references.select(["bucket", "key", "former_keys"]).to_pylist()
    present = {(row["bucket"], row["key"]) for row in rows}
    former = {(row["bucket"], key) for row in rows for key in row["former_keys"] or ()} - present
    taken = staying.filter(pc.is_in(staying["key"], value_set=pa.array({key for _, key in former}, pa.string())))
    return present | (former - set(zip(taken["bucket"].to_pylist(), taken["key"].to_pylist(), strict=True)))


def _objects_named(worlds: Sequence[World], wanted: Identifiers, bucket: str) -> Objects:
    """Return the objects a request names by key, prefix, subject or source, though no reference may know them."""
    objects = {(bucket, key) for key in wanted.object_keys}
    objects |= {(bucket, key) for prefix in wanted.prefixes for key in _keys_ever(worlds, bucket, prefix)}
    for media in {world.spec.media for world in worlds}:
        objects |= {(media.bucket, key) for key in _keys_naming(worlds, wanted, media)}
    return objects


def _keys_naming(worlds: Sequence[World], wanted: Identifiers, media: Media) -> list[str]:
    """Return the keys that name a subject or source, where a spec says that keys do."""
    sources, platform = {source.canonical for source in wanted.sources}, media.platform_id
    by_subject = wanted.subjects and media.subject_pattern
    by_source = sources and platform and platform.key
    if not by_subject and not by_source:
        return []
    keys = sorted(_keys_ever(worlds, media.bucket, media.prefix))
    found = keys_of_subjects(keys, wanted.subjects, media.subject_pattern)
    if platform and platform.key:
        found += keys_of_sources(keys, sources, platform.platform, platform.key)
    return found


def _keys_ever(worlds: Sequence[World], bucket: str, prefix: str) -> set[str]:
    """Return the keys that have a version, a delete marker or an unfinished upload."""
    media = worlds[0].media
    return {*media.keys_ever(bucket, prefix), *(upload.key for upload in media.uploads(bucket, prefix))}


def _sidecars(worlds: Sequence[World], objects: Objects) -> Objects:
    """Return the files beside the objects where a spec says that these hold whom an object shows."""
    places = {
        world.spec.media.bucket
        for world in worlds
        for place in (world.spec.media.subject_id, world.spec.media.platform_id)
        if place and place.sidecar
    }
    return {(bucket, f"{key}.json") for bucket, key in objects if bucket in places}


def _units(world: World, ref_ids: Collection[str]) -> list[str]:
    return units_with(world.table("units").read(columns=["unit_id", "ref_ids"]), ref_ids)


def _reach_in_project(world: World, bare: Plan, unit_ids: Sequence[str], staying: pa.Table) -> ProjectReach:
    names = {*bare.ref_ids, *unit_ids, *(key for _, key in bare.objects)}
    training_sets = training_sets_with(world, bare.ref_ids)
    return ProjectReach(
        project=world.project,
        unit_ids=tuple(unit_ids),
        ls_tasks=tuple(tasks_of(world, set(unit_ids), {f"s3://{bucket}/{key}" for bucket, key in bare.objects})),
        ls_views=tuple(views_of(world, bare, lambda: addresses_of(staying["bucket"], staying["key"]))),
        row_ids=tuple(row_id for row_id, row in payloads(world) if mentions(row, names)),
        dataset_versions=tuple(training_sets),
        model_versions=tuple(models_trained_on(world.table("models").read(), training_sets)),
    )
