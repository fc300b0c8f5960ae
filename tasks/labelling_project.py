"""The project in Label Studio that belongs to a spec: found by its marker, created once, told from any other.

Its identity lies in hot state, so that another server, or an older backup of it, is told from the right one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from labelloop.errors import InputError, WrongServerError
from labelloop.project_settings import digests, wanted_settings
from tasks.clients.hot import Json, update
from tasks.clients.lease import Lease
from tasks.clients.world import World


@dataclass(frozen=True)
class LabellingProject:
    """Identity of the server, the project's number there, its settings when it was looked up, and those last set.

    `last_set` holds digests; what differs from them was changed by hand.
    """

    server: str
    ls_project: int
    settings: Json = field(default_factory=dict, repr=False)
    last_set: Json = field(default_factory=dict, repr=False)


def known_project(world: World) -> LabellingProject | None:
    """Return the project as it was set up before, or None if it never was.

    Raises:
        WrongServerError: the server that answers does not hold it.
    """
    record = world.hot.get(_key(world))
    if record is None:
        return None
    # A run that was killed right after the creation left the project there under its marker.
    number = record.value["ls_project"] or world.label_studio.find_project(_marker(world, record.value["server"]))
    return _checked(world, record.value, number) if number is not None else None


def ensure_project(world: World, lease: Lease) -> LabellingProject:
    """Return the project, created with the settings of the spec if it never was.

    Raises:
        WrongServerError: the server that answers does not hold it.
    """
    record = update(world.hot, _key(world), lambda present: present or _minted(world))
    if record["ls_project"] is None:
        found = known_project(world)
        number = found.ls_project if found else _create(world, lease, record["server"])
        record = update(world.hot, _key(world), lambda kept: {**(kept or record), "ls_project": number})
    return _checked(world, record, record["ls_project"])


def storage_digest(world: World) -> str:
    """Return a digest of what the media storage is set up with; its credentials are never shown again."""
    settings = world.settings
    secrets = [key.get_secret_value() for key in (settings.s3_access_key, settings.s3_secret_key) if key]
    return world.keys.digest("storage", "\n".join([settings.s3_endpoint or "", *secrets]))


def note_settings(world: World, lease: Lease, changed: Mapping[str, str]) -> None:
    """Keep digests of what was set just now."""
    lease.check()
    update(world.hot, _key(world), lambda record: _noted(record or {}, changed))


def claim_project(world: World, ls_project: int) -> LabellingProject:
    """Return a project that people set up by hand, for `tie_project` once all that belongs to it is written.

    Raises:
        InputError: there is no such project, or it belongs to a spec already, or the spec has another.
    """
    record = update(world.hot, _key(world), lambda present: present or _minted(world))
    settings = world.label_studio.project(ls_project)
    if settings is None or record["ls_project"] not in (None, ls_project):
        raise InputError(
            f"{world.project!r} cannot take project {ls_project} of Label Studio",
            remedy="give the number of one that is there; a spec that has a project keeps it",
        )
    description = settings.get("description") or ""
    if "labelloop:" in description and _marker(world, record["server"]) not in description:
        raise InputError(
            f"project {ls_project} of Label Studio belongs to another spec",
            remedy="work with that, or unite them there",
        )
    return LabellingProject(record["server"], ls_project)


def tie_project(world: World, lease: Lease, claimed: LabellingProject) -> None:
    """Write into the project whose it is, and into hot state which it is."""
    present, marker = world.label_studio.project(claimed.ls_project) or {}, _marker(world, claimed.server)
    description = present.get("description") or ""
    if marker not in description:
        lease.check()
        world.label_studio.change_project(claimed.ls_project, {"description": f"{description} {marker}".strip()})
    update(world.hot, _key(world), lambda _: {"server": claimed.server, "ls_project": claimed.ls_project})


def _noted(record: Json, changed: Mapping[str, str]) -> Json:
    return {**record, "last_set": {**record.get("last_set", {}), **changed}}


def _create(world: World, lease: Lease, server: str) -> int:
    lease.check()
    wanted = wanted_settings(world.spec)
    number = world.label_studio.create_project({**wanted, "description": _marker(world, server)})
    update(world.hot, _key(world), lambda record: _noted(record or {}, digests(wanted)))
    return number


def _checked(world: World, record: Json, number: int) -> LabellingProject:
    settings, marker = world.label_studio.project(number), _marker(world, record["server"])
    if settings is None or marker not in (settings.get("description") or ""):
        raise WrongServerError(
            f"project {number} of Label Studio at {world.label_studio.address} is not the one that holds the tasks "
            f"of {world.project!r}",
            remedy="point LABELLOOP_LABEL_STUDIO_URL to the right server, set LABELLOOP_LABEL_STUDIO_TOKEN to one "
            f"of its organisation, restore its backup, or put {marker} back into the project's description",
        )
    return LabellingProject(record["server"], number, settings, record.get("last_set", {}))


def _minted(world: World) -> Json:
    return {"server": world.new_id(), "ls_project": None}


def _key(world: World) -> str:
    return f"label-studio/{world.project}.json"


def _marker(world: World, server: str) -> str:
    return f"labelloop:{world.project}:{server}"
