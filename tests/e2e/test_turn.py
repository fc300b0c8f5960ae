"""One whole turn of the demo on the real servers: what it leaves in the lake, and that a second run adds nothing."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

import tasks.stage
from deployments.demo.loop import Demo
from deployments.demo.narration import Narration
from deployments.demo.people import ERROR_RATES
from deployments.demo.summary import TABLES, figures_of, newest_report
from labelloop.spec import load_spec
from tasks.clients.s3 import connect
from tasks.clients.world import open_world
from tests.fakes.world import SeededIds

pytestmark = [pytest.mark.e2e, pytest.mark.integration]


@pytest.fixture(scope="module")
def turned(stack, label_studio, prefect, tmp_path_factory):
    """A project of 200 digits after one round with a batch of 45, in a lake and a bucket of its own.

    Its ids are those of every run, and the bucket keeps no versions, whose names are random: of other ones, one draw
    in 500 is an overlap of units on which the annotators agree too little.
    """
    folder = tmp_path_factory.mktemp("projects")
    spec = load_spec(Path("deployments/projects/digits.yaml").read_text(encoding="utf-8"))
    small = spec.model_dump(mode="json") | {"name": "small", "title": "A small turn"}
    small["media"] |= {"bucket": "small-turn"}
    connect(label_studio).create_bucket(Bucket="small-turn")
    small["sampling"] |= {"batch_size": 45}
    small["overlap"] |= {"share": 0.4}
    (folder / "small.yaml").write_text(json.dumps(small), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        variables = {**stack.variables, "LABELLOOP_PROJECTS_DIR": str(folder)}
        variables["LABELLOOP_LAKE_URI"] += "/one-turn"
        for name, value in variables.items():
            patch.setenv(name, value)
        ids = SeededIds()
        patch.setattr(tasks.stage, "open_world", lambda name: replace(open_world(name), new_id=ids))
        demo = Demo(
            open_world("small"), Narration(), stack.credentials.label_studio_password, 1, images=200, deployed=False
        )
        demo.run()
        yield demo


def test_every_stage_left_something_behind(turned):
    empty = [name for name in TABLES if turned.world.table(name).read().num_rows == 0]
    assert empty == ["quarantine"]


def test_the_summary_has_a_figure_for_every_demand(turned):
    figures = figures_of(turned.world)
    assert figures["rounds"] == [{"round": 1, "units": 44, "annotations": figures["rounds"][0]["annotations"]}]
    assert {row["scope"] for row in figures["agreement"]} >= {"project", "pair", "annotator", "label"}
    assert len(figures["annotators"]) == len(ERROR_RATES)
    assert {row["evidence"] for row in figures["accuracy"]} == {"audit", "truth of all audit members"}
    assert figures["comparison"][0]["n"] == 10
    assert figures["erasure"] == {"receipts": 1}
    assert figures["models"]["trained"] == 2  # a second one without what was erased


def test_no_answer_was_lost_or_counted_twice(turned):
    world = turned.world
    tasks = world.table("tasks").read().to_pylist()
    answers = world.table("annotations").read().to_pylist()
    assert len({(a["unit_id"], a["annotator"]) for a in answers}) == len(answers)
    given = Counter(a["unit_id"] for a in answers)
    counted = Counter(a["unit_id"] for a in answers if a["opinion_reason"] == "planned")
    # Where annotators disagree, one more opinion was asked for after the last answer.
    assert all(given[task["unit_id"]] >= task["overlap"] - 1 for task in tasks)
    # Label Studio looks before it locks, so two who ask in the same instant can get the same task: the answer more
    # than was planned is kept, and counts for consensus only.
    assert all(counted[task["unit_id"]] <= task["overlap"] for task in tasks)


def test_the_report_is_one_page_that_asks_for_nothing(turned):
    page = newest_report(turned.world).decode()
    assert "<script" not in page
    loaded = re.sub(r'<a href="[^"]*"', "", page.replace("http://www.w3.org/", ""))  # a link waits for its reader
    assert "http://" not in loaded


def test_a_second_run_adds_nothing(turned):
    before = {name: turned.world.table(name).read().num_rows for name in TABLES}
    replace(turned, narration=Narration()).run()
    after = {name: turned.world.table(name).read().num_rows for name in TABLES}
    assert after == before
