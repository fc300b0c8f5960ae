"""A project of three rounds on disk, and what may happen to its answers between two nights."""

from __future__ import annotations

import random
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.rounds import Round
from tasks.clients.lake import Lake
from tasks.clients.rounds import save_round
from tests.builders.answers import NOW, answer
from tests.builders.rows import hex_id, rows_of, write
from tests.fakes.world import make_world

PEOPLE, LABELS, UNITS, ROUNDS = ("a-anna", "a-ben", "a-cora"), ("cat", "dog", "eel"), 24, 3
STRATA = ("audit", "explore", "exploit")


def chosen_in(number):
    return range(number * UNITS, (number + 1) * UNITS)


def world_of_rounds(tmp_path):
    """Three rounds, the first two of them settled; two units in three show a person who is in others, too."""
    made = make_world(tmp_path, lake=Lake(str(tmp_path / "lake")))
    every = range(UNITS * (ROUNDS + 1))
    people = [f"{unit // 2 % 20:064x}" if unit % 3 else None for unit in every]
    write(made, "references", [{"subject_hmac": who} for who in people])
    write(made, "units", [{"ref_ids": [hex_id(unit)], "purpose": "label"} for unit in every])
    chosen = [{"round": unit // UNITS, "stratum": STRATA[unit % 3]} for unit in every]
    chances = [{**row, "inclusion_probability": 0.25 if row["stratum"] == "audit" else None} for row in chosen]
    rows = rows_of("batches", chances)
    made.table("batches").upsert(rows.filter(pc.greater(rows["round"], 0)), fence=lambda: None)
    for number in range(1, ROUNDS + 1):
        save_round(made.hot, made.project, record(number, "open" if number == ROUNDS else "closed"))
        write_answers(made, [said(unit, who) for unit in chosen_in(number) for who in PEOPLE[:2]])
    write_answers(made, [said(unit, who) for unit in chosen_in(0) for who in PEOPLE[1:]])
    return made


def record(number, state):
    return Round(number=number, state=state, seed=0, size=UNITS, strategy="random", opened_at=NOW)


def said(unit, who, label=None, **changes):
    """What somebody says of a unit: the right label, but for one time in three."""
    drawn = random.Random(f"{unit} {who}")
    right = LABELS[unit % 3] if drawn.random() < 0.7 else drawn.choice(LABELS)
    at = NOW + timedelta(days=unit // 12, seconds=30 * drawn.randrange(300))
    given = {"updated_at": at, "lead_time": drawn.uniform(1, 9), "prediction_shown": drawn.random() < 0.5}
    stars = {"control": "stars", "control_type": "rating", "choices": None, "number": float(1 + len(right + who) % 4)}
    given |= stars if drawn.random() < 0.2 else {}
    return answer(hex_id(unit), who, label or right, **{**given, **changes})


def write_answers(world, rows):
    """In a data file of their own, as a collect does that finds nothing changed."""
    table = world.table("annotations")
    table.append([pa.Table.from_pylist(rows, schema=table.contract.schema)], fence=lambda: None)


def newly_answered(world):
    write_answers(world, [said(unit, "a-cora") for unit in chosen_in(ROUNDS)])


def edited(world):
    change(world, slice(0, 3), choices=["eel"], number=None, updated_at=NOW + timedelta(days=30))


def deleted(world):
    change(world, slice(-2, None), state="deleted", choices=None)


def change(world, which, **columns):
    replace(world, [row | columns for row in world.table("annotations").read().to_pylist()[which]])


def replace(world, rows):
    table = world.table("annotations")
    table.upsert(pa.Table.from_pylist(rows, schema=table.contract.schema), fence=lambda: None)


def erased(world):
    for name in ("annotations", "batches", "units"):
        world.table(name).delete("unit_id", [hex_id(UNITS + 1), hex_id(2 * UNITS)], fence=lambda: None)
    world.table("annotations").purge(fence=lambda: None)


def answered_after_all(world):
    write_answers(world, [said(UNITS + 3, "a-cora")])


def of_no_round(world):
    write_answers(world, [said(2, "a-anna")])


def not_planned(world):
    change(world, slice(3, 6), opinion_reason="adaptive")


def renamed(world):
    """A label has another name, in all answers that had the old one."""
    rows = world.table("annotations").read().to_pylist()
    replace(world, [row | {"choices": ["moray"]} for row in rows if row["choices"] == ["eel"]])


def asked_anew(world):
    """The newest round answers another question, too."""
    asked = {"control": "hour", "control_type": "datetime", "choices": None, "number": None}
    rows = [said(unit, who, text=LABELS[unit % 3], **asked) for unit in chosen_in(ROUNDS) for who in PEOPLE]
    write_answers(world, rows)


def nothing_new(world):
    pass


EVENTS = (
    *(newly_answered, edited, deleted, erased, answered_after_all, of_no_round),
    *(not_planned, renamed, asked_anew, nothing_new),
)
