"""Rulings: what experts answered in the project that reviews another, for its consensus."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from prefect import task

from labelloop.opinions import experts_among
from labelloop.summary import Summary
from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.collect import collect_annotations
from tasks.policies import OUTSIDE
from tasks.stage import finish, stage


@task(name="rulings", **OUTSIDE)
def rulings(project: str) -> dict[str, object]:
    """Bring what experts ruled into the lake."""
    with stage(project, "rulings") as (world, lease):
        return finish(collect_rulings(world, lease))


def collect_rulings(world: World, lease: Lease) -> Summary:
    """Collect the answers of the reviewing project, as `collect` does those of any."""
    return collect_annotations(world.reviewing(), lease).model_copy(update={"stage": "rulings"})


def given_rulings(world: World) -> tuple[pa.Table, list[str]]:
    """Return the answers that experts gave in the reviewing project, as rows of `annotations`, and their pseudonyms.

    Whoever is no expert rules nothing there.
    """
    reviewing = world.reviewing()
    experts = experts_among(reviewing.table("annotators").read(columns=["annotator", "level"]))
    answers = reviewing.table("annotations").read()
    return answers.filter(pc.is_in(answers["annotator"], value_set=pa.array(experts, pa.string()))), experts
