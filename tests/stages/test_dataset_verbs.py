"""The verbs of training sets on a world in memory."""

from __future__ import annotations

import json

import pytest

from deployments.cli import any_project, dataset_verbs
from labelloop.errors import ErasedError, InputError
from tasks.clients.datasets import latest
from tasks.clients.lease import hold
from tasks.withdrawal import withdraw_rows
from tests.builders.digits import SPEC
from tests.builders.labelled_world import fill, labelled_world, publish
from tests.builders.rows import hex_id, write
from tests.fakes.world import make_world


@pytest.fixture
def world(tmp_path):
    return labelled_world(make_world(tmp_path))


@pytest.fixture
def told(world, monkeypatch, capsys):
    """Run a verb and return what it printed."""
    monkeypatch.setattr(dataset_verbs, "world_at", lambda _: world)

    def run(verb, *arguments, **options):
        verb("digits", *arguments, **options)
        return capsys.readouterr().out

    return run


def erase(world, number: int) -> None:
    with hold(world.hot, "erasure/test", seconds=60, wait_seconds=0) as lease:
        withdraw_rows(world, lease, [hex_id(number)])


def test_the_list_marks_the_latest_and_the_erased(world, told):
    assert "no training set" in told(dataset_verbs.list_datasets)
    publish(world)
    old = latest(world)
    world.now.advance(days=1)
    erase(world, 3)
    first, second = json.loads(told(dataset_verbs.list_datasets, as_json=True))
    assert (first["dataset_version"], first["state"], first["latest"]) == (old, "erased", False)
    assert (second["dataset_version"], second["latest"]) == (first["replaced_by"], True)
    assert second["splits"]["train"] == 7
    assert "published, latest" in told(dataset_verbs.list_datasets)


def test_show_prints_the_card_of_the_latest_and_refuses_an_erased_one(world, told):
    with pytest.raises(InputError, match="no training set was published"):
        told(dataset_verbs.show)
    publish(world)
    old = latest(world)
    card = told(dataset_verbs.show)
    assert f"training set {old}" in card
    assert "| label | train |" in card
    assert len(json.loads(told(dataset_verbs.show, as_json=True))["digest"]) == 64
    erase(world, 3)
    with pytest.raises(ErasedError, match=latest(world)):
        told(dataset_verbs.show, old)


def test_lineage_follows_a_set_forward_and_back(world, told):
    publish(world)
    old = latest(world)
    trained = {"model_version": "model-1", "dataset_version": old, "promoted": True}
    write(world, "models", [trained])
    erase(world, 3)
    new = latest(world)
    found = json.loads(told(dataset_verbs.lineage, old, as_json=True))
    assert found["replaced_by"] == [new]
    assert found["models"] == [{"model_version": "model-1", "promoted": True, "trained_on_erased": True}]
    text = told(dataset_verbs.lineage)
    assert f"made from training set: {old}" in text
    assert "distrusted" in told(dataset_verbs.lineage, old)
    with pytest.raises(InputError, match="there is no training set"):
        told(dataset_verbs.lineage, "nope")


def test_a_project_may_be_named_by_the_file_of_its_spec(tmp_path, monkeypatch):
    (tmp_path / "digits.yaml").write_text(SPEC)
    made = make_world(tmp_path)
    monkeypatch.setattr(any_project, "load_settings", lambda: made.settings)
    assert any_project.world_at(str(tmp_path / "digits.yaml")).project == "digits"


def test_diff_counts_what_changed_and_says_of_an_erased_one_that_it_is(world, told):
    publish(world)
    old = latest(world)
    fill(world, labels={0: {"label": "1"}})
    world.now.advance(days=1)
    publish(world)
    new = latest(world)
    found = json.loads(told(dataset_verbs.diff, old, as_json=True))
    assert (found["old"], found["new"]) == (old, new)
    assert found["relabelled"] == [{"control": "digit", "from": "0", "to": "1", "n": 1}]
    text = told(dataset_verbs.diff, old, new)
    assert "digit: 1 from 0 to 1" in text
    assert not any(hex_id(number) in text for number in range(8))
    erase(world, 3)
    with pytest.raises(ErasedError, match="has been erased"):
        told(dataset_verbs.diff, old)
    with pytest.raises(InputError, match="there is no training set"):
        told(dataset_verbs.diff, "nope")
