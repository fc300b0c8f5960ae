"""The reach of a request: which objects, references, units, tasks and published files it touches.

Frozen once, before anything is deleted, since the erasure destroys what it was derived from.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from labelloop.erasure.request import Identifiers
from labelloop.identity import KeyRing, canonical
from labelloop.identifiers import subject_ids


class ProjectReach(BaseModel):
    """What one labelling project holds of the objects."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    project: str
    unit_ids: tuple[str, ...] = ()
    ls_tasks: tuple[tuple[int, int], ...] = ()
    row_ids: tuple[str, ...] = ()
    dataset_versions: tuple[str, ...] = ()
    model_versions: tuple[str, ...] = ()


class Plan(BaseModel):
    """Everything a request reaches, and how much was found in each place. Holds object keys: keep it sealed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    objects: tuple[tuple[str, str], ...] = ()
    ref_ids: tuple[str, ...] = ()
    projects: tuple[ProjectReach, ...] = ()
    found: dict[str, int] = {}


def matching_references(references: pa.Table, wanted: Identifiers, bucket: str, ring: KeyRing) -> pa.Table:
    """Return the references a request names.

    Args:
        references: rows of the contract `references`, of the whole lake.
        wanted: exact keys and `/`-ended prefixes count in `bucket` only, subjects in every bucket.
        bucket: the bucket of the request's project.
        ring: subjects are looked for under every key of it.
    """
    digests = [made for key_id in ring.key_ids for made in ring.digests("subject", wanted.subjects, key_id=key_id)]
    here = pc.equal(references["bucket"], bucket)
    named = pc.is_in(references["key"], value_set=pa.array(wanted.object_keys, pa.string()))
    for prefix in wanted.prefixes:
        named = pc.or_(named, pc.starts_with(references["key"], pattern=prefix))
    shown = pc.is_in(references["subject_hmac"], value_set=pa.array(digests, pa.string()))
    return references.filter(pc.or_(pc.and_(here, named), shown))


def keys_of_subjects(keys: Sequence[str], subjects: Collection[str], pattern: str | None) -> list[str]:
    """Return the object keys that name one of the data subjects, whether the lake knows the objects or not.

    >>> keys_of_subjects(["p/anna/1.png", "p/ann/1.png"], [" anna "], r"p/(?P<subject>[^/]+)/")
    ['p/anna/1.png']
    """
    wanted = {canonical(subject) for subject in subjects}
    named = zip(keys, subject_ids(keys, pattern), strict=True)
    return [key for key, subject in named if subject is not None and canonical(subject) in wanted]


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
    """Return the versions of the models that were trained on any of the training sets."""
    touched = pc.is_in(models["dataset_version"], value_set=pa.array(list(dataset_versions), pa.string()))
    return sorted(models.filter(touched)["model_version"].to_pylist())


def mentions(row: object, identifiers: Collection[str]) -> bool:
    """Return whether a refused row, opened, names any of the identifiers in any of its fields.

    >>> mentions({"unit_id": "u1", "ref_ids": ["a", "b"]}, {"b"})
    True
    """
    if isinstance(row, dict):
        return any(mentions(value, identifiers) for value in row.values())
    if isinstance(row, list):
        return any(mentions(value, identifiers) for value in row)
    return isinstance(row, str) and row in identifiers


def is_too_large(plan: Plan, limit: int, *, approved: bool) -> bool:
    """Return whether the plan needs a person's approval first: more objects than the limit, and none given.

    >>> is_too_large(Plan(objects=(("b", "k"),)), 1, approved=False)
    False
    """
    return len(plan.objects) > limit and not approved
