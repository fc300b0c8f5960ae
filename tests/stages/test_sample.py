"""The sample stage on a world in memory: what is chosen, what is left out and why, and in which units it is asked."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta

import numpy as np
import pyarrow.compute as pc
import pytest

from labelloop.errors import ConfigurationError, InputError
from labelloop.features import features_version
from labelloop.spec.sampling import Unit
from tasks.clients.rounds import begin_round, current_round, save_round
from tasks.sample import choose_batch
from tests.builders.digits import SPEC, START
from tests.builders.rows import hex_id, write
from tests.fakes.world import make_world, under_lease

USUAL = "strategy: margin, batch_size: 20, audit_rate: 0.2, explore_share: 0.1"


def world_of(tmp_path, sampling: str = USUAL, n: int = 60, **references):
    """Return a world of n references of two classes, whose model doubts the more the higher their number."""
    world = make_world(tmp_path, re.sub(r"(?m)^sampling:.*$", f"sampling: {{{sampling}, seed: 7}}", SPEC))
    rows = [
        {
            "ref_id": hex_id(i),
            "bucket": "media",
            "key": f"digits/{i}/a.png",
            "media_version": "v1",
            "etag": f"e{i}",
            "size": 1,
            "state": "active",
            "first_seen": START - timedelta(days=i),
            **{name: values[i] for name, values in references.items()},
        }
        for i in range(n)
    ]
    write(world, "references", rows)
    told = np.linspace(0.99, 0.51, n)
    write(
        world,
        "predictions",
        [
            {
                "ref_id": hex_id(i),
                "model_version": "m",
                "media_version": "v1",
                "probabilities": [p, 1 - p],
                "predicted": str(i % 2),
                "confidence": p,
                "embedding": [float(i), float(i % 7)],
            }
            for i, p in enumerate(told)
        ],
    )
    return world


def run(world, **options):
    return under_lease(world, "sample", lambda world, lease: choose_batch(world, lease, options))


def batch_of(world, number: int = 1) -> list[dict]:
    rows = world.table("batches").read()
    units = {row["unit_id"]: row for row in world.table("units").read().to_pylist()}
    chosen = rows.filter(pc.equal(rows["round"], number)).sort_by("rank").to_pylist()
    return [row | {key: units[row["unit_id"]][key] for key in ("kind", "purpose", "ref_ids")} for row in chosen]


def members(world, *strata: str) -> list[int]:
    return [int(ref, 16) for row in batch_of(world) if row["stratum"] in strata for ref in row["ref_ids"]]


def next_round(world):
    record = current_round(world.hot, world.project)
    save_round(world.hot, world.project, record.model_copy(update={"state": "closed"}))


def test_a_batch_is_chosen_by_the_spec_and_every_pick_has_its_reason(tmp_path):
    world = world_of(tmp_path)
    summary = run(world)
    assert summary.counts == {"chosen": 20}
    assert Counter(row["stratum"] for row in batch_of(world)) == {"exploit": 14, "explore": 2, "audit": 4}
    assert all(row["reason"] for row in batch_of(world))
    assert min(members(world, "exploit")) > 30  # where the model doubts


def test_a_cold_start_chooses_without_any_prediction(tmp_path):
    world = world_of(tmp_path, USUAL.replace("margin", "auto"))
    predictions = world.table("predictions")
    predictions.delete("ref_id", [hex_id(i) for i in range(60)], fence=lambda: None)
    assert run(world).counts == {"chosen": 20}
    assert {row["strategy"] for row in batch_of(world)} == {"random", "permanent_random"}
    assert all(0 < row["queue_score"] < 1 for row in batch_of(world))


def test_an_impossible_strategy_is_named_before_a_round_is_begun(tmp_path):
    world = world_of(tmp_path, f"{USUAL}, quotas: {{source: 1}}")
    for options, message in (
        ({"strategy": "bald"}, "bald needs committee"),
        ({"strategy": "astrology"}, "no strategy 'astrology'"),
        ({}, "a limit of the batch needs source"),
    ):
        with pytest.raises(InputError, match=message):
            run(world, **options)
        assert current_round(world.hot, world.project) is None


def test_what_is_labelled_open_missing_or_restricted_is_not_chosen(tmp_path):
    states = ["active"] * 50 + ["missing"] * 5 + ["restricted"] * 5
    world = world_of(tmp_path, f"{USUAL}, max_open_tasks: 1000", state=states)
    run(world)
    first = set(members(world, "exploit", "explore", "audit"))
    assert max(first) < 50
    next_round(world)
    run(world)
    second = {int(ref, 16) for row in batch_of(world, 2) for ref in row["ref_ids"]}
    assert second
    assert not first & second
    assert max(second) < 50


def test_copies_are_chosen_once_by_their_digest_and_by_what_the_server_says_of_their_bytes(tmp_path):
    world = world_of(tmp_path, etag=[f"e{i // 3}" for i in range(60)])
    summary = run(world)
    seen = [i // 3 for i in members(world, "exploit")]
    assert len(set(seen)) == len(seen)
    assert any("left out: near_duplicate" in note for note in summary.notes)


def test_pictures_alike_are_found_by_the_vectors_that_are_kept(tmp_path):
    world = world_of(tmp_path, f"{USUAL}, near_duplicates: {{perceptual_bits: 2}}")
    rng = np.random.default_rng(0)
    shape = world.spec.model.features
    looks = rng.random((20, shape.width * shape.height)).astype("f4")
    version = features_version("image", shape)
    write(
        world,
        "predictions",
        [
            {"ref_id": hex_id(i), "model_version": version, "media_version": "v1", "embedding": looks[i // 3] * 0.9}
            for i in range(60)
        ],
    )
    run(world)
    seen = [i // 3 for i in members(world, "exploit")]
    assert len(set(seen)) == len(seen)


def test_perceptual_hashes_of_texts_are_refused(tmp_path):
    world = world_of(tmp_path, f"{USUAL}, near_duplicates: {{perceptual_bits: 2}}")
    text = world.spec.interface.model_copy(update={"media": "text"})
    world.spec = world.spec.model_copy(update={"interface": text})
    with pytest.raises(ConfigurationError, match="compares images"):
        run(world)


def test_a_subject_and_a_predicted_class_have_their_quotas(tmp_path):
    world = world_of(
        tmp_path,
        f"{USUAL}, quotas: {{subject: 2, stratum: {{'0': 5}}}}",
        subject_hmac=[f"{i // 6:064x}" for i in range(60)],
    )
    run(world)
    exploited = members(world, "exploit")
    assert max(Counter(i // 6 for i in exploited).values()) <= 2
    assert sum(i % 2 == 0 for i in exploited) <= 5


def test_the_budget_pays_as_many_as_answers_take_time(tmp_path):
    budget = "hours_per_round: 0.1, seconds_per_answer: 30, rate_per_hour: 20"
    world = world_of(tmp_path, f"{USUAL}, budget: {{{budget}}}")
    summary = run(world)
    opinions = 1 + world.spec.overlap.share * (world.spec.overlap.annotators - 1)
    assert summary.counts["chosen"] == int(0.1 * 3600 / (30 * opinions))
    assert summary.notes[-1] == "expected to take 0.1 hours (2 EUR)"


def labelled_round(world) -> None:
    """Answer all that was chosen: everything by consensus, every third by an expert."""
    rows = [
        {
            "unit_id": row["unit_id"],
            "control": "digit",
            "label": "1",
            "state": "accepted",
            "decided_by": "expert" if place % 3 == 0 else "consensus",
        }
        for place, row in enumerate(batch_of(world))
    ]
    write(world, "labels", rows)
    next_round(world)


def test_gold_and_repeats_are_asked_again_under_their_purpose_and_never_from_the_audit(tmp_path):
    world = world_of(tmp_path, f"{USUAL}, gold_share: 0.1, repeat_share: 0.15, max_open_tasks: 1000")
    run(world)
    assert {row["purpose"] for row in batch_of(world)} == {"label", "audit"}  # nothing to ask again yet
    audit, gold = set(members(world, "audit")), {int(row["ref_ids"][0], 16) for row in batch_of(world)[::3]}
    labelled_round(world)
    run(world)
    again = {purpose: [] for purpose in ("gold", "repeat")}
    for row in batch_of(world, 2):
        again.get(row["purpose"], []).append(int(row["ref_ids"][0], 16))
        assert row["purpose"] not in again or row["stratum"] == row["purpose"]
    assert (len(again["gold"]), len(again["repeat"])) == (2, 3)
    assert set(again["gold"]) <= gold - audit
    assert not set(again["repeat"]) & audit


def test_a_group_asks_once_about_all_copies(tmp_path):
    world = world_of(tmp_path, f"{USUAL}, unit: {{kind: group}}", etag=[f"e{i // 3}" for i in range(60)])
    run(world)
    rows = batch_of(world)
    assert {row["kind"] for row in rows} == {"group"}
    exploit = [row for row in rows if row["stratum"] == "exploit"]
    assert max(len(row["ref_ids"]) for row in exploit) == 3
    assert all(len({int(ref, 16) // 3 for ref in row["ref_ids"]}) == 1 for row in rows)


@pytest.mark.parametrize("unit", [Unit(kind="pair"), Unit(kind="list", size=4, shared=1)])
def test_pairs_and_lists_are_written_as_units_of_several_references(tmp_path, unit):
    world = world_of(tmp_path)
    sampling = world.spec.sampling.model_copy(update={"unit": unit})
    world.spec = world.spec.model_copy(update={"sampling": sampling})
    assert run(world).counts["chosen"] > 10
    size = 2 if unit.kind == "pair" else 4
    for row in batch_of(world):
        assert row["kind"] == unit.kind
        assert len(set(row["ref_ids"])) == size or row["stratum"] == "audit"
        assert row["inclusion_probability"] is None
    assert not set(members(world, "audit")) & set(members(world, "exploit", "explore"))


def test_a_run_killed_while_choosing_chooses_the_same_batch_again(tmp_path):
    world = world_of(tmp_path)
    run(world)
    first = [{k: row[k] for k in ("unit_id", "rank", "reason")} for row in batch_of(world)]
    table = world.table("batches")
    table.delete("unit_id", [row["unit_id"] for row in first], fence=lambda: None)
    record = current_round(world.hot, world.project)
    world.hot.delete(f"rounds/{world.project}/000001.json")
    begin_round(world.hot, world.project, record.model_copy(update={"state": "choosing"}))
    run(world)
    assert [{k: row[k] for k in ("unit_id", "rank", "reason")} for row in batch_of(world)] == first
