"""What is done block by block or shard by shard gives what is done at once."""

from __future__ import annotations

import numpy as np
import pytest

from labelloop.acquisition import SCORES, blocks, screen


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "NUMBERS", 64)


def distributions(n: int, k: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(k), size=n)


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("n", [0, 1, 11, 12, 13, 100])
def test_scores_of_blocks_are_those_of_single_rows(small_blocks, name, n):
    rows = distributions(n)
    alone = [SCORES[name](row[None])[0] for row in rows]
    assert SCORES[name](rows).tolist() == alone


def test_screening_in_blocks_finds_every_row_that_is_no_distribution(small_blocks):
    rows = distributions(100)
    rows[[3, 57]] = np.nan
    rows[98, 0] += 1.0
    assert np.flatnonzero(~screen(rows).accepted).tolist() == [3, 57, 98]
    assert screen(rows).refused == {"not_finite": 2, "not_summing_to_one": 1}
