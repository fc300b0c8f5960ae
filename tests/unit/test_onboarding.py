"""The onboarding set: drawn once, from what experts answered, first in the queue, one opinion of everybody."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from labelloop.onboarding import due, onboarding_first, with_onboarding
from labelloop.redundancy import first_overlaps
from labelloop.spec import load_spec
from labelloop.unit_builders import Built
from labelloop.units import units_of_batch
from tests.builders.digits import SPEC, START
from tests.builders.rows import hex_id, rows_of

CHOSEN = pa.table(
    {
        "rank": pa.array([0, 1], pa.int64()),
        "stratum": ["exploit", "gold"],
        "strategy": ["margin", "random"],
        "acquisition_score": [0.9, None],
        "inclusion_probability": [None, 0.5],
        "reason": ["unsure", "gold: drawn"],
        "seed": pa.array([7, 7], pa.int64()),
    }
)
GOLD = pa.table({"ref_id": [hex_id(n) for n in range(1, 9)]})


def onboard(present: tuple[int, ...] = (), size: int = 3) -> Built:
    units = rows_of("units", [{"unit_id": hex_id(n), "purpose": "pilot", "ref_ids": [hex_id(n)]} for n in present])
    built = Built(CHOSEN, [[hex_id(0)], [hex_id(1)]])
    return with_onboarding(built, GOLD, units, size=size, seed=7)


def test_the_set_is_drawn_from_gold_that_the_batch_does_not_hold():
    built = onboard()
    drawn = [refs[0] for refs in built.members[2:]]
    assert len(set(drawn)) == 3
    assert set(drawn) <= {hex_id(n) for n in range(2, 9)}
    assert built == onboard()


def test_a_complete_set_stays_and_one_with_a_gap_is_filled():
    assert len(onboard(present=(2, 3, 4)).members) == 2
    assert len(onboard(present=(2, 3)).members) == 3
    assert hex_id(2) not in [refs[0] for refs in onboard(present=(2,), size=8).members[2:]]


def test_its_units_are_pilots_first_in_the_queue_and_asked_of_everybody_but_experts():
    built = onboard(size=1)
    places = onboarding_first(built.rows, np.array([0.3, 0.2, 0.9]))
    members = [[(refs[0], "v1")] for refs in built.members]
    units, batch = units_of_batch(built.rows, members, places, kind="single", project="p", round=2, at=START)
    assert units["purpose"].to_pylist() == ["label", "gold", "pilot"]
    assert batch["queue_score"].to_pylist() == [0.3, 0.2, 0.0]
    spec = load_spec(SPEC.replace("annotators: {count: 4}", "annotators: {count: 5, experts: 1}"))
    firsts = {row["strategy"]: row["first"] for row in first_overlaps(spec, batch).to_pylist()}
    assert firsts["onboarding"] == 4


def test_a_newcomer_is_due_the_set_and_nobody_else_is_asked_anything_by_it():
    firsts = pa.table({"unit_id": ["a", "b", "c"], "strategy": ["onboarding"] * 2 + ["margin"], "first": [3, 3, 2]})
    rows = [("a", 7, 2, "answered"), ("b", 8, 3, "open"), ("c", 9, 1, "open")]
    tasks = [dict(zip(("unit_id", "task_id", "overlap", "state"), row, strict=True)) for row in rows]
    assert due(firsts, rows_of("tasks", tasks)).to_pylist() == [{"unit_id": "a", "task_id": 7, "overlap": 3}]
