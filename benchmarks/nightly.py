"""A night of a project with ten million answers and 10,000 new ones, beside counting all of them anew."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.measure import measured
from benchmarks.parts import Figures
from labelloop.contracts import contract
from labelloop.rounds import Round
from tasks.clients.lake import Lake
from tasks.clients.rounds import save_round
from tasks.clients.world import World
from tasks.figures import figures_tonight
from tests.fakes.world import make_world, under_lease

SEED: Final = 7
STORED: Final = (1_000_000, 2_000_000, 10_000_000)
QUICK: Final = (40_000, 80_000)
OF_ROUND: Final = 50_000
NEW: Final = 10_000
PER_UNIT: Final = 3
PEOPLE: Final = 20
LABELS: Final = np.array(["ant", "bee", "cat", "dog", "eel"])
SUBJECT: Final = 5  # units of one person
START: Final = datetime(2026, 1, 5, tzinfo=UTC)


def run(quick: bool) -> Figures:
    """Measure nights over 1, 2 and 10 million stored answers; quick: 40,000 and 80,000."""
    of_round = OF_ROUND // 10 if quick else OF_ROUND
    return {
        "title": "Nights",
        "about": [
            f"Figures of agreement of one question: stored answers in closed rounds of {of_round:,}, {PER_UNIT} to a",
            f"unit by {PEOPLE} annotators, {len(LABELS)} labels, {SUBJECT} units of each person; {NEW:,} new answers",
            "to an open round; a lake of Delta tables on the local disk, everything else in memory. Target: work",
            "grows with the new answers, and the figures are those of all answers counted anew.",
        ],
        "tables": {"10,000 new answers": [_nights(n, of_round) for n in (QUICK if quick else STORED)]},
    }


def _nights(stored: int, of_round: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        world = make_world(Path(folder), lake=Lake(f"{folder}/lake"))
        n_rounds = stored // of_round
        for number in range(1, n_rounds + 1):
            _round(world, number, of_round, "closed")
        tonight = partial(under_lease, world, "agreement", figures_tonight, n_rounds + 1, many=1)
        tonight()
        _round(world, n_rounds + 1, NEW, "open")
        night = measured(tonight)
        world.hot.delete(f"tallies/{world.project}.json")
        anew = measured(tonight)
    return {
        "stored answers": stored,
        "night, s": night.seconds,
        "CPU s": night.cpu_seconds,
        "added MiB": night.added_mib,
        "all counted anew, s": anew.seconds,
        "CPU s, anew": anew.cpu_seconds,
        "added MiB, anew": anew.added_mib,
        "same figures": "yes" if night.result.equals(anew.result) else "no",
    }


def _round(world: World, number: int, n: int, state: str) -> None:
    """Put a round of n answers, its units and their media into the lake."""
    n_units = n // PER_UNIT
    names = [f"{number:08x}{unit:024x}" for unit in range(n_units)]
    people = np.char.mod("%064x", np.arange(n_units) // SUBJECT + number * n_units)
    chosen = np.array(["audit", "explore", "exploit"])[np.arange(n_units) % 3]
    chance = [0.1 if stratum == "audit" else None for stratum in chosen]
    shown = [[name] for name in names]
    _append(world, "references", {"ref_id": names, "subject_hmac": people})
    units = {"unit_id": names, "purpose": "label", "kind": "single", "ref_ids": shown, "media_versions": shown}
    _append(world, "units", units)
    batch = {"unit_id": names, "round": number, "stratum": chosen, "strategy": "random"}
    _append(world, "batches", batch | {"inclusion_probability": chance})
    _append(world, "annotations", dict(_answers(number, np.array(names))))
    record = Round(number=number, state=state, seed=SEED, size=n_units, strategy="random", opened_at=START)  # type: ignore[arg-type]
    save_round(world.hot, world.project, record)


def _answers(number: int, names: NDArray[Any]) -> Iterator[tuple[str, Any]]:
    """Columns of answers to the units: three in ten are random, the rest right."""
    rng, unit = np.random.default_rng([SEED, number]), np.repeat(np.arange(len(names)), PER_UNIT)
    who = np.argsort(rng.random((len(names), PEOPLE)), axis=1)[:, :PER_UNIT].ravel()
    value = np.where(rng.random(len(unit)) < 0.3, rng.integers(5, size=len(unit)), unit % 5)
    at = [START + timedelta(days=7 * number, seconds=10 * int(second)) for second in unit]
    yield "annotation_id", [f"{number}-{place}" for place in range(len(unit))]
    yield "unit_id", names[unit]
    yield "annotator", np.array([f"a-{one:02d}" for one in range(PEOPLE)])[who]
    yield "choices", LABELS[value][:, None].tolist()
    yield "lead_time", rng.lognormal(1.0, 0.5, len(unit))
    yield "prediction_shown", rng.random(len(unit)) < 0.5
    yield from {
        "control": "digit",
        "control_type": "choices",
        "raw": "[]",
        "task_id": number,
        "state": "active",
    }.items()
    yield from {"opinion_reason": "planned", "guideline_version": "g", "created_at": at, "updated_at": at}.items()


def _append(world: World, table: str, columns: dict[str, Any]) -> None:
    """Append rows; a single value stands for a column of it, what is missing is null or plain."""
    schema = contract(table).schema
    n = max(len(column) for column in columns.values() if not isinstance(column, str | int))
    filled = [
        _column(columns[field.name] if field.name in columns else _plain(field), field.type, n) for field in schema
    ]
    world.table(table).append([pa.table(filled, schema=schema)], fence=lambda: None)


def _plain(field: pa.Field) -> Any:
    if field.nullable:
        return None
    plain = {pa.string(): "", pa.int64(): 0, pa.float64(): 0, pa.bool_(): False, pa.timestamp("us", "UTC"): START}
    return plain[field.type]


def _column(given: Any, kind: pa.DataType, n: int) -> pa.Array:
    single = given is None or isinstance(given, str | int | datetime)
    return pa.repeat(pa.scalar(given, kind), n) if single else pa.array(given, kind)
