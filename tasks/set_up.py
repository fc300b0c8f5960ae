"""Carrying out what a survey found about the project itself: names in answers, settings, media storage, views."""

from __future__ import annotations

import logging
from functools import partial

from labelloop.changes import Changes
from labelloop.interface.changes import renames_of
from labelloop.project_settings import digests
from labelloop.views import note
from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.in_flight import for_each
from tasks.labelling_project import LabellingProject, note_settings, storage_digest

_log = logging.getLogger(__name__)


def set_up(world: World, lease: Lease, home: LabellingProject, changes: Changes) -> None:
    """Bring the project to what the changes say.

    Answers take their new names before the interface does: Label Studio refuses to drop a question while answers
    name it.
    """
    # As they are by then: since the survey their annotators may have edited them.
    rename = partial(world.label_studio.change_answer, change=renames_of(world.spec.interface).apply)
    for_each(lease, changes.renamed, rename, "answers in new names", at_once=1)
    _change_settings(world, lease, home, changes)
    if changes.storage:
        lease.check()
        world.label_studio.ensure_storage(home.ls_project, world.spec.media.bucket)
        note_settings(world, lease, {"storage": storage_digest(world)})
    _set_up_views(world, lease, home, changes)


def _set_up_views(world: World, lease: Lease, home: LabellingProject, changes: Changes) -> None:
    for number, view in changes.views:
        note_settings(world, lease, {note(view["title"]): "there"})
        world.label_studio.save_view(home.ls_project, view, number)
    for number, title in changes.dropped.items():
        lease.check()
        world.label_studio.delete_view(number)
        note_settings(world, lease, {note(title): ""})


def _change_settings(world: World, lease: Lease, home: LabellingProject, changes: Changes) -> None:
    for setting in changes.settings:
        if setting.by_hand:
            _log.warning("setting %s was edited by hand: %s", setting.name, "kept" if setting.kept else "overwritten")
    differing = {setting.name: setting.value for setting in changes.settings if not setting.kept}
    if not differing:
        return
    lease.check()
    world.label_studio.change_project(home.ls_project, differing)
    note_settings(world, lease, digests(differing))
    _log.info("settings set as the spec says: %s", ", ".join(sorted(differing)))
