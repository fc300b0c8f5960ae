"""Consensus of a large project: only what is new is decided, and the labels are those of everything decided anew."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from labelloop.spec import load_spec
from tasks.adjudication import docket_of
from tasks.clients.rounds import save_round
from tasks.consensus import resolve_labels
from tests.builders.answers import answer
from tests.builders.digits import SPEC
from tests.builders.nights import EVENTS, ROUNDS, UNITS, chosen_in, newly_answered, record, world_of_rounds
from tests.builders.rows import hex_id, write
from tests.fakes.world import copy_of, under_lease


@pytest.fixture
def world(tmp_path):
    return world_of_rounds(tmp_path)


def tonight(world, **how):
    return under_lease(world, "consensus", resolve_labels, **{"many": 1} | how).counts


def labels(world):
    return (
        world.table("labels")
        .read()
        .drop_columns("updated_at")
        .sort_by([("unit_id", "ascending"), ("control", "ascending")])
    )


def ruled(world):
    """An expert rules in the reviewing project on a unit of a settled round."""
    reviewing = world.reviewing()
    write(reviewing, "annotators", [{"annotator": "a-expert", "level": "expert"}])
    table = reviewing.table("annotations")
    rows = [answer(hex_id(UNITS + 4), "a-expert", "dog", opinion_reason="review")]
    table.upsert(pa.Table.from_pylist(rows, schema=table.contract.schema), fence=lambda: None)


def became_expert(world):
    write(world, "annotators", [{"annotator": "a-cora", "level": "expert"}])


def settles(world):
    save_round(world.hot, world.project, record(ROUNDS, "closed"))


def label_lost(world):
    world.table("labels").delete("unit_id", [hex_id(UNITS + 7)], fence=lambda: None)


def learnt_lost(world):
    table = world.table("confusions")
    table.delete("confusion_id", table.read()["confusion_id"].to_pylist()[:1], fence=lambda: None)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["dawid-skene", "majority", "glad"])
def test_after_whatever_happens_the_labels_are_those_of_all_answers_decided_anew(world, tmp_path, method):
    world.spec = load_spec(f"{SPEC}\nconsensus: {{method: {method}}}\n")
    tonight(world)
    for event in (*EVENTS, ruled, label_lost, learnt_lost, became_expert, settles):
        event(world)
        anew = copy_of(world, tmp_path / event.__name__)
        tonight(world)
        tonight(anew, full=True)
        assert labels(world).equals(labels(anew)), event.__name__


def test_news_of_an_open_round_read_no_answer_to_a_settled_one_and_leave_its_labels(world):
    tonight(world)
    before, files = labels(world), world.hot.get(f"tallies/{world.project}/consensus.json").value["files"]
    old = [name for name, rounds in files.items() if set(rounds) <= {1, 2}]
    for name in old:
        (Path(world.table("annotations").uri) / name).unlink()
    newly_answered(world)
    assert tonight(world)["labels"] < before.num_rows
    settled = pa.array([hex_id(unit) for number in (1, 2) for unit in chosen_in(number)])
    was, now = (table.filter(pc.is_in(table["unit_id"], value_set=settled)) for table in (before, labels(world)))
    assert len(old) == 2
    assert was.equals(now)


def test_a_project_whose_answers_are_mostly_to_open_rounds_is_decided_as_a_small_one(world, tmp_path):
    write(world, "batches", [{"unit_id": hex_id(1000 + unit), "round": ROUNDS} for unit in range(3 * UNITS)])
    small = copy_of(world, tmp_path / "small")
    tonight(world)
    tonight(small, many=10_000)
    assert labels(world).equals(labels(small))
    assert world.table("confusions").version() is None


def test_what_becomes_of_conflicts_is_told_without_the_answers_to_units_that_are_none(world):
    chosen = [{"unit_id": hex_id(unit), "state": "answered"} for number in (1, 2, 3) for unit in chosen_in(number)]
    write(world, "tasks", [row | {"task_id": place} for place, row in enumerate(chosen)])
    references = world.table("references").read().to_pylist()
    shown = [{"ref_ids": [row["ref_id"]], "media_versions": [row["media_version"]]} for row in references]
    write(world, "units", [row | {"purpose": "label"} for row in shown])
    tonight(world)
    conflicts = world.table("labels").read(where=pc.field("state") == "conflict")["unit_id"]
    found = docket_of(world)
    answers = world.table("annotations")
    settled = pa.array([hex_id(unit) for unit in chosen_in(1)])
    others = pc.unique(settled.filter(pc.invert(pc.is_in(settled, value_set=conflicts.combine_chunks()))))
    answers.delete("unit_id", others.to_pylist(), fence=lambda: None)
    without = docket_of(world)
    assert others.to_pylist()
    assert found.ask_again.num_rows + found.for_expert.num_rows > 0
    assert (without.ask_again, without.for_expert) == (found.ask_again, found.for_expert)
