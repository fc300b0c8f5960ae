"""From media to a model in force and a report, on a real S3 server with the real judge of rows.

Labels are written straight into the lake: Label Studio has tests of its own.
"""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from deployments.demo.digits import features, truth, upload
from labelloop.contracts import contract
from labelloop.errors import ErasedError
from labelloop.rounds import Round
from labelloop.spec import load_spec
from labelloop.units import unit_id
from tasks.clients.datasets import datasets, latest, read_dataset
from tasks.clients.lease import hold
from tasks.clients.models import OnnxModel
from tasks.clients.rounds import begin_round
from tasks.clients.s3 import connect
from tasks.clients.world import World
from tasks.export import publish_dataset
from tasks.features import features_of
from tasks.models import trained_model
from tasks.report import write_report
from tasks.retrain import retrain_model
from tasks.score import score_references
from tasks.sync import sync_references
from tasks.withdrawal import withdraw_rows
from tests.builders.digits import SPEC, START
from tests.builders.labelled_units import figure
from tests.builders.rows import write

pytestmark = pytest.mark.integration

_IMAGES, _LABELLED = 600, 400
_CLASSES = [str(digit) for digit in range(10)]


def stage(world, name, work, *arguments, **options):
    with hold(world.hot, f"{world.project}/{name}", seconds=60, wait_seconds=0) as lease:
        return work(world, lease, *arguments, **options)


@pytest.fixture(scope="module")
def world(s3):
    labels = ", ".join(f'{{value: "{digit}"}}' for digit in _CLASSES)
    named = SPEC.replace("name: digits", "name: trained").replace(
        SPEC[SPEC.index("labels: [") : SPEC.index("]}\n")], f"labels: [{labels}"
    )
    # A lake and a bucket of its own: references belong to a whole lake, and other tests count theirs.
    made = World(
        s3.model_copy(update={"lake_uri": "s3://labelloop-lake/trained"}),
        load_spec(named.replace("bucket: media", "bucket: trained")),
    )
    connect(s3).create_bucket(Bucket="trained")
    upload(made.media, "trained", lambda _: None, count=_IMAGES)
    stage(made, "sync", sync_references)
    return made


def label(world: World) -> None:
    """Give 400 references their true label, a fifth of them as audit units."""
    references = world.table("references").read()
    references = references.filter(pc.starts_with(references["key"], "digits/")).sort_by("key").slice(0, _LABELLED)
    refs = references.to_pylist()
    purposes = ["audit" if i % 5 == 0 else "label" for i in range(len(refs))]
    members = [(r["ref_id"], r["media_version"]) for r in refs]
    ids = [unit_id("trained", p, "single", [m]) for p, m in zip(purposes, members, strict=True)]
    rows = {
        "units": [
            {"unit_id": u, "kind": "single", "ref_ids": [m[0]], "media_versions": [m[1]], "purpose": p}
            for u, m, p in zip(ids, members, purposes, strict=True)
        ],
        "batches": [
            {"unit_id": u, "stratum": "exploit" if p == "label" else p} for u, p in zip(ids, purposes, strict=True)
        ],
        "labels": [
            {
                "unit_id": u,
                "control": "digit",
                "label": truth()[r["key"]],
                "state": "accepted",
                "confidence": 0.95,
                "n": 1,
                "classes": _CLASSES,
                "probabilities": [0.1] * 10,
            }
            for u, r in zip(ids, refs, strict=True)
        ],
        "agreement": [figure(0.85, 0.8, 0.9)],
    }
    for name, given in rows.items():
        write(world, name, given)
    record = Round(number=1, state="closed", seed=1, size=_LABELLED, strategy="random", opened_at=START)
    begin_round(world.hot, world.project, record)


def test_the_loop_turns_from_media_to_a_model_and_a_report(world):
    first = stage(world, "score", score_references)
    assert (first.counts["read"], first.counts["unreadable"], first.notes) == (_IMAGES, 0, ("no model yet",))
    label(world)

    exported = stage(world, "export", publish_dataset)
    assert exported.counts["rows"] == _LABELLED
    trained = stage(world, "retrain", retrain_model)
    assert trained.counts["promoted"] == 1
    evaluations = world.table("evaluations").read().to_pylist()
    [evaluation] = [row for row in evaluations if row["metric"] == "accuracy"]
    assert evaluation["value"] > 0.8
    assert evaluation["n"] == _LABELLED // 5

    second = stage(world, "score", score_references)
    assert (second.counts["read"], second.counts["scored"]) == (0, _IMAGES)
    assert stage(world, "score", score_references).counts["scored"] == 0
    assert stage(world, "export", publish_dataset).counts["published"] == 0
    assert stage(world, "retrain", retrain_model).counts["trained"] == 0

    report = stage(world, "report", write_report)
    assert report.counts["data_docs"] > 1
    assert b"Training sets and models" in world.published.read("reports/1/index.html")
    assert world.published.read("reports/1/data-docs/index.html")


def test_vectors_are_those_the_demo_reckons_with_and_models_answer_them(world):
    references = world.table("references").read()
    found, vectors = features_of(world, references)
    place = {key: i for i, key in enumerate(truth())}
    order = [place[key] for key in found["key"].to_pylist()]
    assert vectors == pytest.approx(features()[order])
    model = trained_model(world).model
    assert isinstance(model, OnnxModel)
    best = model.probabilities(vectors).argmax(axis=1)
    right = np.array(list(truth().values()))[order]
    assert (np.array(_CLASSES)[best] == right).mean() > 0.8


def test_a_withdrawn_row_is_in_no_file_and_no_version_any_more(world):
    old = latest(world)
    gone = read_dataset(world, old)["ref_id"][7].as_py()
    references = world.table("references")
    restricted = references.read().filter(pc.equal(references.read()["ref_id"], gone)).to_pylist()
    rows = pa.Table.from_pylist([restricted[0] | {"state": "restricted"}], schema=contract("references").schema)
    references.upsert(rows, fence=lambda: None)

    assert stage(world, "erasure", withdraw_rows, [gone])[0]["withdrawn"] == 1
    assert gone not in read_dataset(world, latest(world))["ref_id"].to_pylist()
    with pytest.raises(ErasedError):
        read_dataset(world, old)
    prefix = f"trained/projects/trained/published/datasets/{old}/"
    assert list(world.media.keys_ever("labelloop-lake", prefix)) == []
    assert trained_model(world) == "no model yet"
    assert json.loads(datasets(world)[latest(world)]["lineage"])["training set"] == old
    # The next export finds the same rows, so it publishes nothing again.
    assert stage(world, "export", publish_dataset).counts["published"] == 0
