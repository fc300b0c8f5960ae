"""Push against a real Label Studio: importing beside what the bare server takes, plans, scores replaced."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
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
from tasks.clients.lease import Lease
from tasks.clients.settings import Settings
from tasks.clients.world import World
from tasks.in_flight import for_each
from tasks.push import push_round
from tasks.survey import survey, wanted_of
from tasks.task_import import import_tasks
from tests.builders.chosen_round import choose
from tests.builders.digits import SPEC
from tests.builders.rows import hex_id, write
from tests.builders.settings import make_settings
from tests.fakes.world import make_world, under_lease

BATCH: Final = 1_000  # tasks in a request of the bare client
OVERLAPS: Final = 200
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
    share = by_name["bare client, import"] / by_name["labelloop, import"]
    return {
        "title": "Push",
        "about": [
            f"{tasks:,} tasks with a prediction each in a Label Studio of our own on SQLite, over loopback; the real",
            "contracts and a lake on the local disk. The bare client posts the same JSON, no more.",
            f"Importing, {BATCH:,} in a request and in turn with it, reaches {share:.0%} of its rate; target: 90 %.",
            "Targets: a plan without changes below 5 s, 1,000 waiting tasks scored anew below 10 s. The server takes",
            "overlaps one by one, and push has four of them under way, so their time is told apart.",
        ],
        "tables": {"Seconds of the whole, and of the server's processor": rows},
    }


def _measured(
    folder: Path, settings: Settings, server: Callable[[], float], tasks: int, waiting: int
) -> Iterator[Row]:
    world = _world(folder / "many", settings, tasks, overlap_share=0.0)
    wires, _ = importable(world.spec, wanted_of(world), lambda _: {})

    def timed(what: str, work: Callable[[], Any]) -> Row:
        before = server()
        seconds = measured(work).seconds
        return {"what": what, "s": round(seconds, 2), "server core s": round(server() - before, 2)}

    bare, parts = _Bare(settings, world), [dict(part) for part in _parts(wires)]
    theirs, ours = bare.project(), bare.project()
    # In turn, so that whatever else the machine does slows both down alike.
    pairs = [
        (timed("", lambda p=part: bare.post(theirs, p)), timed("", lambda p=part: _imported(world, ours, p)))
        for part in parts
    ]
    for what, rows in zip(("bare client, import", "labelloop, import"), zip(*pairs, strict=True), strict=True):
        yield {"what": what} | {name: round(sum(row[name] for row in rows), 2) for name in ("s", "server core s")}
    yield timed("first push", lambda: _push(world))
    yield timed("plan, nothing changed", lambda: survey(world))
    yield timed("plan --full, nothing changed", lambda: survey(world, full=True))
    numbers = world.table("tasks").read(columns=["task_id"])["task_id"].to_pylist()[:OVERLAPS]
    yield timed(f"{OVERLAPS} overlaps, one by one", lambda: [world.label_studio.set_overlap(n, 2) for n in numbers])
    yield timed(f"{OVERLAPS} overlaps, as push sets them", lambda: under_lease(world, "overlaps", _raise, numbers))
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

    def post(self, ls_project: int, tasks: Mapping[str, Row]) -> None:
        """Import tasks into a project in one request."""
        address = f"/api/projects/{ls_project}/import?return_task_ids=true"
        self._client.post(address, json=[*tasks.values()]).raise_for_status()


def _parts(wires: Mapping[str, Row]) -> Iterator[list[tuple[str, Row]]]:
    items = list(wires.items())
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))


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
    world = make_world(folder, spec, on_disk=True, new_id=lambda: uuid.uuid4().hex, row_rules=GreatExpectations())
    world.settings, world.label_studio = settings, connect_label_studio(settings)
    choose(world, range(tasks), number=1)
    return world


def _imported(world: World, ls_project: int, wires: Mapping[str, Row]) -> None:
    under_lease(world, "import", import_tasks, ls_project, wires, newest=0)


def _push(world: World) -> None:
    under_lease(world, "push", push_round)


def _raise(world: World, lease: Lease, numbers: list[int]) -> None:
    for_each(lease, numbers, lambda number: world.label_studio.set_overlap(number, 3), "overlaps")


def _new_model(world: World, units: int) -> None:
    predictions = [
        {"ref_id": hex_id(u), "model_version": "m1", "media_version": "v1", "predicted": "1", "confidence": u / units}
        for u in range(units)
    ]
    write(world, "predictions", predictions)
    write(world, "models", [{"model_version": "m1", "promoted": True, "trained_on_erased": False}])
