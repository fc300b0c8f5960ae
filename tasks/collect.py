"""Collect: bring what annotators did since the last time into the lake, and say which tasks are done.

Reads what changed since a watermark, with an overlap; a rerun reads the same again and changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from prefect import task

from labelloop import guidelines
from labelloop.collect import Reader, annotator_row, keep_first_guidelines, task_state, tombstones, vanished
from labelloop.onboarding import ONBOARDING
from labelloop.project_settings import digests
from labelloop.summary import Summary
from labelloop.workbench import RemoteTask
from tasks.artifacts import publish_table
from tasks.clients.hot import update
from tasks.clients.lease import Lease
from tasks.clients.quarantine import quarantine
from tasks.clients.rounds import rounds_of, save_round
from tasks.clients.world import World
from tasks.contracts import commit, commit_new
from tasks.labelling_project import LabellingProject, known_project
from tasks.policies import OUTSIDE
from tasks.stage import finish, stage
from tasks.task_states import change_tasks
from tasks.tombstones import answers_to, bury

# A change becomes visible only when its transaction ends, up to 12 s later on a busy SQLite.
_OVERLAP = timedelta(minutes=2)
_CHUNK = 5_000  # tasks held in memory at a time
_Row = dict[str, Any]


@task(name="collect", **OUTSIDE)
def collect(project: str) -> dict[str, object]:
    """Bring new, edited and deleted annotations into the lake and close rounds that are answered."""
    with stage(project, "collect") as (world, lease):
        return finish(collect_annotations(world, lease))


def collect_annotations(world: World, lease: Lease) -> Summary:
    """Read every task that changed since the last time and write what its annotations say.

    Raises:
        WrongServerError: the server that answers does not hold the project.
        DecisionNeeded: more tasks vanished than the spec allows; nothing was written.
    """
    home = known_project(world)
    if home is None:
        return Summary(stage="collect", notes=("nothing is in Label Studio yet",))
    live = _live_tasks(world, home)
    there = world.label_studio.task_ids(home.ls_project)
    gone = vanished(live, there, world.spec.quality.disappearance_limit)
    counts = Counter(vanished=len(gone), changed=0, annotations=0, deleted=0, refused=0)
    _forget(world, lease, gone.to_pylist(), counts)
    # Asked before: what changes behind the reader, during a listing of minutes, is read the next time.
    newest = world.label_studio.newest_change(home.ls_project)
    for chunk in _chunks(world.label_studio.changed_tasks(home.ls_project, _since(world, home))):
        _take_in(world, lease, home, chunk, live, counts)
    _advance(world, lease, home, newest)
    counts["closed_rounds"] = _close_rounds(world)
    publish_table("collect", [dict(counts)], "What annotators did since the last time")
    return Summary(stage="collect", counts=dict(counts))


def _live_tasks(world: World, home: LabellingProject) -> pa.Table:
    """Return the tasks the server should hold, as a table: as a row each they would take eight times the memory."""
    live = pc.field("state").isin(["open", "answered"]) & (pc.field("ls_project") == home.ls_project)
    return world.table("tasks").read(
        columns=["task_id", "unit_id", "prediction_shown", "guideline_version"], where=live
    )


def _forget(world: World, lease: Lease, gone: Sequence[_Row], counts: Counter[str]) -> None:
    """Turn the answers to tasks that were deleted on the server into tombstones."""
    if not gone:
        return
    counts["deleted"] += bury(world, lease, {row["task_id"] for row in gone}, stage="collect")
    change_tasks(world, lease, {row["unit_id"]: {"state": "withdrawn"} for row in gone}, stage="collect")


def _take_in(
    world: World,
    lease: Lease,
    home: LabellingProject,
    tasks: Sequence[RemoteTask],
    live: pa.Table,
    counts: Counter[str],
) -> None:
    """Write the annotations of some changed tasks, then the state of these tasks; foreign tasks are left out."""
    purposes = _purposes(world, {t.unit_id for t in tasks})
    ours = [t for t in tasks if t.unit_id in purposes]
    present = answers_to(world, [t.task_id for t in ours])
    reader = _reader(world, home, live, purposes, present)
    _meet(world, lease, reader, ours)
    read = [reader.rows(t) for t in ours]
    refused = [refusal for _, refusals in read for refusal in refusals]
    rows, lost = _with_tombstones([row for given, _ in read for row in given], present)
    counts["refused"] += quarantine(world, lease, refused, stage="collect")
    counts["refused"] += _write(world, lease, _table(world, "annotations", rows), present)
    known = {row["task_id"] for row in reader.known.values()}
    states = {t.unit_id: {"state": task_state(t, world.spec.annotators.count)} for t in ours if t.task_id in known}
    change_tasks(world, lease, states, stage="collect")
    counts.update(changed=len(ours), annotations=len(rows) - lost, deleted=lost)


def _write(world: World, lease: Lease, rows: pa.Table, present: pa.Table) -> int:
    """Write answers and return how many were refused; new ones are added, for a merge holds all that is stored."""
    known = pc.is_in(rows["annotation_id"], present["annotation_id"].combine_chunks())
    refused = commit(world, lease, "annotations", rows.filter(known), stage="collect")
    return refused + commit_new(world, lease, "annotations", [rows.filter(pc.invert(known))], stage="collect")


def _purposes(world: World, unit_ids: Collection[str]) -> dict[str, str]:
    """Return why each of these units was asked; units the lake does not know are missing."""
    units = world.table("units").read(columns=["unit_id", "purpose"], where=pc.field("unit_id").isin(list(unit_ids)))
    return dict(zip(units["unit_id"].to_pylist(), units["purpose"].to_pylist(), strict=True))


def _with_tombstones(rows: list[_Row], present: pa.Table) -> tuple[list[_Row], int]:
    """Return the rows with what was on the screen when they were first read, tombstones added, and their number."""
    seen = {(row["annotation_id"], row["control"]) for row in rows}
    lost = tombstones(present, seen)
    return [*keep_first_guidelines(rows, present), *lost], len(lost)


def _reader(
    world: World, home: LabellingProject, live: pa.Table, purposes: Mapping[str, str], present: pa.Table
) -> Reader:
    known = live.filter(pc.is_in(live["unit_id"], pa.array([*purposes], pa.string()))).to_pylist()
    return Reader(
        spec=world.spec,
        server=home.server,
        pseudonym=cache(lambda user: "a-" + world.keys.digest("annotator", f"{home.server}/{user}")[:12]),
        experts=world.label_studio.user_ids(world.settings.experts),
        known={row["unit_id"]: row for row in known},
        defaults={
            "prediction_shown": world.spec.predictions.show,
            "guideline_version": guidelines.version(world.spec.guidelines.text),
        },
        gold={unit for unit, purpose in purposes.items() if purpose == "gold"},
        onboarding={unit for unit, purpose in purposes.items() if purpose == "pilot"},
        earlier={
            row["annotation_id"]: row
            for row in present.select(["annotation_id", "annotator", "opinion_reason"]).to_pylist()
        },
    )


def _meet(world: World, lease: Lease, reader: Reader, tasks: Iterable[RemoteTask]) -> None:
    """Give every annotator a row, and those who became experts, or are none any more, their level."""
    given = [a for t in tasks for a in t.annotations if not reader.as_before(a)]
    levels = {reader.annotator(a): "expert" if reader.is_expert(a) else "annotator" for a in given}
    present = {row["annotator"]: row for row in world.table("annotators").read().to_pylist()}
    rows = [
        present.get(who, annotator_row(who, level, world.now())) | {"level": level} for who, level in levels.items()
    ]
    commit(world, lease, "annotators", _table(world, "annotators", rows), stage="collect")


def _close_rounds(world: World) -> int:
    """Close every open round of which no task waits any more, and return how many; newcomers are not waited for."""
    tasks = world.table("tasks").read(columns=["unit_id", "state"])
    waiting = tasks.filter(pc.equal(tasks["state"], "open"))["unit_id"]
    batches = world.table("batches").read(columns=["unit_id", "round", "strategy"])
    batches = batches.filter(pc.not_equal(batches["strategy"], ONBOARDING))
    unfinished = set(batches.filter(pc.is_in(batches["unit_id"], waiting.combine_chunks()))["round"].to_pylist())
    over = [r for r in rounds_of(world.hot, world.project) if r.state == "open" and r.number not in unfinished]
    for record in over:
        closed = record.model_copy(update={"state": "closed", "closed_at": world.now()})
        save_round(world.hot, world.project, closed)
    return len(over)


def _since(world: World, home: LabellingProject) -> datetime | None:
    """Return since when to read; None where nothing of this server was read before, or by another interface.

    What one interface refuses another understands: put back, it must find again what was refused meanwhile.
    """
    found = world.hot.get(_watermark_key(world))
    if found is None or not _read_as(world, home).items() <= found.value.items():
        return None
    return datetime.fromisoformat(found.value["updated_at"]) - _OVERLAP


def _advance(world: World, lease: Lease, home: LabellingProject, newest: datetime | None) -> None:
    if newest is not None:
        lease.check()
        value = {**_read_as(world, home), "updated_at": newest.isoformat()}
        update(world.hot, _watermark_key(world), lambda _: value)


def _read_as(world: World, home: LabellingProject) -> dict[str, str]:
    return {"server": home.server, **digests({"interface": world.spec.interface.model_dump(mode="json")})}


def _watermark_key(world: World) -> str:
    return f"watermarks/{world.project}/collect.json"


def _chunks(tasks: Iterator[RemoteTask]) -> Iterator[list[RemoteTask]]:
    while chunk := list(islice(tasks, _CHUNK)):
        yield chunk


def _table(world: World, name: str, rows: Sequence[_Row]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=world.table(name).contract.schema)
