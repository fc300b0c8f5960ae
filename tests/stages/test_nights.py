"""Nights of a large project: settled rounds are counted once, and figures are those of all answers counted anew."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from labelloop.clusters import lasting_clusters_of
from labelloop.night import agreement_rows, rows_of_tallies
from labelloop.rounds import LATE
from labelloop.scoped_figures import Beside
from labelloop.tallies.answers import Known
from labelloop.tallies.counting import counted
from labelloop.tallies.tally import tally_rows
from tasks.answers_by_round import AnswersByRound
from tasks.clients.rounds import save_round
from tasks.consensus import resolve_labels
from tasks.figures import figures_tonight
from tasks.tallies import kept_of_tallies, tallies_of_all
from tests.builders.answers import NOW
from tests.builders.nights import EVENTS, PEOPLE, ROUNDS, newly_answered, record, world_of_rounds
from tests.builders.rows import write
from tests.fakes.world import copy_of, under_lease


@pytest.fixture
def world(tmp_path):
    return world_of_rounds(tmp_path)


def tonight(world):
    answers = AnswersByRound(world, kept_of_tallies(world).files)
    return tally_rows(under_lease(world, "agreement", tallies_of_all, answers))


def counted_anew(world):
    """All answers, counted in one go."""
    tables = {name: world.table(name).read() for name in ("annotations", "batches", "units", "references")}
    known = Known(tables["batches"], lasting_clusters_of(tables["units"], tables["references"]))
    return tally_rows(counted(tables["annotations"], known))


def settled(world):
    return sorted(map(int, world.hot.get(f"tallies/{world.project}.json").value["settled"]))


def lost(world):
    world.table("tallies").delete("control", ["digit"], fence=lambda: None)


def test_after_whatever_happens_the_tallies_are_those_of_all_answers_counted_anew(world):
    tonight(world)
    for event in (*EVENTS, lost):
        assert settled(world) == [1, 2]
        event(world)
        assert tonight(world).equals(counted_anew(world)), event.__name__


@pytest.mark.parametrize("many", [1, 10_000])
def test_figures_of_a_large_project_come_from_tallies_and_of_a_small_one_from_its_answers(world, many):
    figures = under_lease(world, "agreement", figures_tonight, ROUNDS, many=many).agreement
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


def test_a_round_is_counted_every_night_until_it_is_closed_for_some_time(world):
    tonight(world)
    newly_answered(world)
    closed = record(ROUNDS, "closed").model_copy(update={"closed_at": world.now()})
    save_round(world.hot, world.project, closed)
    for passed, rounds in ((timedelta(0), [1, 2]), (LATE, [1, 2, 3])):
        world.now.advance(days=passed.days)
        assert tonight(world).equals(counted_anew(world))
        assert settled(world) == rounds


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


@pytest.mark.slow
def test_after_whatever_happens_figures_of_annotators_are_those_of_all_answers_counted_anew(world, tmp_path):
    write(world, "annotators", [{"annotator": who} for who in PEOPLE])
    for event in (*EVENTS, became_expert):
        under_lease(world, "consensus", resolve_labels, many=1)
        event(world)
        anew = copy_of(world, tmp_path / event.__name__)
        assert people(world).equals(people(anew, full=True)), event.__name__


def became_expert(world):
    write(world, "annotators", [{"annotator": PEOPLE[0], "level": "expert"}])


def people(world, **how):
    return under_lease(world, "agreement", figures_tonight, ROUNDS, **{"many": 1} | how).annotators


def test_counted_figures_of_annotators_are_those_of_the_answers_themselves(world):
    write(world, "annotators", [{"annotator": who} for who in PEOPLE])
    under_lease(world, "consensus", resolve_labels, many=1)
    for found, wanted in zip(people(world).to_pylist(), people(world, many=10_000).to_pylist(), strict=True):
        assert found["accuracy"] is not None
        assert found["accepted"] > 0
        for spent in ("hours", "median_seconds"):  # told to a hundredth of their logarithm
            assert found.pop(spent) == pytest.approx(wanted.pop(spent), rel=0.01)
        for same in ("confusion", "measured_at"):
            assert found.pop(same) == wanted.pop(same)
        assert found == pytest.approx(wanted, abs=1e-9)
