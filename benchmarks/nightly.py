"""A night of a project with up to ten million answers and 10,000 new ones, beside a night that does all anew."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from benchmarks.measure import Measured, measured
from benchmarks.parts import Figures
from labelloop.contracts import contract
from labelloop.rounds import Round
from tasks.clients.lake import Lake
from tasks.clients.rounds import save_round
from tasks.clients.world import World
from tasks.consensus import resolve_labels
from tasks.figures import figures_tonight
from tests.fakes.world import make_world, under_lease

SEED: Final = 7
STORED: Final = (1_000_000, 2_000_000, 10_000_000)
QUICK: Final = (40_000, 80_000)
AT_ONCE: Final = 2_000_000  # answers; more are not resolved at once in the memory of a small machine
OF_ROUND: Final = 50_000
NEW: Final = 10_000
PER_UNIT: Final = 3
PEOPLE: Final = pa.array([f"a-{one:02d}" for one in range(20)])
LABELS: Final = pa.array(["ant", "bee", "cat", "dog", "eel"])
SUBJECT: Final = 5  # units of one person
START: Final = datetime(2026, 1, 5, tzinfo=UTC)
Step = Callable[..., Any]


def run(quick: bool) -> Figures:
    """Measure nights over 1, 2 and 10 million stored answers; quick: 40,000 and 80,000."""
    of_round = OF_ROUND // 10 if quick else OF_ROUND
    found = [_nights(stored, of_round) for stored in (QUICK if quick else STORED)]
    return {
        "title": "Nights",
        "about": [
            f"One question: stored answers in settled rounds of {of_round:,}, {PER_UNIT} to a unit by {len(PEOPLE)}",
            f"annotators, {len(LABELS)} labels, {SUBJECT} units of each person; {NEW:,} new answers to an open",
            "round; a lake of Delta tables on the local disk, all else in memory. Figures of annotators are in",
            "`agreement`; `consensus` is Dawid-Skene. Target: work grows with the new answers, and what is found is",
            "what all answers give that are counted and decided anew: `differs` is the greatest difference of any",
            "figure, the number of labels that are not the same row. Consensus learns what annotators confuse from",
            "settled rounds; the second table says which labels all answers at once would give otherwise.",
        ],
        "tables": {
            f"{NEW:,} new answers": [line for lines, _ in found for line in lines],
            "Learnt from all answers at once": [line for _, others in found for line in others],
        },
    }


def _nights(stored: int, of_round: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    with tempfile.TemporaryDirectory() as folder:
        world, n_rounds = make_world(Path(folder), lake=Lake(f"{folder}/lake")), stored // of_round
        _append(world, "annotators", len(PEOPLE), {"annotator": PEOPLE, "level": "annotator"})
        for number in range(1, n_rounds + 1):
            _round(world, number, of_round, "closed")
        figures = partial(under_lease, world, "agreement", partial(figures_tonight, round=n_rounds + 1, many=1))
        labels = partial(under_lease, world, "consensus", partial(resolve_labels, many=1))
        figures(), labels()
        _round(world, n_rounds + 1, NEW, "open")
        lines = [
            _line(stored, "agreement", figures, _numbers, _greatest),
            _line(stored, "consensus", labels, lambda _: _labels(world), _rows_apart),
        ]
        if stored > AT_ONCE:
            return lines, []
        before = _labels(world)
        labels(many=10 * stored)
        return lines, [_otherwise(stored, before, _labels(world))]


def _line(stored: int, stage: str, step: Step, read: Step, differ: Step) -> dict[str, Any]:
    night, found = _kept(step, read)
    anew, wanted = _kept(partial(step, full=True), read)
    return {
        "stored answers": stored,
        "stage": stage,
        "night, s": night.seconds,
        "CPU s": night.cpu_seconds,
        "added MiB": night.added_mib,
        "all anew, s": anew.seconds,
        "CPU s, anew": anew.cpu_seconds,
        "added MiB, anew": anew.added_mib,
        "times the CPU": anew.cpu_seconds / night.cpu_seconds,
        "differs": differ(found, wanted),
    }


def _kept(step: Step, read: Step) -> tuple[Measured, Any]:
    """What a step took, and what it found."""
    done = measured(step)
    return done._replace(result=None), read(done.result)


def _numbers(found: Any) -> NDArray[np.float64]:
    """The numbers of all figures of agreement and of annotators, by name."""
    people = found.annotators.sort_by("annotator")
    kept = [name for name in people.column_names if pa.types.is_floating(people[name].type)]
    named = [found.agreement.sort_by("figure_id").select(["value", "low", "high"]), people.select(kept)]
    columns = [column.to_numpy() for table in named for column in table.columns]
    return np.concatenate(columns).astype(np.float64)


def _greatest(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The greatest difference; infinite where only one of two is there."""
    apart = np.where(np.isnan(one) & np.isnan(other), 0.0, np.abs(one - other))
    return float(np.nan_to_num(apart, nan=np.inf).max(initial=0.0)) if len(one) == len(other) else np.inf


