"""Survey of the project itself: settings, interface, media storage, views, whose predictions order the queue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import pyarrow.compute as pc

from labelloop.changes import Changes
from labelloop.interface.changes import Losses, Renames, renames_of
from labelloop.project_settings import SettingChange, compare_settings, wanted_settings
from labelloop.push import Wanted
from labelloop.reconcile import Inspection
from labelloop.spec import ProjectSpec
from labelloop.views import compare_views, dropped_views, has_notes, wanted_views
from tasks.clients.world import World
from tasks.contents import contents_of
from tasks.labelling_project import LabellingProject, storage_digest


def wanted_project(world: World, changes: Changes) -> Changes:
    """Return the changes with a project that is not there yet."""
    views = compare_views(wanted_views(world.spec), {}, keep_edits=False)
    return replace(changes, new_project=True, storage=True, views=views)


def setting_changes(spec: ProjectSpec, home: LabellingProject) -> tuple[SettingChange, ...]:
    """Return every setting that differs, and what the spec says is done about it."""
    keep = spec.workbench.edited_settings == "keep"
    return compare_settings(wanted_settings(spec), home.settings, home.last_set, keep_edits=keep)


def inspection_of(
    world: World, home: LabellingProject, wanted: Wanted, settings: Iterable[SettingChange]
) -> Inspection:
    """Return an inspection that has seen no task yet; an interface that is kept renames and loses nothing."""
    changed = {one.name: one for one in settings}
    before, interface = home.settings["label_config"], changed.get("label_config")
    if interface and interface.kept:
        renames, losses = Renames(), Losses(before, before, Renames())
    else:
        renames = renames_of(world.spec.interface)
        losses = Losses(before, interface.value if interface else before, renames)
    known = world.table("tasks").read(columns=["task_id"])["task_id"].to_pylist()
    return Inspection(
        world.spec,
        wanted,
        frozenset(known),
        renames,
        losses,
        partial(contents_of, world),
        overlaps_reset="maximum_annotations" in changed,
    )


def with_project(
    world: World, home: LabellingProject, wanted: Wanted, changes: Changes, found: Inspection
) -> Changes:
    """Return the changes with those of the project itself."""
    fits = world.label_studio.storage_fits(home.ls_project, world.spec.media.bucket)
    is_carried = pc.any(pc.equal(wanted.live["queue_version"], wanted.version)).as_py()
    is_named = home.settings["model_version"] == wanted.version and not _forgets_version(changes.settings)
    return replace(
        _with_views(world, home, changes),
        renamed=found.renamed,
        lost=found.losses.counts,
        merged=found.losses.merged() if found.renamed else (),
        storage=not fits or home.last_set.get("storage") != storage_digest(world),
        order=bool(is_carried) and not is_named,
    )


def _forgets_version(settings: Iterable[SettingChange]) -> bool:
    """Return whether these changes make the server forget whose predictions order the queue: hiding them does."""
    return any(one.name == "show_collab_predictions" and not one.value and not one.kept for one in settings)


def _with_views(world: World, home: LabellingProject, changes: Changes) -> Changes:
    wanted, keep = wanted_views(world.spec), world.spec.workbench.edited_settings == "keep"
    present = world.label_studio.views(home.ls_project) if wanted or has_notes(home.last_set) else {}
    return replace(
        changes,
        views=compare_views(wanted, present, keep_edits=keep),
        dropped=dropped_views(wanted, present, home.last_set, keep_edits=keep),
    )
