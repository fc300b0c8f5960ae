"""What surrounds any strategy: near-duplicates stay out, quotas and hours hold, and what is kept out is counted."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image, ImageFilter

from labelloop.errors import InputError
from labelloop.features import Features, image_features
from labelloop.sampling import STRATEGIES, Limits, refused_rows, select
from labelloop.sampling.likeness import SameBytes, SimilarHash, WithinRadius, perceptual_hash
from labelloop.spec.sampling import NearDuplicates, Quotas
from tests.builders.pools import a_pool, refs

EXACT = Limits(near=NearDuplicates(exact=True))


def with_column(pool: pa.Table, name: str, values: list, kind: pa.DataType | None = None) -> pa.Table:
    if name in pool.column_names:
        pool = pool.drop_columns([name])
    return pool.append_column(name, pa.array(values, kind))


# one suite for all strategies


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_keeps_every_limit_and_still_fills_the_batch(strategy):
    pool = with_column(a_pool(60), "digest", [f"d{i // 2}" for i in range(60)])
    pool = with_column(pool, "group", [f"g{i % 20}" for i in range(60)])
    limits = Limits(near=NearDuplicates(), quotas=Quotas(subject=1, stratum=4), hours=18.0)
    chosen = select(pool, 12, strategy, limits=limits)
    rows = pool.take([int(ref) for ref in refs(chosen)])
    assert len(set(rows["digest"].to_pylist())) == len(set(rows["group"].to_pylist())) == len(chosen)
    assert max(rows["stratum"].to_pylist().count(name) for name in ("s0", "s1", "s2", "s3")) <= 4
    assert sum(rows["cost"].to_pylist()) <= 18.0
    assert len(chosen) == 12 or "budget" in refused_rows(chosen)
    assert chosen["rank"].to_pylist() == list(range(len(chosen)))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_without_limits_nothing_is_kept_out(strategy):
    pool = with_column(a_pool(20), "digest", ["same"] * 20)
    chosen = select(pool, 20, strategy)
    assert len(chosen) == 20
    assert refused_rows(chosen) == {}


def test_the_choice_under_limits_does_not_depend_on_the_order_of_the_rows():
    pool = with_column(a_pool(60), "digest", [f"d{i // 3}" for i in range(60)])
    shuffled = pool.take(np.random.default_rng(1).permutation(60))
    assert select(pool, 12, "hybrid", limits=EXACT).equals(select(shuffled, 12, "hybrid", limits=EXACT))


@pytest.mark.parametrize(
    ("limits", "column"),
    [
        (Limits(near=NearDuplicates(perceptual_bits=3)), "perceptual_hash"),
        (Limits(near=NearDuplicates(radius=1.0)), "embedding"),
        (Limits(quotas=Quotas(subject=1)), "group"),
        (Limits(quotas=Quotas(source=1)), "source"),
        (Limits(quotas=Quotas(stratum={"s0": 1})), "stratum"),
        (Limits(hours=1.0), "cost"),
    ],
)
def test_a_limit_without_its_column_is_named_before_any_work(limits, column):
    pool = a_pool(5)
    pool = pool.drop_columns([column]) if column in pool.column_names else pool
    with pytest.raises(InputError, match=f"a limit of the batch needs {column}"):
        select(pool, 1, "random", limits=limits)


# near-duplicates


def test_what_has_the_bytes_of_a_labelled_reference_is_never_chosen():
    pool = with_column(a_pool(4), "digest", ["x", "y", None, None])
    labelled = pa.table({"ref_id": ["z"], "digest": ["x"]})
    chosen = select(pool, 4, "random", labelled=labelled, limits=EXACT)
    assert set(refs(chosen)) == {"0001", "0002", "0003"}  # references without a digest are like no other
    assert refused_rows(chosen) == {"near_duplicate": 1}


def test_a_million_copies_cost_one_look_and_not_a_million():
    pool = pa.table({"ref_id": [f"{i:04d}" for i in range(3000)], "digest": ["same"] * 2990 + list("abcdefghij")})
    chosen = select(pool, 20, "random", limits=EXACT)
    assert len(chosen) == 11
    assert refused_rows(chosen) == {"near_duplicate": 2989}


def test_no_two_picks_and_no_labelled_lie_within_the_radius():
    rng = np.random.default_rng(0)
    points = np.repeat(rng.normal(size=(30, 3)) * 10, 4, axis=0) + rng.normal(size=(120, 3)) * 0.01
    pool = pa.table({"ref_id": [f"{i:03d}" for i in range(120)], "embedding": points.tolist()})
    labelled = pa.table({"ref_id": ["z"], "embedding": [points[0].tolist()]})
    chosen = select(pool, 29, "random", labelled=labelled, limits=Limits(near=NearDuplicates(radius=0.5)))
    places = [int(ref) // 4 for ref in refs(chosen)]
    assert sorted(places) == list(range(1, 30))


def test_a_draw_that_had_to_replace_a_pick_gives_up_its_chances_and_one_that_had_not_keeps_them():
    pool = with_column(a_pool(10), "digest", ["same"] * 5 + [None] * 5)
    assert select(pool, 8, "random", limits=EXACT)["inclusion_probability"].null_count == 6
    labelled = pa.table({"ref_id": ["z"], "digest": ["same"]})
    chances = select(pool, 2, "random", labelled=labelled, limits=EXACT)["inclusion_probability"]
    assert chances.to_pylist() == [pytest.approx(2 / 5)] * 2


def picture(seed: int, size: int = 96) -> Image.Image:
    rough = np.random.default_rng(seed).integers(0, 255, size=(8, 8), dtype=np.uint8)
    return Image.fromarray(rough).resize((size, size), Image.Resampling.BICUBIC)


def hashed(image: Image.Image) -> np.uint64:
    file = io.BytesIO()
    image.save(file, "PNG")
    pixels = image_features(file.getvalue(), Features(width=32, height=32))
    return perceptual_hash(pixels[None], 32, 32)[0]


def test_a_perceptual_hash_survives_scaling_blur_and_brightness_and_tells_other_pictures_apart():
    for seed in range(20):
        image = picture(seed)
        for changed in (
            image.resize((60, 60)),
            image.filter(ImageFilter.GaussianBlur(1)),
            Image.fromarray((np.asarray(image) * 0.8 + 20).astype(np.uint8)),
        ):
            assert np.bitwise_count(hashed(image) ^ hashed(changed)) <= 4
        assert np.bitwise_count(hashed(image) ^ hashed(picture(seed + 100))) > 16


def test_pictures_too_small_for_a_hash_are_named():
    with pytest.raises(InputError, match="8 x 4 are too small"):
        perceptual_hash(np.zeros((1, 32)), 4, 8)


def test_likenesses_agree_with_themselves_and_a_missing_feature_is_like_nothing():
    ways = [
        SameBytes(pa.chunked_array([["a", "b", "a", None, None]])),
        SimilarHash(pa.chunked_array([pa.array([0, 2**40 - 1, 1, None, None], pa.uint64())]), bits=1),
        WithinRadius(pa.chunked_array([[[0.0], [9.0], [0.5], None, None]]), radius=1.0),
    ]
    for way in ways:
        between = np.array([way.between(row, np.arange(5)) for row in range(5)])
        assert between[:3, :3].tolist() == [[True, False, True], [False, True, False], [True, False, True]]
        assert not between[3:].any()
        assert not between[:, 3:].any()
        assert way.near([0]).tolist() == [True, False, True, False, False]
        assert way.near([0, 1]).tolist() == [True, True, True, False, False]
        assert not way.near([]).any()
        assert not way.near([3]).any()


# quotas and hours


def test_a_quota_by_name_bounds_the_named_stratum_alone():
    pool = a_pool(40)
    chosen = select(pool, 25, "margin", limits=Limits(quotas=Quotas(stratum={"s0": 2, "s1": 0})))
    strata = [int(ref) % 4 for ref in refs(chosen)]
    assert [strata.count(s) for s in range(4)][:2] == [2, 0]
    assert len(chosen) == 22
    assert refused_rows(chosen) == {"quota stratum": 18}


def test_references_without_a_subject_share_no_quota():
    pool = with_column(a_pool(6), "group", ["ann"] * 3 + [None] * 3)
    assert len(select(pool, 6, "random", limits=Limits(quotas=Quotas(subject=1)))) == 4


def test_hours_are_spent_on_what_they_pay_and_never_exceeded():
    pool = with_column(a_pool(4), "cost", [5.0, 1.0, 1.0, None])
    chosen = select(pool, 4, "random", limits=Limits(hours=2.0))
    assert set(refs(chosen)) == {"0001", "0002"}
    assert refused_rows(chosen) == {"budget": 2}


def test_hours_that_pay_nothing_give_an_empty_batch():
    assert len(select(with_column(a_pool(3), "cost", [1.0] * 3), 3, "k_center", limits=Limits(hours=0.5))) == 0


def test_the_refill_knows_what_was_taken():
    points = [[0.0, 0.0], [10.0, 0.0], [10.0, 0.1], [0.0, 8.0], [0.5, 0.0]]
    pool = pa.table({"ref_id": list("abcde"), "embedding": points, "group": ["p", "q", "q", "r", "s"]})
    labelled = pa.table({"ref_id": ["z"], "embedding": [[0.0, 0.0]]})
    limits = Limits(near=NearDuplicates(radius=0.2), quotas=Quotas(subject=1))
    chosen = select(pool, 3, "k_center", labelled=labelled, limits=limits)
    assert refs(chosen)[1:] == ["d", "e"]
    assert refs(chosen)[0] in "bc"
