"""Feedback to annotators: private files with figures of the own answers, and nothing that gives gold away."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest

from labelloop.feedback import feedback_pages
from tasks.clients.world import World
from tasks.feedback import write_feedback
from tests.builders.digits import SPEC, START
from tests.builders.rows import hex_id, rows_of
from tests.fakes.world import make_world, under_lease

NEW, OLD = START - timedelta(days=1), START - timedelta(days=8)
GOLD = 100  # number of the first gold unit


def said(unit: int, who: str, value: str, reason: str = "planned", at=NEW) -> dict:
    same = {"annotation_id": f"{unit}-{who}", "control": "digit", "control_type": "choices", "state": "active"}
    times = {"created_at": at, "updated_at": at}
    return same | times | {"unit_id": hex_id(unit), "annotator": who, "choices": [value], "opinion_reason": reason}


def answers(gold: int = 6) -> list[dict]:
    """On 20 units cis takes 1 for 2 each fourth time; on gold, whose answer is 0, she errs once, with 9."""
    rows = [
        said(u, who, "2" if who == "cis" and u % 4 == 0 else "1") for u in range(20) for who in ("ann", "bob", "cis")
    ]
    rows += [said(GOLD + u, "cis", "9" if u == 0 else "0", "gold") for u in range(gold)]
    rows += [said(GOLD, who, "0", "gold") for who in ("ann", "bob")]
    return [*rows, said(0, "expert-1", "1", "review"), said(0, "dan", "1", at=OLD)]


def tables(gold: int = 6) -> dict:
    known = [GOLD + u for u in range(gold)]
    units = [
        {"unit_id": hex_id(u), "purpose": "gold", "ref_ids": [hex_id(u)], "media_versions": ["v1"]} for u in known
    ]
    units += [
        {"unit_id": hex_id(u + 100), "purpose": "label", "ref_ids": [hex_id(u)], "media_versions": ["v1"]}
        for u in known
    ]
    labels = [{"unit_id": hex_id(u + 100), "control": "digit", "label": "0", "decided_by": "expert"} for u in known]
    return {"annotations": answers(gold), "units": units, "labels": labels}


def pages(gold: int = 6, **more: list[dict]) -> dict[str, str]:
    rows = {name: rows_of(name, [*given, *more.get(name, [])]) for name, given in tables(gold).items()}
    return feedback_pages(rows.pop("annotations"), **rows, experts=["expert-1"], title="Digits", at=START)


def test_everybody_who_answered_this_week_is_told_how_and_what_was_taken_for_what():
    found = pages()
    assert set(found) == {"ann", "bob", "cis"}
    assert "Answers this week: 26." in found["cis"]
    assert (
        "As the others or an expert answered: 75% (95 % interval 53% to 89%) of all 20 answers so far" in found["cis"]
    )
    assert (
        "Where an expert had answered: 83% (95 % interval 44% to 97%) of all 6 answers so far agree." in found["cis"]
    )
    assert "- you said *2*, the others or an expert *1*: 5 times" in found["cis"]
    assert "expert had answered" not in found["ann"]


def test_no_live_gold_is_given_away():
    told = pages()["cis"]
    assert "*9*" not in told
    assert "*0*" not in told
    assert "00000" not in told
    assert "expert had answered" not in pages(gold=4)["cis"]


def test_what_an_expert_ruled_in_the_reviewing_project_is_right_whatever_the_others_said():
    ruled = [
        {"unit_id": hex_id(u), "control": "digit", "label": "2", "decided_by": "expert"} for u in range(0, 20, 4)
    ]
    found = pages(labels=ruled)
    assert "100% (95 % interval 84% to 100%) of all 20 answers" in found["cis"]
    assert "you said" not in found["cis"]
    assert "- you said *1*, the others or an expert *2*: 5 times" in found["ann"]


def test_no_difference_comes_from_what_gold_shows_nor_from_what_happened_once():
    """What a gold unit shows was a unit of work before: cis differed there thrice, and once elsewhere."""
    shown = [
        said(GOLD + 100 + u, who, "7" if who == "cis" else "0") for u in range(3) for who in ("ann", "bob", "cis")
    ]
    once = [said(50, who, "8" if who == "cis" else "1") for who in ("ann", "bob", "cis")]
    told = pages(annotations=shown + once)["cis"]
    assert "*7*" not in told
    assert "*8*" not in told


def test_questions_that_are_not_compared_are_named():
    written = said(0, "cis", "", at=NEW) | {
        "control": "why",
        "control_type": "text",
        "choices": None,
        "text": "round",
    }
    assert pages(annotations=[written])["ann"].endswith("Counted, but not compared: why.\n")


def a_world(tmp_path: Path, figures: str = "lead", folder: bool = True) -> World:
    spec = SPEC.replace("annotators: {count: 4}", f"annotators: {{count: 4, figures: {figures}}}")
    world = make_world(tmp_path, spec, settings={"feedback_dir": tmp_path / "feedback" if folder else None})
    for name, given in tables().items():
        world.table(name).upsert(rows_of(name, given), fence=lambda: None)
    return world


def test_each_page_is_a_file_that_only_its_owner_can_read_and_last_weeks_are_gone(tmp_path: Path):
    world, folder = a_world(tmp_path), tmp_path / "feedback" / "digits"
    folder.mkdir(parents=True)
    (folder / "gone.md").write_text("last week")
    assert under_lease(world, "feedback", write_feedback).counts == {"written": 4}
    assert sorted(path.name for path in folder.iterdir()) == ["ann.md", "bob.md", "cis.md", "expert-1.md"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(folder.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(("figures", "folder"), [("none", True), ("lead", False)])
def test_where_no_figures_of_people_are_wanted_nothing_is_written(tmp_path: Path, figures: str, folder: bool):
    world = a_world(tmp_path, figures, folder)
    assert under_lease(world, "feedback", write_feedback).counts == {}
    assert not (tmp_path / "feedback").exists()


def test_pages_of_before_are_gone_once_no_figures_of_people_are_wanted(tmp_path: Path):
    world, page = a_world(tmp_path, "none"), tmp_path / "feedback" / "digits" / "ann.md"
    page.parent.mkdir(parents=True)
    page.write_text("last week")
    under_lease(world, "feedback", write_feedback)
    assert not page.exists()
