"""The project in Label Studio that belongs to a spec: found by its marker, created once, kept as the spec says.

Its identity lies in hot state, so that another server, or an older backup of it, is told from the right one.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from labelloop.errors import InputError, WrongServerError
from labelloop.guidelines import to_html
from labelloop.interface import build
from tasks.clients.hot import Json, update
from tasks.clients.lease import Lease
from tasks.clients.world import World

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LabellingProject:
    """Identity of the server, the project's number there, and what a hand had changed in its settings."""

    server: str
    ls_project: int
    mended: tuple[str, ...] = ()


def known_project(world: World) -> LabellingProject | None:
    """Return the project as it was set up before, or None if it never was.

    Raises:
        WrongServerError: the server that answers does not hold it.
    """
    record = world.hot.get(_key(world))
    if record is None or record.value["ls_project"] is None:
        return None
    found = LabellingProject(record.value["server"], record.value["ls_project"])
    _settings(world, found)
    return found


def ensure_project(world: World, lease: Lease) -> LabellingProject:
    """Return the project, created if it never was, with settings and storage as the spec says.

    Raises:
        WrongServerError: the server that answers does not hold it.
    """
    record = update(world.hot, _key(world), lambda present: present or _minted(world))
    if record["ls_project"] is None:
        lease.check()
        marker = _marker(world, record["server"])
        # A run that was killed right after the creation left the project there under its marker.
        number = world.label_studio.find_project(marker) or world.label_studio.create_project(
            {**_wanted(world), "description": marker, "maximum_annotations": 1}
        )
        record = update(world.hot, _key(world), lambda _: {**record, "ls_project": number})
    mended = _mend(world, lease, LabellingProject(record["server"], record["ls_project"]))
    lease.check()
    world.label_studio.ensure_storage(mended.ls_project, world.spec.media.bucket)
    return mended


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


def _mend(world: World, lease: Lease, found: LabellingProject) -> LabellingProject:
    """Set what differs from the spec; raised overlaps survive, unless a hand had changed the overlap of all."""
    present = _settings(world, found)
    wanted = {**_wanted(world), "maximum_annotations": 1}
    differing = {name: value for name, value in wanted.items() if present.get(name) != value}
    if differing:
        lease.check()
        world.label_studio.change_project(found.ls_project, differing)
        _log.info("settings set as the spec says: %s", ", ".join(sorted(differing)))
    return LabellingProject(found.server, found.ls_project, tuple(sorted(differing)))


def _settings(world: World, found: LabellingProject) -> Json:
    settings = world.label_studio.project(found.ls_project)
    if settings is None or _marker(world, found.server) not in (settings.get("description") or ""):
        raise WrongServerError(
            f"project {found.ls_project} of Label Studio at {world.label_studio.address} is not the one that holds "
            f"the tasks of {world.project!r}",
            remedy="point LABELLOOP_LABEL_STUDIO_URL to the right server, restore its backup, or put the marker "
            "back into the project's description",
        )
    return settings


def _wanted(world: World) -> Json:
    spec = world.spec
    # One annotation a task and per-task overlap is the one combination that keeps queue order, locks and overlap.
    return {
        "title": spec.title,
        "label_config": build(spec.interface),
        "expert_instruction": to_html(spec.guidelines.text),
        "show_instruction": True,
        "sampling": "Uncertainty sampling",
        "show_collab_predictions": spec.predictions.show,
        "show_skip_button": True,
        "skip_queue": "REQUEUE_FOR_OTHERS",
        "enable_empty_annotation": False,
    }


def _minted(world: World) -> Json:
    return {"server": world.new_id(), "ls_project": None}


def _key(world: World) -> str:
    return f"label-studio/{world.project}.json"


def _marker(world: World, server: str) -> str:
    return f"labelloop:{world.project}:{server}"
