"""The retrain stage on a world in memory: from labels to a model in force, and back out of it."""

from __future__ import annotations

import numpy as np
import pytest

from labelloop.score import embedding_rows
from tasks.clients.datasets import latest
from tasks.clients.models import OnnxModel
from tasks.contracts import commit
from tasks.features import version_of
from tasks.models import model_path, trained_model
from tasks.retrain import retrain_model
from tasks.withdrawal import withdraw_rows
from tests.builders import labelled_world
from tests.builders.digits import START
from tests.builders.labelled_world import publish
from tests.builders.rows import hex_id
from tests.fakes.world import copy_of, lease_of, make_world, under_lease

N = 120
AUDIT = range(0, N, 3)


def vectors(seed: int = 0) -> np.ndarray:
    """Two clusters in 64 dimensions: unit i belongs to i % 2."""
    centres = np.random.default_rng(seed).random((2, 64))
    noise = np.random.default_rng(seed + 1).normal(0, 0.05, (N, 64))
    return (centres[np.arange(N) % 2] + noise).astype(np.float32)


def fill(world, *, labels=None, audit=AUDIT) -> None:
    labelled_world.fill(world, N, labels=labels, units={i: {"purpose": "audit"} for i in audit})


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    units = {i: {"purpose": "audit"} for i in AUDIT}
    made = labelled_world.labelled_world(make_world(tmp_path_factory.mktemp("template")), N, units=units)
    references = made.table("references").read().sort_by("ref_id")
    rows = embedding_rows(references, list(vectors()), version=version_of(made), at=START)
    made.table("predictions").upsert(rows, fence=lambda: None)
    publish(made)
    return made


@pytest.fixture
def world(template, tmp_path):
    return copy_of(template, tmp_path)


def run(world):
    return under_lease(world, "retrain", retrain_model)


def figures(world, metric: str) -> list[dict]:
    rows = world.table("evaluations").read().to_pylist()
    return [row for row in rows if row["metric"] == metric]


def models(world) -> list[dict]:
    return world.table("models").read().sort_by("created_at").to_pylist()


def test_a_first_model_is_trained_evaluated_on_audit_units_and_takes_over(world):
    summary = run(world)
    assert summary.counts == {"trained": 1, "promoted": 1, "rows": N - len(AUDIT), "audit": len(AUDIT)}
    [model] = models(world)
    assert model["dataset_version"] == latest(world)
    [figure_] = figures(world, "accuracy")
    assert (figure_["arm"], figure_["evidence"], figure_["n"]) == ("loop", "audit", len(AUDIT))
    assert figure_["value"] == pytest.approx(1.0)
    assert figure_["low"] < 1.0
    assert trained_model(world).version == model["model_version"]


def test_audit_rows_are_never_trained_on(world):
    # If audit labels were learned, turning them all around would change the model.
    file = lambda: world.published.read(model_path(models(world)[-1]["model_version"]))  # noqa: E731
    run(world)
    before = OnnxModel(file(), width=64, classes=["0", "1"]).probabilities(vectors())
    fill(world, labels={i: {"label": str(1 - i % 2)} for i in AUDIT})
    publish(world)
    world.now.advance(days=1)
    assert run(world).counts["trained"] == 1
    after = OnnxModel(file(), width=64, classes=["0", "1"]).probabilities(vectors())
    assert after == pytest.approx(before)


def test_the_same_training_set_is_not_trained_on_again(world):
    run(world)
    summary = run(world)
    assert summary.counts == {"trained": 0, "promoted": 0}
    assert "the one the newest model was trained on" in summary.notes[0]
    assert len(models(world)) == 1


def test_a_worse_model_is_kept_but_does_not_take_over(world):
    run(world)
    first = trained_model(world).version
    fill(world, labels={i: {"label": str(1 - i % 2)} for i in range(N) if i not in AUDIT})
    publish(world)
    world.now.advance(days=1)
    assert run(world).counts == {"trained": 1, "promoted": 0, "rows": N - len(AUDIT), "audit": len(AUDIT)}
    assert "not wholly above" in models(world)[1]["reason"]
    assert trained_model(world).version == first


def test_without_audit_answers_a_second_model_does_not_take_over(world):
    run(world)
    fill(world, audit=())
    publish(world)
    world.now.advance(days=1)
    summary = run(world)
    assert summary.counts["promoted"] == 0
    assert "no audit answer" in summary.notes[0]


def test_a_run_killed_before_the_model_has_its_row_trains_the_same_model_again(world, monkeypatch):
    class Killed(Exception):
        pass

    def killed(world, lease, table, rows, *, stage):
        if table == "models":
            raise Killed
        return commit(world, lease, table, rows, stage=stage)

    with monkeypatch.context() as patch:
        patch.setattr("tasks.retrain.commit", killed)
        with pytest.raises(Killed):
            run(world)
    files = world.published.list("models/")
    run(world)
    assert world.published.list("models/") == files
    assert len(figures(world, "accuracy")) == 1


def test_an_erasure_takes_the_model_out_of_force_until_it_is_trained_again(world):
    run(world)
    lease = lease_of(world, "erasure")
    withdraw_rows(world, lease, [hex_id(1)])
    assert trained_model(world) == "no model yet"
    world.now.advance(days=1)
    assert run(world).counts["promoted"] == 1
    assert trained_model(world).version == models(world)[-1]["model_version"]


def test_one_class_is_too_few_and_no_training_set_is_said(tmp_path, world):
    empty = make_world(tmp_path / "empty")
    assert run(empty).notes == ("no training set yet",)
    fill(world, labels={"label": "1"})
    publish(world)
    assert "1 class" in run(world).notes[0]


def test_other_features_of_the_spec_need_a_new_model(world):
    run(world)
    features = world.spec.model.features.model_copy(update={"mode": "RGB"})
    world.spec = world.spec.model_copy(update={"model": world.spec.model.model_copy(update={"features": features})})
    assert "retrain" in trained_model(world)
    assert "too few" in run(world).notes[0]  # no vectors of that kind yet
