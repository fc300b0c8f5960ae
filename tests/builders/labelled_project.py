"""A project after a round: media, references, units, tasks, answers, labels, a training set, a model."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from labelloop.contracts import Refusal, contract
from tasks.clients.datasets import point_to, write_files
from tasks.clients.lease import hold
from tasks.clients.quarantine import quarantine
from tasks.clients.world import World
from tasks.labelling_project import ensure_project
from tasks.sync import sync_references
from tests.builders.rows import hex_id, rows_of, write

N = 8
PNG = b"\x89PNG\r\n\x1a\n"
# Unit number N asks about two references at once.
PAIR = (3, 4)


@dataclass(frozen=True)
class Labelled:
    """Names of what was made, by number of the subject."""

    ref_ids: list[str]
    unit_ids: list[str]
    task_ids: list[int]
    ls_project: int
    dataset: str


def key_of(number: int) -> str:
    return f"digits/subject-{number:02d}/a.png"


def labelled_project(world: World, n: int = N) -> Labelled:
    """Fill the world: n subjects with one image each, of two versions, and everything a round makes of them."""
    for number in range(n):
        for version in (b"old", b"new"):
            world.media.write(world.spec.media.bucket, key_of(number), PNG + version, content_type="image/png")
    with hold(world.hot, f"{world.project}/sync", seconds=60, wait_seconds=0) as lease:
        sync_references(world, lease)
    references = {row["key"]: row for row in world.table("references").read().to_pylist()}
    rows = [references[key_of(number)] for number in range(n)]
    ref_ids = [row["ref_id"] for row in rows]
    unit_ids = [hex_id(number) for number in range(n + 1)]
    members = [(number,) for number in range(n)] + [PAIR]
    write(
        world,
        "units",
        [
            {
                "unit_id": unit,
                "kind": "single" if len(who) == 1 else "pair",
                "ref_ids": [ref_ids[i] for i in who],
                "media_versions": [rows[i]["media_version"] for i in who],
            }
            for unit, who in zip(unit_ids, members, strict=True)
        ],
    )
    ls_project, task_ids = _tasks(world, unit_ids, members)
    soft = {"control": "digit", "classes": ["0", "1"], "probabilities": [0.9, 0.1], "confidence": 0.9, "n": 1}
    _per_unit(world, unit_ids, task_ids, ls_project, soft)
    write(
        world,
        "predictions",
        [{"ref_id": ref, "media_version": row["media_version"]} for ref, row in zip(ref_ids, rows, strict=True)],
    )
    refusal = Refusal("predictions", ref_ids[3], "required", payload={"ref_id": ref_ids[3], "confidence": None})
    other = Refusal("predictions", ref_ids[0], "required", payload={"ref_id": ref_ids[0], "confidence": None})
    with hold(world.hot, f"{world.project}/score", seconds=60, wait_seconds=0) as lease:
        quarantine(world, lease, [refusal, other], stage="score")
    dataset = _training_set(world, rows, unit_ids, soft)
    return Labelled(ref_ids, unit_ids, task_ids, ls_project, dataset)


def _tasks(world: World, unit_ids: list[str], members: list[tuple[int, ...]]) -> tuple[int, list[int]]:
    with hold(world.hot, f"{world.project}/push", seconds=60, wait_seconds=0) as lease:
        number = ensure_project(world, lease).ls_project
    data = [
        {"data": {"unit": unit, "ref": unit, "image": f"s3://{world.spec.media.bucket}/{key_of(who[0])}"}}
        for unit, who in zip(unit_ids, members, strict=True)
    ]
    return number, world.label_studio.import_tasks(number, data)


def _per_unit(world: World, unit_ids: list[str], task_ids: list[int], ls_project: int, soft: dict) -> None:
    pairs = list(zip(unit_ids, task_ids, strict=True))
    write(world, "batches", [{"unit_id": unit} for unit in unit_ids])
    write(world, "tasks", [{"unit_id": u, "task_id": t, "ls_project": ls_project, "overlap": 1} for u, t in pairs])
    write(world, "annotations", [{"unit_id": u, "task_id": t, "annotation_id": f"a-{t}"} for u, t in pairs])
    write(world, "labels", [{"unit_id": unit, "label": "0", "state": "accepted", **soft} for unit in unit_ids])


def _training_set(world: World, references: list[dict], unit_ids: list[str], soft: dict) -> str:
    rows = rows_of(
        "training_set",
        [
            {
                "ref_id": row["ref_id"],
                "unit_id": unit,
                "media_uri": f"s3://{row['bucket']}/{row['key']}",
                "media_version": row["media_version"],
                "label": "0",
                **soft,
            }
            for row, unit in zip(references, unit_ids, strict=False)
        ],
    )
    made = write_files(world, rows.cast(contract("training_set").schema), round=1, agreement="0.9", lineage={})
    world.table("datasets").upsert(
        pa.Table.from_pylist([made], schema=contract("datasets").schema), fence=lambda: None
    )
    point_to(world, made["dataset_version"])
    write(world, "models", [{"dataset_version": made["dataset_version"], "promoted": True}, {"promoted": False}])
    return made["dataset_version"]
