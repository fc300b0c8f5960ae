"""The reach of a request: which objects, references, units, tasks, views and published files it touches.

Frozen once, before anything is deleted, since the erasure destroys what it was derived from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from labelloop.erasure.request import Identifiers
from labelloop.identifiers import ids_in_keys, source_ids, subject_ids
from labelloop.identity import KeyRing, canonical


class ProjectReach(BaseModel):
    """What one labelling project holds of the objects."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    project: str
    unit_ids: tuple[str, ...] = ()
    ls_tasks: tuple[tuple[int, int], ...] = ()
    ls_views: tuple[tuple[int, int], ...] = ()
    row_ids: tuple[str, ...] = ()
    dataset_versions: tuple[str, ...] = ()
    model_versions: tuple[str, ...] = ()


class Plan(BaseModel):
    """Everything a request reaches, and how much was found in each place. Holds object keys: keep it sealed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    objects: tuple[tuple[str, str], ...] = ()
    ref_ids: tuple[str, ...] = ()
    projects: tuple[ProjectReach, ...] = ()
    inbox_files: tuple[str, ...] = ()
    found: dict[str, int] = {}
    versions: dict[str, int] = {}

    def names(self) -> frozenset[str]:
        """Return every text by which other systems may name what is erased: numbers of ours, and addresses."""
        units = (unit for reach in self.projects for unit in reach.unit_ids)
        return frozenset([*self.ref_ids, *units, *(f"s3://{bucket}/{key}" for bucket, key in self.objects)])


def matching_references(references: pa.Table, wanted: Identifiers, bucket: str, ring: KeyRing) -> pa.Table:
    """Return the references a request names.

    Args:
        references: rows of the contract `references`, of the whole lake.
        wanted: exact keys and `/`-ended prefixes count in `bucket` only, also for the keys a moved object had before;
            subjects and sources count in every bucket.
        bucket: the bucket of the request's project.
        ring: subjects and sources are looked for under every key of it.
    """
    former = references["former_keys"].combine_chunks()
    moved = pc.list_parent_indices(former).filter(_named(pc.list_flatten(former), wanted))
    was_there = pc.is_in(pa.array(range(references.num_rows), pa.int64()), value_set=moved)
    here = pc.equal(references["bucket"], bucket)
    found = pc.and_(here, pc.or_(_named(references["key"], wanted), was_there))
    sources = [source.canonical for source in wanted.sources]
    for kind, identifiers in (("subject", wanted.subjects), ("source", sources)):
        made = [digest for key_id in ring.key_ids for digest in ring.digests(kind, identifiers, key_id=key_id)]
        theirs = pc.is_in(references[f"{kind}_hmac"], value_set=pa.array(made, pa.string()))
        found = pc.or_(found, theirs)
    return references.filter(found)


def _named(keys: pa.ChunkedArray | pa.Array, wanted: Identifiers) -> pa.ChunkedArray | pa.Array:
    named = pc.is_in(keys, value_set=pa.array(wanted.object_keys, pa.string()))
    for prefix in wanted.prefixes:
        named = pc.or_(named, pc.starts_with(keys, pattern=prefix))
    return named


def merged(plans: Sequence[Plan]) -> Plan:
    """Return one plan that reaches what any of the plans reaches, without what was found.

    >>> merged([Plan(ref_ids=("b",)), Plan(ref_ids=("a", "b"))]).ref_ids
    ('a', 'b')
    """
    reaches = [reach for plan in plans for reach in plan.projects]
    names = sorted({reach.project for reach in reaches})
    return Plan(
        objects=_union(plan.objects for plan in plans),
        ref_ids=_union(plan.ref_ids for plan in plans),
        inbox_files=_union(plan.inbox_files for plan in plans),
        projects=tuple(_merged_reach(name, [reach for reach in reaches if reach.project == name]) for name in names),
    )


def _merged_reach(project: str, reaches: Sequence[ProjectReach]) -> ProjectReach:
    parts = [name for name in ProjectReach.model_fields if name != "project"]
    return ProjectReach(project=project, **{part: _union(getattr(r, part) for r in reaches) for part in parts})


def _union(parts: Iterable[Iterable[Any]]) -> tuple[Any, ...]:
    return tuple(sorted({item for part in parts for item in part}))


def addresses_of(buckets: pa.ChunkedArray, keys: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the address (s3://) of each object.

    >>> addresses_of(pa.chunked_array([["m"]]), pa.chunked_array([["a b"]])).to_pylist()
    ['s3://m/a b']
    """
    return pc.binary_join_element_wise("s3:/", buckets, keys, "/")


def keys_of_subjects(keys: Sequence[str], subjects: Collection[str], pattern: str | None) -> list[str]:
    """Return the object keys that name one of the data subjects, whether the lake knows the objects or not.

    >>> keys_of_subjects(["p/anna/1.png", "p/ann/1.png"], [" anna "], r"p/(?P<subject>[^/]+)/")
    ['p/anna/1.png']
    """
    wanted = {canonical(subject) for subject in subjects}
    named = zip(keys, subject_ids(keys, pattern), strict=True)
    return [key for key, subject in named if subject is not None and canonical(subject) in wanted]


def keys_of_sources(keys: Sequence[str], sources: Collection[str], platform: str, pattern: str) -> list[str]:
    """Return the object keys that name one of the sources, whether the lake knows the objects or not.

    >>> keys_of_sources(["p/52.png", "p/521.png"], ["flickr:52"], "Flickr", r"p/(?P<id>[0-9]+)[.]")
    ['p/52.png']
    """
    known_as = source_ids(platform, ids_in_keys(keys, pattern, group="id"))
    named = zip(keys, known_as, strict=True)
    return [key for key, source in named if source is not None and canonical(source) in sources]


def units_with(units: pa.Table, ref_ids: Collection[str]) -> list[str]:
    """Return the units that have any of the references as a member, at whatever media version.

    >>> rows = pa.table({"unit_id": ["u1", "u2"], "ref_ids": [["a", "b"], ["c"]]})
    >>> units_with(rows, ["b"])
    ['u1']
    """
    member_of = pc.list_parent_indices(units["ref_ids"])
    hit = pc.is_in(pc.list_flatten(units["ref_ids"]), value_set=pa.array(list(ref_ids), pa.string()))
    found = units["unit_id"].take(pc.unique(member_of.filter(hit)))
    return sorted(found.to_pylist())


def models_trained_on(models: pa.Table, dataset_versions: Collection[str]) -> list[str]:
    """Return the versions of the models that were trained on any of the training sets, sorted.

    >>> models = pa.table({"model_version": ["m2", "m1"], "dataset_version": ["d2", "d1"]})
    >>> models_trained_on(models, ["d1", "d0"])
    ['m1']
    """
    touched = pc.is_in(models["dataset_version"], value_set=pa.array(list(dataset_versions), pa.string()))
    return sorted(models.filter(touched)["model_version"].to_pylist())
