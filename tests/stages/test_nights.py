"""Nights of a large project: only open rounds are counted, and the figures are those of all answers counted anew."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from labelloop.clusters import lasting_clusters_of
from labelloop.night import agreement_rows, rows_of_tallies
from labelloop.rounds import Round
from labelloop.scoped_figures import Beside
from labelloop.tallies.answers import Known
from labelloop.tallies.counting import counted
from labelloop.tallies.tally import tally_rows
from tasks.clients.lake import Lake
from tasks.clients.rounds import save_round
from tasks.figures import figures_tonight
from tasks.tallies import tallies_of_all
from tests.builders.answers import NOW, answer
from tests.builders.rows import hex_id, rows_of, write
from tests.fakes.world import make_world, under_lease

PEOPLE, LABELS, UNITS, ROUNDS = ("a-anna", "a-ben", "a-cora"), ("cat", "dog", "eel"), 24, 3
STRATA = ("audit", "explore", "exploit")


def chosen_in(number):
    return range(number * UNITS, (number + 1) * UNITS)


@pytest.fixture
def world(tmp_path):
    """Three rounds, the first two of them closed; two units in three show a person who is in others, too."""
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


def tonight(world):
    return tally_rows(under_lease(world, "agreement", tallies_of_all))


def counted_anew(world):
    """All answers, counted in one go."""
    tables = {name: world.table(name).read() for name in ("annotations", "batches", "units", "references")}
    known = Known(tables["batches"], lasting_clusters_of(tables["units"], tables["references"]))
    return tally_rows(counted(tables["annotations"], known))


def settled(world):
    return sorted(map(int, world.hot.get(f"tallies/{world.project}.json").value["settled"]))


def newly_answered(world):
    write_answers(world, [said(unit, "a-cora") for unit in chosen_in(ROUNDS)])


def edited(world):
    rows = world.table("annotations").read().to_pylist()[:3]
    changed = [row | {"choices": ["eel"], "number": None, "updated_at": NOW + timedelta(days=30)} for row in rows]
    table = world.table("annotations")
    table.upsert(pa.Table.from_pylist(changed, schema=table.contract.schema), fence=lambda: None)


def deleted(world):
    table = world.table("annotations")
    rows = [row | {"state": "deleted", "choices": None} for row in table.read().to_pylist()[-2:]]
    table.upsert(pa.Table.from_pylist(rows, schema=table.contract.schema), fence=lambda: None)


def erased(world):
    for name in ("annotations", "batches", "units"):
        world.table(name).delete("unit_id", [hex_id(UNITS + 1), hex_id(2 * UNITS)], fence=lambda: None)
    world.table("annotations").purge(fence=lambda: None)


def answered_after_all(world):
    write_answers(world, [said(UNITS + 3, "a-cora")])


def of_no_round(world):
    write_answers(world, [said(2, "a-anna")])


def lost(world):
    world.table("tallies").delete("control", ["digit"], fence=lambda: None)


def nothing_new(world):
    pass


EVENTS = (newly_answered, edited, deleted, erased, answered_after_all, of_no_round, lost, nothing_new)


def test_after_whatever_happens_the_tallies_are_those_of_all_answers_counted_anew(world):
    tonight(world)
    for event in EVENTS:
        assert settled(world) == [1, 2]
        event(world)
        assert tonight(world).equals(counted_anew(world)), event.__name__


@pytest.mark.parametrize("many", [1, 10_000])
def test_figures_of_a_large_project_come_from_tallies_and_of_a_small_one_from_its_answers(world, many):
    figures = under_lease(world, "agreement", figures_tonight, ROUNDS, many=many)
    assert (world.table("tallies").version() is None) == (many > 1)
    scopes = {"project", "label", "predictions", "stratum", "window", "population", "change", "pair", "annotator"}
    assert set(figures["scope"].to_pylist()) == scopes
    assert set(figures["control"].to_pylist()) == {"digit", "stars"}


def test_news_of_an_open_round_read_no_answer_to_a_closed_one(world):
    tonight(world)
    version = world.table("tallies").version()
    old = [name for name, rounds in kept_files(world).items() if set(rounds) <= {1, 2}]
    for name in old:
        (Path(world.table("annotations").uri) / name).unlink()
    newly_answered(world)
    assert len(old) == 2
    assert tonight(world).num_rows
    assert world.table("tallies").version() == version


def kept_files(world):
    return world.hot.get(f"tallies/{world.project}.json").value["files"]


def test_a_round_that_closes_is_counted_once_more_and_then_no_longer(world):
    tonight(world)
    newly_answered(world)
    save_round(world.hot, world.project, record(ROUNDS, "closed"))
    assert tonight(world).equals(counted_anew(world))
    assert settled(world) == [1, 2, 3]


def test_counted_figures_are_those_of_the_answers_themselves(world):
    annotations, batches = (world.table(name).read() for name in ("annotations", "batches"))
    clusters = lasting_clusters_of(world.table("units").read(), world.table("references").read())
    settings = {"round": ROUNDS, "n_min": 5, "seed": 0, "at": NOW}
    found = rows_of_tallies(counted(annotations, Known(batches, clusters)), 24, **settings).to_pylist()
    wanted = agreement_rows(annotations, beside=Beside(batches, clusters=clusters), **settings).to_pylist()
    for table in (found, wanted):
        table[:] = [row for row in table if row["scope"] != "change" or row["metric"] == "prediction_effect"]
    names = [{row["figure_id"]: row for row in table} for table in (found, wanted)]
    assert names[0].keys() == names[1].keys()
    for name, row in names[0].items():
        other = names[1][name]
        assert row["value"] == pytest.approx(other["value"], abs=1e-12), row
        assert row["reason"] == other["reason"]
        counts = [name for name in ("n_annotators", "n_ratings", "n_units") if row["scope"] != "change"]
        assert [row[count] for count in counts] == [other[count] for count in counts], row
