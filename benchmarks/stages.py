"""Times every stage of one round: the real stages and contracts, a lake on the local disk, servers in memory.

So the figures are labelloop's own time; what S3 and Label Studio add is theirs, and shown by the demo.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.parts import Figures
from benchmarks.pools import Pool, real_digits, synthetic
from deployments.demo.held_out import truth_of_units
from deployments.demo.people import minds
from labelloop.summary import Summary
from tasks.adjudication import adjudicate_conflicts
from tasks.agreement import measure_agreement
from tasks.clients.expectations import GreatExpectations, quiet_context
from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.collect import collect_annotations
from tasks.consensus import resolve_labels
from tasks.export import publish_dataset
from tasks.push import push_round
from tasks.report import write_report
from tasks.retrain import retrain_model
from tasks.sample import choose_batch
from tasks.score import score_references
from tasks.sync import sync_references
from tests.fakes.label_studio import MemoryLabelStudio
from tests.fakes.media import MemoryMediaStore
from tests.fakes.world import lease_of, make_world

Stage = Callable[[World, Lease], Summary]
Row = dict[str, Any]
_BEFORE: tuple[tuple[str, Stage], ...] = (
    ("sync", sync_references),
    ("sync, nothing new", sync_references),
    ("score", score_references),
    ("sample", lambda world, lease: choose_batch(world, lease, {})),
    ("push", push_round),
)
_AFTER: tuple[tuple[str, Stage], ...] = (
    ("collect", collect_annotations),
    ("agreement", measure_agreement),
    ("consensus", resolve_labels),
    ("adjudication", adjudicate_conflicts),
    ("export", publish_dataset),
    ("retrain", retrain_model),
    ("score, new model", score_references),
    ("report", write_report),
)


SEED = 7


def run(quick: bool) -> Figures:
    """Time the stages on the digits and, unless quick, on 100,000 synthetic references."""
    logging.getLogger("prefect").setLevel(logging.ERROR)  # events have no server to go to
    start = time.perf_counter()
    quiet_context()  # so that no stage pays for the import
    importing = round(time.perf_counter() - start, 1)
    pools = [real_digits()] if quick else [real_digits(), synthetic(100_000, SEED)]
    return {
        "title": "Stage times",
        "about": [
            "The stages are the real ones with their contracts (Great Expectations and DuckDB) and a Delta lake on",
            "the local disk. S3 and Label Studio are in memory: this is labelloop's own time, one run. Importing",
            f"Great Expectations, once per process, took {importing} s more.",
        ],
        "tables": {f"{pool.name}: {len(pool.truth):,} references": _told(pool) for pool in pools},
        "seed": SEED,
    }


def _told(pool: Pool) -> list[Row]:
    """Return the rows of a pool, telling each on standard error as it comes."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for row in time_stages(pool, Path(folder)):
            print(f"{pool.name}: {row['stage']} {row['s']} s", file=sys.stderr)
            rows.append(row)
    return rows


def time_stages(pool: Pool, folder: Path) -> Iterator[Row]:
    """Turn the loop once over the pool and yield wall and processor seconds of each stage, in order."""
    world = _world(pool, folder)
    for name, stage in _BEFORE:
        yield _timed(world, name, stage)
    _annotate(world, pool.truth)
    for name, stage in _AFTER:
        yield _timed(world, name, stage)


def _world(pool: Pool, folder: Path) -> World:
    media = MemoryMediaStore(page=1000)
    for bucket in (pool.spec.media.bucket, "lake"):
        media.make_bucket(bucket)
    for key, data in pool.media:
        media.write(pool.spec.media.bucket, key, data, content_type="image/png")
    clients = {"media": media, "label_studio": MemoryLabelStudio(), "row_rules": GreatExpectations()}
    return make_world(folder, pool.spec, on_disk=True, **clients)


def _timed(world: World, name: str, stage: Stage) -> Row:
    lease, wall, processor = lease_of(world, name), time.perf_counter(), time.process_time()
    summary = stage(world, lease)
    seconds, cpu = time.perf_counter() - wall, time.process_time() - processor
    return {"stage": name, "s": round(seconds, 3), "CPU s": round(cpu, 3), "did": summary.line()}


def _annotate(world: World, truth: dict[str, str]) -> None:
    """Let the demo's annotators answer all that is handed out, one after the other."""
    record = world.hot.get(f"label-studio/{world.project}.json")
    number = record.value["ls_project"] if record else 0
    question, answers = world.spec.interface.questions[0], truth_of_units(world, truth)
    place = {"from_name": question.name, "to_name": world.spec.interface.media, "type": "choices"}
    for mind in minds():
        session = world.label_studio.annotator(f"{mind.name}@labelloop.test", "")
        while task := session.next_task(number):
            value = mind.answer(task.unit_id, answers[task.unit_id], sorted(set(truth.values())))
            result = [{**place, "value": {"choices": [value]}}]
            session.submit(task.task_id, result, lead_time=3.0, key=f"{mind.name}/{task.task_id}")
