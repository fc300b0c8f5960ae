"""Feedback: a private file for every annotator, once a week; nothing of it goes anywhere else."""

from __future__ import annotations

from pathlib import Path

from prefect import task

from labelloop.feedback import feedback_pages
from labelloop.opinions import experts_among, without_confirmations
from labelloop.summary import Summary
from tasks.clients.lease import Lease
from tasks.clients.private_files import make_directory, write_text
from tasks.clients.world import World
from tasks.policies import INSIDE
from tasks.stage import finish, stage


@task(name="feedback", **INSIDE)
def feedback(project: str) -> dict[str, object]:
    """Write what each annotator may read of the own answers."""
    with stage(project, "feedback") as (world, lease):
        return finish(write_feedback(world, lease))


def write_feedback(world: World, lease: Lease) -> Summary:
    """Write the pages into the project's folder below `feedback_dir`, instead of those of the week before."""
    folder = world.settings.feedback_dir
    if folder is None:
        return Summary(stage="feedback", notes=("LABELLOOP_FEEDBACK_DIR names no folder",))
    if world.spec.annotators.figures == "none":
        lease.check()
        _remove_pages(folder / world.project)
        return Summary(stage="feedback", notes=("annotators.figures is none",))
    pages = feedback_pages(
        without_confirmations(world.table("annotations").read(), world.spec.interface),
        labels=world.table("labels").read(columns=["unit_id", "control", "label", "decided_by"]),
        units=world.table("units").read(),
        experts=experts_among(world.table("annotators").read()),
        title=world.spec.title,
        at=world.now(),
    )
    lease.check()
    own = make_directory(make_directory(folder) / world.project)
    _remove_pages(own)
    for who, page in pages.items():
        write_text(own / f"{who}.md", page)
    return Summary(stage="feedback", counts={"written": len(pages)})


def _remove_pages(own: Path) -> None:
    for page in own.glob("*.md"):
        page.unlink()
