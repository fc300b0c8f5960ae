"""One suite every strategy must pass: what holds whatever the strategy's own idea is."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from labelloop.errors import InputError
from labelloop.sampling import STRATEGIES, refused_rows, select
from tests.builders.pools import EVERY_STRATEGY, a_pool, refs, spoilt
from tests.checkout import ROOT

DRAWS = ["random", "stratified"]  # value nothing
CHANCES = [*DRAWS, "stochastic"]  # know with what chance they drew
UNORDERED = ["stochastic", "badge"]  # whose order is chance
COLUMNS = ["ref_id", "rank", "acquisition_score", "inclusion_probability", "reason"]


@pytest.mark.parametrize("strategy", EVERY_STRATEGY)
def test_the_same_seed_gives_the_same_choice_in_whatever_order_the_pool_comes(strategy):
    pool = a_pool()
    shuffled = pool.take(np.random.default_rng(1).permutation(len(pool)))
    assert select(pool, 12, strategy, seed=5).equals(select(shuffled, 12, strategy, seed=5))


@pytest.mark.parametrize("strategy", EVERY_STRATEGY)
def test_a_choice_has_the_promised_shape_and_no_reference_twice(strategy):
    pool = a_pool()
    chosen = select(pool, 12, strategy)
    assert chosen.column_names == COLUMNS
    assert len(set(refs(chosen))) == 12
    assert set(refs(chosen)) <= set(refs(pool))
    assert chosen["rank"].to_pylist() == list(range(12))
    assert all(chosen["reason"].to_pylist())


@pytest.mark.parametrize("strategy", [s for s in EVERY_STRATEGY if s not in UNORDERED])
def test_scores_never_rise_along_the_ranks(strategy):
    scores = select(a_pool(), 30, strategy)["acquisition_score"].drop_null().to_numpy()
    assert (np.diff(scores) <= 1e-6).all()
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("strategy", EVERY_STRATEGY)
def test_greedy_picks_have_no_inclusion_probability_and_random_draws_no_score(strategy):
    chosen = select(a_pool(), 12, strategy)
    assert chosen["acquisition_score"].null_count == (12 if strategy in DRAWS else 0)
    assert chosen["inclusion_probability"].null_count == (0 if strategy in CHANCES else 12)


@pytest.mark.parametrize("strategy", EVERY_STRATEGY)
@pytest.mark.parametrize("n", [0, 1, 59, 60, 61, 10_000])
def test_as_many_are_chosen_as_asked_for_and_there_are(strategy, n):
    assert len(select(a_pool(), n, strategy)) == min(n, 60)


@pytest.mark.parametrize("strategy", EVERY_STRATEGY)
def test_an_empty_pool_gives_an_empty_table_of_the_same_shape(strategy):
    chosen = select(a_pool(0), 5, strategy)
    assert chosen.schema.remove_metadata() == select(a_pool(), 5, strategy).schema.remove_metadata()
    assert len(chosen) == 0


@pytest.mark.parametrize("strategy", EVERY_STRATEGY)
def test_a_single_reference_is_chosen(strategy):
    assert refs(select(a_pool(1), 3, strategy)) == ["0000"]


@pytest.mark.parametrize("strategy", EVERY_STRATEGY)
def test_references_that_are_all_alike_are_chosen_once_each(strategy):
    one = a_pool(1)
    ids = pa.array([f"{i:02d}" for i in range(25)])
    alike = pa.concat_tables([one] * 25).set_column(0, "ref_id", ids)
    assert len(set(refs(select(alike, 20, strategy)))) == 20


@pytest.mark.parametrize("strategy", EVERY_STRATEGY)
def test_what_is_labelled_is_never_chosen_again(strategy):
    pool = a_pool()
    labelled = pool.slice(0, 50)
    assert set(refs(select(pool, 60, strategy, labelled=labelled))) == {f"{i:04d}" for i in range(50, 60)}


@pytest.mark.parametrize("strategy", [s for s in STRATEGIES if STRATEGIES[s].needs - {"stratum"}])
def test_rows_with_nan_are_left_out_and_counted(strategy):
    chosen = select(spoilt(a_pool(10), 3), 10, strategy)
    assert "0003" not in refs(chosen)
    assert len(chosen) == 9
    refused = refused_rows(chosen)
    assert {rule.split()[0] for rule in refused} == STRATEGIES[strategy].needs
    assert set(refused.values()) == {1}


@pytest.mark.parametrize("strategy", [s for s in STRATEGIES if STRATEGIES[s].needs])
def test_a_column_the_strategy_needs_and_the_pool_lacks_is_named_before_any_work(strategy):
    for column in STRATEGIES[strategy].needs:
        with pytest.raises(InputError, match=f"needs {column}"):
            select(a_pool().drop_columns([column]), 5, strategy)


@pytest.mark.parametrize("strategy", [s for s in STRATEGIES if STRATEGIES[s].needs])
def test_a_needed_column_of_nulls_counts_as_lacking(strategy):
    pool = a_pool()
    for column in STRATEGIES[strategy].needs:
        nulls = pa.nulls(len(pool), pool.schema.field(column).type)
        empty = pool.set_column(pool.schema.get_field_index(column), column, nulls)
        with pytest.raises(InputError, match=f"needs {column}"):
            select(empty, 5, strategy)


@pytest.mark.parametrize(
    ("pool", "n", "strategy", "seed", "message"),
    [
        (a_pool(3), -1, "random", 0, "number to select is -1"),
        (a_pool(3), 1, "random", -1, "seed is -1"),
        (a_pool(3), 1, "astrology", 0, "no strategy 'astrology'"),
        (a_pool(3).drop_columns(["ref_id"]), 1, "random", 0, "no column ref_id"),
        (pa.concat_tables([a_pool(3)] * 2), 1, "random", 0, "3 rows of the pool repeat"),
        (pa.table({"ref_id": pa.array(["a", None])}), 1, "random", 0, "1 rows of the pool have no ref_id"),
    ],
)
def test_an_impossible_selection_is_an_error_that_says_what_is_wrong(pool, n, strategy, seed, message):
    with pytest.raises(InputError, match=message):
        select(pool, n, strategy, seed=seed)


def test_the_page_names_every_strategy_and_score():
    page = (ROOT / "docs" / "sampling.md").read_text(encoding="utf-8")
    assert [name for name in EVERY_STRATEGY if f"`{name}`" not in page] == []
