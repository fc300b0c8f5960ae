"""Plackett (1975) and Luce (1959): one order of items from several rankings, each of which may leave items out.

An item is ranked next with a probability in proportion to its strength among those not ranked yet. Fitted by the
minorisation-maximisation of Hunter (2004); what somebody left unranked is not last, it is not there.
"""

from __future__ import annotations

import json
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from labelloop.agreement.rankings import read_rankings
from labelloop.agreement.ratings import FloatArray, IntArray, Ratings, select_columns
from labelloop.consensus.item_consensus import ItemConsensus, item_table
from labelloop.consensus.label_table import label_table
from labelloop.consensus.posterior import TIE, Settings
from labelloop.consensus.rulings import join_rulings

PHANTOM: Final = 0.1  # imagined wins of each item over one of average strength, and as many losses


def plackett_luce(
    table: pa.Table | pd.DataFrame,
    *,
    rulings: pa.Table | pd.DataFrame | None = None,
    break_ties: bool = False,
    settings: Settings | None = None,
) -> ItemConsensus:
    """For each unit its items as a JSON list, strongest first, from all rankings of all units.

    `confidence` is the mean probability, over pairs of the list, that the first is ranked before the second;
    `probabilities` say of each item in `classes` that it is the best of the unit. Items of equal strength tie.

    Args:
        table: unit, annotator, value: a list of items, best first, or its JSON text.
        rulings: table unit, value of an expert; they win, and count as one ranking more.
        break_ties: take equal items in the order of their names instead of giving no label.
        settings: when to stop.

    Raises:
        InputError: rankings or rulings that cannot be used.

    >>> lists = {"unit": [1, 1], "annotator": [*"ab"], "value": ['["x", "y", "z"]', '["x", "z"]']}
    >>> plackett_luce(pd.DataFrame(lists)).table["label"].to_pylist()
    ['["x", "y", "z"]']
    """
    ratings, known = join_rulings(read_rankings(table).ratings, _as_text(rulings))
    lists = [json.loads(text) for text in ratings.values.to_pylist()]
    names = sorted({item for ranked in lists for item in ranked})
    ruled = np.flatnonzero(known >= 0)
    given = np.concatenate([ratings.value, known[ruled]])
    ranked = _padded(lists, names)[given]
    strength, converged, steps = _fit(ranked, len(names), settings or Settings())
    orders = _orders(np.concatenate([ratings.unit, ruled]), ranked, strength, len(ratings.units))
    n = np.bincount(ranked[ranked >= 0], minlength=len(names))
    return ItemConsensus(
        _labels(ratings, known, orders, names, strength, break_ties=break_ties),
        item_table(names, np.log(strength), n),
        None,
        converged,
        steps,
    )


def _as_text(rulings: pa.Table | pd.DataFrame | None) -> pd.DataFrame | None:
    """Rulings with lists as the JSON text that ratings have."""
    if rulings is None:
        return None
    rows = select_columns(rulings, ("unit", "value"), "rulings").to_pandas()
    ratings = read_rankings(rows.assign(annotator="expert")).ratings
    unit, value = ratings.units.take(pa.array(ratings.unit)), ratings.values.take(pa.array(ratings.value))
    return pd.DataFrame({"unit": unit.to_pylist(), "value": value.to_pylist()})


def _padded(lists: list[list[str]], names: list[str]) -> IntArray:
    """One row of item codes per list, -1 behind its last."""
    code = {name: place for place, name in enumerate(names)}
    rows = np.full((len(lists), max(map(len, lists), default=0)), -1, dtype=np.int64)
    for row, ranked in enumerate(lists):
        rows[row, : len(ranked)] = [code[item] for item in ranked]
    return rows


def _fit(ranked: IntArray, n_items: int, settings: Settings) -> tuple[FloatArray, bool, int]:
    """Strengths, of which an average one is 1, whether they came to rest, and the steps taken."""
    there = ranked >= 0
    chosen = there & np.roll(np.pad(there, ((0, 0), (0, 1))), -1, axis=1)[:, :-1]  # the last one is no choice
    wins = np.bincount(ranked[chosen], minlength=n_items) + PHANTOM
    strength: FloatArray = np.ones(n_items)
    converged, steps = not n_items, 0
    while not converged and steps < settings.max_iter:
        worth = np.where(there, strength[ranked], 0.0)
        rest = np.cumsum(worth[:, ::-1], axis=1)[:, ::-1]
        met = np.cumsum(np.where(chosen, 1.0 / np.where(chosen, rest, 1.0), 0.0), axis=1)
        lost = np.bincount(ranked[there], weights=met[there], minlength=n_items) + 2.0 * PHANTOM / (strength + 1.0)
        previous, strength = strength, _centred(wins / lost)
        converged = bool(np.abs(np.log(strength / previous)).sum() < settings.tol * n_items)
        steps += 1
    return strength, converged, steps


def _centred(strength: FloatArray) -> FloatArray:
    """The strengths times what suits the phantom best: rankings say nothing of it, so the steps above crawl there."""
    pull = np.tanh(np.log(strength) / 2.0)
    return np.asarray(strength * np.exp(np.clip(-2.0 * pull.sum() / (1.0 - pull**2).sum(), -1.0, 1.0)))


def _orders(unit: IntArray, ranked: IntArray, strength: FloatArray, n_units: int) -> list[IntArray]:
    """Items that anybody ranked in each unit, strongest first, equal ones by name."""
    there = ranked >= 0
    pairs = np.unique(np.column_stack([np.repeat(unit, there.sum(axis=1)), ranked[there]]), axis=0)
    of_unit, item = pairs[np.lexsort((pairs[:, 1], -strength[pairs[:, 1]], pairs[:, 0]))].T
    return np.split(item, np.searchsorted(of_unit, np.arange(1, n_units)))[:n_units]


def _labels(
    ratings: Ratings,
    known: IntArray,
    orders: list[IntArray],
    names: list[str],
    strength: FloatArray,
    *,
    break_ties: bool,
) -> pa.Table:
    texts = ratings.values.to_pylist()
    ruling = [texts[code] if code >= 0 else None for code in known.tolist()]
    classes = [[names[code] for code in order] for order in orders]
    found = [
        _label(items, strength[order], ruled, break_ties=break_ties)
        for items, order, ruled in zip(classes, orders, ruling, strict=True)
    ]
    return label_table(
        ratings,
        known,
        "plackett-luce",
        label=pa.array([label for label, _, _ in found], pa.string()),
        confidence=np.array([sure for _, sure, _ in found]),
        probabilities=pa.array([best for _, _, best in found], pa.list_(pa.float64())),
        classes=pa.array(classes, pa.list_(pa.string())),
    )


def _label(
    items: list[str], worth: FloatArray, ruled: str | None, *, break_ties: bool
) -> tuple[str | None, float, FloatArray]:
    """Label, confidence, and the probability of each item to be the best; items come strongest first."""
    if ruled is not None:
        return ruled, 1.0, np.isin(items, json.loads(ruled)[:1]).astype(np.float64)
    before, after = np.triu_indices(len(worth), 1)
    sure = float((worth[before] / (worth[before] + worth[after])).mean()) if len(before) else float(len(worth) == 1)
    tied = bool((worth[:-1] - worth[1:] <= TIE * worth[:-1]).any()) and not break_ties
    label = None if tied or not items else json.dumps(items, ensure_ascii=False)
    return label, sure, worth / worth.sum()
