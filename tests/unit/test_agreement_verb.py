"""`labelloop agreement` on a file of annotations: answers of every kind, and what is refused."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deployments.cli.statistics_verbs import agreement
from labelloop.contracts import contract
from labelloop.errors import ContractError, InputError
from tests.builders.answers import answer
from tests.builders.every_kind import answers_of


@pytest.fixture
def annotations(tmp_path):
    def write(*rows):
        path = tmp_path / "annotations.parquet"
        pq.write_table(pa.Table.from_pylist(list(rows), schema=contract("annotations").schema), path)
        return path

    return write


@pytest.mark.parametrize(
    ("kind", "first"),
    [("rectangle", "mean_iou"), ("span", "mean_iou"), ("text", "edit_similarity"), ("ranking", "kendall_tau_b")],
)
def test_annotations_are_compared_as_their_kind_is(annotations, kind, first, capsys):
    agreement(annotations(*answers_of(kind), *answers_of("choices")), control=kind, json=True)
    figures = json.loads(capsys.readouterr().out)
    assert figures[0]["metric"] == first
    assert figures[0]["low"] <= figures[0]["value"] <= figures[0]["high"]


def test_without_overlap_every_figure_is_a_reason_and_the_exit_code_is_1(annotations, capsys):
    with pytest.raises(SystemExit, match="1"):
        agreement(annotations(answer("0" * 32, "a", "x"), answer("1" * 32, "b", "y")), json=True)
    assert {figure["reason"] for figure in json.loads(capsys.readouterr().out)} == {
        "no unit was rated by two annotators"
    }


def test_one_unit_is_too_few_for_every_kind(annotations, capsys):
    with pytest.raises(SystemExit, match="1"):
        agreement(annotations(*answers_of("rectangle", n_units=1)), json=True)
    figures = json.loads(capsys.readouterr().out)
    assert all(figure["reason"] for figure in figures)
    assert "units whose answers can be compared: 1, fewer than 5" in {figure["reason"] for figure in figures}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"control": "box"}, "no rating of control 'box'"),
        ({}, "choose by --control: choices, text"),
        ({"control": "text", "level": "ordinal"}, "--level cannot be chosen"),
        ({"control": "text", "metric": ("fleiss_kappa",), "category": ("x",)}, "--metric and --category cannot"),
    ],
)
def test_what_does_not_fit_annotations_is_named(annotations, settings, told):
    path = annotations(*answers_of("text"), *answers_of("choices"))
    with pytest.raises(InputError, match=told):
        agreement(path, **settings)


def test_annotations_that_all_were_skipped_hold_no_answer(annotations):
    with pytest.raises(InputError, match="no active answer"):
        agreement(annotations(answer("0" * 32, "a", "x", state="cancelled")))


def test_annotations_of_another_shape_are_refused(tmp_path):
    path = tmp_path / "annotations.parquet"
    rows = pa.Table.from_pylist([answer("0" * 32, "a", "x")], schema=contract("annotations").schema)
    pq.write_table(rows.set_column(rows.column_names.index("number"), "number", pa.array(["three"])), path)
    with pytest.raises(ContractError, match="number"):
        agreement(path)
