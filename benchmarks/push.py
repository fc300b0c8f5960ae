"""Push against a real Label Studio: importing beside what the bare server takes, plans, scores replaced."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.measure import measured
from benchmarks.parts import Figures
from deployments.local.stack import Stack
from labelloop.project_settings import wanted_settings
from labelloop.push import importable
from labelloop.spec import load_spec
from tasks.clients.expectations import GreatExpectations, quiet_context
from tasks.clients.label_studio import connect_label_studio
from tasks.clients.settings import Settings
from tasks.clients.world import World
from tasks.push import push_round
from tasks.survey import survey, wanted_of
from tasks.task_import import import_tasks
from tests.builders.chosen_round import choose
from tests.builders.digits import SPEC
from tests.builders.rows import hex_id, write
from tests.builders.settings import make_settings
from tests.fakes.world import make_world, under_lease

BATCH: Final = 1_000  # tasks in a request of the bare client
PATIENCE: Final = 900.0  # seconds for one request with everything
_GIVEN: Final = ("s3_endpoint", "s3_access_key", "s3_secret_key", "label_studio_url", "label_studio_token")
Row = dict[str, Any]


def run(quick: bool) -> Figures:
    """Return the figures of part `push`."""
    tasks, waiting = (300, 100) if quick else (10_000, 1_000)
    quiet_context()  # so that no push pays for the import
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as (settings, seconds_of_server):
        rows = list(_measured(Path(folder), settings, seconds_of_server, tasks, waiting))
    by_name = {row["what"]: row["s"] for row in rows}
    bare = min(seconds for what, seconds in by_name.items() if what.startswith("bare"))
    return {
        "title": "Push",
        "about": [
            f"{tasks:,} tasks with a prediction each in a Label Studio of our own on SQLite, over loopback; the real",
            "contracts and a lake on the local disk. The bare client posts the same JSON, no more.",
            f"Importing reaches {bare / by_name['labelloop, import']:.0%} of its better rate; target: at least 90 %.",
            "Targets: a plan without changes below 5 s, 1,000 waiting tasks scored anew below 10 s. The server takes",
            "overlaps one by one, so their time is told apart.",
        ],
        "tables": {"Seconds of the whole, and of the server's processor": rows},
    }


def _measured(
    folder: Path, settings: Settings, server: Callable[[], float], tasks: int, waiting: int
) -> Iterator[Row]:
    world = _world(folder / "many", settings, tasks, overlap_share=0.0)
    wires, _ = importable(world.spec, wanted_of(world), lambda _: {})

    def timed(what: str, work: Callable[[], Any], repeat: int = 1) -> Row:
        before = server()
        seconds = measured(work, repeat).seconds
        return {"what": what, "s": round(seconds, 2), "server core s": round((server() - before) / repeat, 2)}

    bare = _Bare(settings, world)
    yield timed(f"bare client, {BATCH:,} in a request", lambda: bare.post([*wires.values()], BATCH), 2)
    yield timed("labelloop, import", lambda: _imported(world, bare.project(), wires), 2)
    yield timed("bare client, all in one request", lambda: bare.post([*wires.values()], tasks))
    yield timed("first push", lambda: _push(world))
    yield timed("plan, nothing changed", lambda: survey(world))
    yield timed("plan --full, nothing changed", lambda: survey(world, full=True))
    numbers = world.table("tasks").read(columns=["task_id"])["task_id"].to_pylist()[:20]
    yield timed("20 overlaps", lambda: [world.label_studio.set_overlap(number, 2) for number in numbers])
    other = _world(folder / "few", settings, waiting, overlap_share=0.0)
    _push(other)
    _new_model(other, waiting)
    yield timed(f"push, {waiting:,} waiting tasks scored anew", lambda: _push(other))


class _Bare:
    """A client that posts JSON and nothing else."""

    def __init__(self, settings: Settings, world: World) -> None:
        token = settings.label_studio_token.get_secret_value()
        self._client = httpx.Client(
            base_url=settings.label_studio_url,
            headers={"Authorization": f"Token {token}"},
            timeout=PATIENCE,
            trust_env=False,
        )
        self._world = world

    def project(self) -> int:
        """Return the number of a new, empty project."""
        return self._world.label_studio.create_project({**wanted_settings(self._world.spec), "description": "bench"})

    def post(self, tasks: list[Row], batch: int) -> None:
        """Import tasks into a new project."""
        address = f"/api/projects/{self.project()}/import?return_task_ids=true"
        for start in range(0, len(tasks), batch):
            self._client.post(address, json=tasks[start : start + batch]).raise_for_status()


@contextmanager
def _server(folder: Path) -> Iterator[tuple[Settings, Callable[[], float]]]:
    """Run servers of our own; gives their settings, and the processor seconds Label Studio has used so far."""
    stack = Stack(folder / "stack")
    try:
        statuses = {status.name: status for status in stack.up({"s3", "label-studio"})}
        given = {name: stack.variables[f"LABELLOOP_{name.upper()}"] for name in _GIVEN}
        stat = Path(f"/proc/{statuses['label-studio'].pid}/stat")
        yield make_settings(**given, timeout_seconds=PATIENCE), lambda: _processor_seconds(stat)
    finally:
        stack.down()


def _processor_seconds(stat: Path) -> float:
    user, system = stat.read_text(encoding="ascii").rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / 100


def _world(folder: Path, settings: Settings, tasks: int, *, overlap_share: float) -> World:
    """Return a world whose round is chosen and not pushed yet."""
    spec = load_spec(SPEC.replace("share: 0.2", f"share: {overlap_share}"))
    world = make_world(folder, spec, new_id=lambda: uuid.uuid4().hex, row_rules=GreatExpectations())
    world.settings, world.label_studio = settings, connect_label_studio(settings)
    choose(world, range(tasks), number=1)
    return world


def _imported(world: World, ls_project: int, wires: Row) -> None:
    under_lease(world, "import", import_tasks, ls_project, wires, newest=0)


def _push(world: World) -> None:
    under_lease(world, "push", push_round)


def _new_model(world: World, units: int) -> None:
    predictions = [
        {"ref_id": hex_id(u), "model_version": "m1", "media_version": "v1", "predicted": "1", "confidence": u / units}
        for u in range(units)
    ]
    write(world, "predictions", predictions)
    write(world, "models", [{"model_version": "m1", "promoted": True, "trained_on_erased": False}])