def _labels(world: World) -> pa.Table:
    rows = world.table("labels").read(columns=["unit_id", "label", "confidence", "probabilities", "state"])
    rows = rows.set_column(1, "label", pc.fill_null(rows["label"], ""))
    return rows.sort_by("unit_id").combine_chunks()


def _rows_apart(one: pa.Table, other: pa.Table) -> int:
    soft = [table["probabilities"].combine_chunks().flatten().to_numpy() for table in (one, other)]
    n_classes = len(soft[0]) // max(one.num_rows, 1)
    same = (soft[0] == soft[1]).reshape(-1, n_classes).all(axis=1)
    for name in ("unit_id", "label", "confidence", "state"):
        same &= pc.equal(one[name], other[name]).to_numpy()
    return int((~same).sum())


def _otherwise(stored: int, found: pa.Table, wanted: pa.Table) -> dict[str, Any]:
    confidence = np.abs(found["confidence"].to_numpy() - wanted["confidence"].to_numpy())
    return {
        "stored answers": stored,
        "labels": found.num_rows,
        "another label": pc.sum(pc.not_equal(found["label"], wanted["label"])).as_py(),
        "another state": pc.sum(pc.not_equal(found["state"], wanted["state"])).as_py(),
        "greatest difference of a confidence": float(confidence.max()),
        "mean difference": float(confidence.mean()),
    }


def _round(world: World, number: int, n: int, state: str) -> None:
    """Put a round of n answers, its units and their media into the lake."""
    n_units = n // PER_UNIT
    unit = np.arange(n_units)
    names = _digits(number * 10**8 + unit, 32)
    shown = pa.ListArray.from_arrays(np.arange(n_units + 1, dtype=np.int32), names)
    people = _digits(number * n_units + unit // SUBJECT, 64)
    chosen = pa.array(["audit", "explore", "exploit"]).take(pa.array(unit % 3))
    chance = pa.array(np.full(n_units, 0.1), mask=unit % 3 != 0)
    _append(world, "references", n_units, {"ref_id": names, "subject_hmac": people})
    units = {"unit_id": names, "purpose": "label", "kind": "single", "ref_ids": shown, "media_versions": shown}
    _append(world, "units", n_units, units)
    batch = {"unit_id": names, "round": number, "stratum": chosen, "strategy": "random"}
    _append(world, "batches", n_units, batch | {"inclusion_probability": chance})
    _append(world, "annotations", n_units * PER_UNIT, _answers(number, names))
    record = Round(number=number, state=state, seed=SEED, size=n_units, strategy="random", opened_at=START)  # type: ignore[arg-type]
    save_round(world.hot, world.project, record)


def _answers(number: int, names: pa.Array) -> dict[str, Any]:
    """Columns of answers to the units: three in ten are random, the rest right."""
    rng, unit = np.random.default_rng([SEED, number]), np.repeat(np.arange(len(names)), PER_UNIT)
    n, n_labels = len(unit), len(LABELS)
    who = np.argsort(rng.random((len(names), len(PEOPLE))), axis=1)[:, :PER_UNIT].ravel()
    value = np.where(rng.random(n) < 0.3, rng.integers(n_labels, size=n), unit % n_labels)
    at = pa.array(np.datetime64(START.replace(tzinfo=None), "us") + (number * 604_800 + 10 * unit) * 1_000_000)
    return {
        "annotation_id": _digits(number * 10**8 + np.arange(n), 12),
        "unit_id": names.take(pa.array(unit)),
        "annotator": PEOPLE.take(pa.array(who)),
        "choices": pa.ListArray.from_arrays(np.arange(n + 1, dtype=np.int32), LABELS.take(pa.array(value))),
        "lead_time": pa.array(rng.lognormal(1.0, 0.5, n).round(3)),
        "prediction_shown": pa.array(rng.random(n) < 0.5),
        **{"control": "digit", "control_type": "choices", "raw": "[]", "task_id": number, "state": "active"},
        **{"opinion_reason": "planned", "guideline_version": "g", "created_at": at, "updated_at": at},
    }


def _digits(numbers: Any, width: int) -> pa.Array:
    return pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")


def _append(world: World, table: str, n: int, columns: dict[str, Any]) -> None:
    """Append n rows; a single value stands for a column of it, what is missing is null or plain."""
    schema = contract(table).schema
    filled = [_column(columns.get(field.name, _plain(field)), field.type, n) for field in schema]
    world.table(table).append([pa.table(filled, schema=schema)], fence=lambda: None)


def _plain(field: pa.Field) -> Any:
    if field.nullable:
        return None
    plain = {pa.string(): "", pa.int64(): 0, pa.float64(): 0, pa.bool_(): False, pa.timestamp("us", "UTC"): START}
    return plain.get(field.type, [])


def _column(given: Any, kind: pa.DataType, n: int) -> pa.Array:
    return given.cast(kind) if isinstance(given, pa.Array) else pa.repeat(pa.scalar(given, kind), n)
