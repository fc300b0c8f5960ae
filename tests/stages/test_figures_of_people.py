"""Figures of single people in the lake: kept as long as the spec says, and none where it wants none."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from labelloop.spec import load_spec
from tasks.agreement import measure_agreement
from tasks.clients.world import World
from tests.builders.annotating import answer, collect, pushed
from tests.builders.digits import SPEC
from tests.builders.rows import hex_id, write
from tests.fakes.world import under_lease

AGES = {"project": 400, "pair": 100, "annotator": 101}


def measured(tmp_path: Path, annotators: str) -> World:
    """A world with figures of three scopes from an old night, after another one."""
    world = pushed(tmp_path, n=6)
    for unit in range(6):
        for name in ("ann", "bob"):
            answer(world, unit, name, "1" if unit else {"ann": "2", "bob": "0"}[name])
    collect(world)
    world.spec = load_spec(SPEC.replace("annotators: {count: 4}", f"annotators: {{count: 4, {annotators}}}"))
    old = [
        {"figure_id": hex_id(place), "scope": scope, "measured_at": world.now() - timedelta(days=days)}
        for place, (scope, days) in enumerate(AGES.items())
    ]
    write(world, "agreement", old)
    under_lease(world, "agreement", measure_agreement)
    return world


@pytest.mark.parametrize(
    ("annotators", "kept"),
    [
        ("figures_days: 365", {"project", "pair", "annotator"}),
        ("figures_days: 100", {"project", "pair"}),
        ("figures: none", {"project"}),
    ],
)
def test_old_figures_of_people_are_deleted_and_others_kept(tmp_path: Path, annotators: str, kept: set):
    rows = measured(tmp_path, annotators).table("agreement").read().to_pylist()
    assert {row["scope"] for row in rows if row["figure_id"] in {hex_id(place) for place in range(3)}} == kept


@pytest.mark.parametrize(("annotators", "told"), [("figures: lead", True), ("figures: none", False)])
def test_people_have_figures_only_where_the_spec_wants_them(tmp_path: Path, annotators: str, told: bool):
    people = measured(tmp_path, annotators).table("annotators").read().to_pylist()
    assert [row["hours"] is not None for row in people] == [told] * 2
