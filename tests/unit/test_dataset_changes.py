"""Changes between two training sets: every row is counted once on each side, and none is named."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from labelloop.dataset_changes import dataset_changes
from tests.builders.rows import rows_of


def version(*rows: tuple[str, str, str]) -> pa.Table:
    """Rows of one training set: unit, label, split."""
    return rows_of(
        "training_set",
        [{"unit_id": u, "ref_id": u, "control": "pet", "label": label, "split": s} for u, label, s in rows],
    )


OLD = version(("a", "cat", "train"), ("b", "cat", "train"), ("c", "dog", "test"), ("d", "cat", "train"))
NEW = version(("b", "cat", "train"), ("c", "cat", "test"), ("d", "cat", "test"), ("e", "dog", "train"))
BOXES = [{"regions": [{"labels": ["cat"], "points": [x, 0.0, 9.0, 9.0]}]} for x in (1.0, 2.0)]
COUNTS = ("before", "came", "went", "changed_to", "changed_from", "after")


def counts(old: pa.Table, new: pa.Table) -> dict[tuple[str, str], tuple[int, ...]]:
    groups = dataset_changes(old, new)["groups"]
    return {(g["split"], g["label"]): tuple(g[name] for name in COUNTS) for g in groups}


def test_rows_that_came_went_and_changed_are_counted_by_split_and_label():
    assert counts(OLD, NEW) == {
        ("test", "cat"): (0, 0, 0, 2, 0, 2),
        ("test", "dog"): (1, 0, 0, 0, 1, 0),
        ("train", "cat"): (3, 0, 1, 0, 1, 1),
        ("train", "dog"): (0, 1, 0, 0, 0, 1),
    }
    assert dataset_changes(OLD, NEW)["relabelled"] == [{"control": "pet", "from": "dog", "to": "cat", "n": 1}]


def test_a_box_that_moved_and_a_member_that_came_are_changes():
    moved = [
        {"unit_id": "u", "ref_id": "r", "control": "pet", "label": "[]", "split": "train"} | said for said in BOXES
    ]
    before, after = (rows_of("training_set", [row]) for row in moved)
    assert counts(before, after) == {("train", "[]"): (1, 0, 0, 1, 1, 1)}
    member = rows_of("training_set", [moved[0], moved[0] | {"ref_id": "s"}])
    assert counts(before, member) == {("train", "[]"): (1, 1, 0, 0, 0, 2)}


@pytest.mark.parametrize(("old", "new"), [(OLD, NEW), (NEW, OLD), (OLD, OLD), (OLD[:0], NEW), (OLD, NEW[:0])])
def test_before_and_what_happened_give_after(old, new):
    for before, came, went, to, away, after in counts(old, new).values():
        assert before + came - went + to - away == after


def test_two_empty_sets_differ_in_nothing():
    assert dataset_changes(OLD[:0], OLD[:0]) == {"groups": [], "relabelled": []}


def test_no_id_is_told():
    old = rows_of("training_set", [{"label": "cat", "split": "train"}] * 3)
    told = json.dumps(dataset_changes(old, old[:1]))
    assert not any(row["unit_id"] in told or row["ref_id"] in told for row in old.to_pylist())
