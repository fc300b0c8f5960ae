"""Intervals of the night resample people and sources, not their pictures one by one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from labelloop.clusters import clusters_of
from labelloop.contracts import contract
from labelloop.night import agreement_rows
from labelloop.scoped_figures import Beside
from tests.builders.answers import NOW, answer
from tests.builders.every_kind import EVERY_KIND, LABELS, answers_of

N, COPIES = 24, 5


def people(**subjects):
    names = [*subjects]
    columns = {"ref_id": names, "subject_hmac": [subjects[name] for name in names]}
    return pa.table(columns | {"source_hmac": ["s" if name in "de" else None for name in names]})


def test_a_subject_comes_before_a_source_and_a_source_before_the_media_itself():
    units = {
        "u": ["a"],
        "v": ["b"],
        "w": ["d"],
        "x": ["e"],
        "y": ["f"],
        "z": ["f"],
        "pair": ["a", "b"],
        "mix": ["a", "f"],
    }
    table = pa.table({"unit_id": [*units], "ref_ids": [*units.values()]})
    found = clusters_of(table, people(a="1", b="1", c="2", d=None, e=None, f=None)).to_pylist()
    of = {row["unit_id"]: row["cluster"] for row in found}
    assert of["u"] == of["v"] == of["pair"]
    assert of["w"] == of["x"]
    assert of["y"] == of["z"]
    assert len(set(of.values())) == 4


def one_after_the_other(rows, clusters=None):
    table = pa.Table.from_pylist(list(rows), schema=contract("annotations").schema)
    beside = Beside(clusters=clusters)
    found = agreement_rows(table, round=1, n_min=5, seed=0, at=NOW, beside=beside).to_pylist()
    return {(row["scope"], row["who"], row["metric"]): row for row in found}


def width(row):
    return row["high"] - row["low"]


def copied():
    """Answers to copies of few units: each copy is answered like the first."""
    rng = np.random.default_rng(1)
    said = {(unit, who): LABELS[int(rng.integers(3))] for unit in range(N) for who in "ab"}
    for unit in range(N):
        for copy in range(COPIES):
            for who in "ab":
                value = LABELS[unit % 3] if unit % 2 else said[unit, who]
                yield answer(f"{unit * COPIES + copy:032x}", who, value, prediction_shown=bool(unit % 4))


def clusters(n_units, of_each):
    names = [f"{unit:032x}" for unit in range(n_units)]
    return pa.table({"unit_id": names, "cluster": [names[unit // of_each * of_each] for unit in range(n_units)]})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scope", "who", "metric"),
    [
        ("project", "", "krippendorff_alpha"),
        ("project", "", "percent_agreement"),
        ("label", LABELS[0], "krippendorff_alpha"),
        ("predictions", "shown", "fleiss_kappa"),
        ("pair", "a b", "cohen_kappa"),
        ("annotator", "a", "percent_agreement"),
        ("change", "", "prediction_effect"),
    ],
)
def test_pictures_of_few_people_prove_less_than_as_many_of_different_ones(scope, who, metric):
    alone, together = one_after_the_other(copied()), one_after_the_other(copied(), clusters(N * COPIES, COPIES))
    name = (scope, who, metric)
    assert together[name]["value"] == pytest.approx(alone[name]["value"])
    assert width(together[name]) > 1.5 * width(alone[name])


def test_where_every_unit_is_of_another_person_nothing_changes():
    assert one_after_the_other(copied(), clusters(N * COPIES, 1)) == one_after_the_other(copied())


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(set(EVERY_KIND) - {"relation"}))
def test_figures_of_every_kind_can_be_clustered(kind):
    rows = list(answers_of(kind))
    units = sorted({row["unit_id"] for row in rows})
    of = pa.table({"unit_id": units, "cluster": [units[place // 3] for place in range(len(units))]})
    alone, together = one_after_the_other(rows), one_after_the_other(rows, of)
    assert alone.keys() == together.keys()
    assert all(row["value"] in (None, pytest.approx(alone[name]["value"])) for name, row in together.items())
    assert any(width(row) != width(alone[name]) for name, row in together.items() if row["value"] is not None)
