"""Export: what goes into a training set, in which split, under which name, and whether it may be published."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from labelloop.card import dataset_card, split_counts
from labelloop.contracts import contract
from labelloop.export import agreement_gate, dataset_version, parquet_bytes, splits, training_rows
from tests.builders.labelled_units import N, figure, tables
from tests.builders.rows import hex_id, rows_of


def export(given: dict[str, pa.Table], **options) -> pa.Table:
    usual = {"closed_rounds": [1], "salt": "s", "validation_share": 0.0, "test_share": 0.0}
    return training_rows(**given, **(usual | options))


def exported(**changes) -> list[int]:
    return [int(unit, 16) for unit in export(tables(**changes))["unit_id"].to_pylist()]


def test_every_accepted_label_becomes_one_row_of_the_contract():
    rows = export(tables())
    assert rows.schema == contract("training_set").schema
    assert rows.num_rows == N
    assert rows["media_uri"].to_pylist()[3] == "s3://media/in/3"


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": {2: {"state": "conflict", "label": None}}},
        {"references": {2: {"media_version": "v2"}}},
        {"references": {2: {"state": "restricted"}}},
        {"references": {2: {"state": "missing"}}},
        {"units": {2: {"purpose": "repeat"}}},
        {"units": {2: {"kind": "pair", "ref_ids": [hex_id(2), hex_id(3)], "media_versions": ["v1", "v1"]}}},
    ],
    ids=["conflict", "changed media", "restricted", "missing", "repeat", "pair"],
)
def test_what_may_not_be_trained_on_is_left_out(changes):
    assert exported(**changes) == [i for i in range(N) if i != 2]


def test_of_a_group_of_near_duplicates_the_one_that_was_shown_is_trained_on():
    group = {"kind": "group", "ref_ids": [hex_id(2), hex_id(3)], "media_versions": ["v1", "v1"]}
    rows = export(tables(units={2: group}))
    assert rows.num_rows == N
    assert rows["ref_id"][2].as_py() == hex_id(2)


BOXES = [{"labels": ["cat"], "points": [1.0, 1.0, 9.0, 9.0], "confidence": 0.9, "n": 2}] * 2


def test_regions_come_with_their_label_and_the_card_counts_each():
    rows = export(tables(labels={2: {"label": '["cat"]', "regions": BOXES, "control": "box"}}))
    (found,) = rows.filter(pc.equal(rows["control"], "box")).to_pylist()
    assert found["label"] == '["cat"]'
    assert [region["points"] for region in found["regions"]] == [[1.0, 1.0, 9.0, 9.0]] * 2
    card = dataset_card("Digits", "v", rows, agreement="alpha 0.9", lineage={})
    assert (
        "## box\n\n| label of a region | train | validation | test | audit |\n|---|---|---|---|---|\n| cat | 2 |"
        in card
    )


def test_each_member_of_a_sorted_list_is_one_row_with_its_bucket():
    listed = {"kind": "list", "ref_ids": [hex_id(2), hex_id(3), hex_id(9)], "media_versions": ["v1"] * 3}
    soft = {"classes": ["keep", "drop"], "probabilities": [0.75, 0.25], "n": 4}
    ranked = [
        {"item": hex_id(member), "bucket": bucket, "confidence": 0.75, **soft}
        for member, bucket in ((3, "keep"), (2, "drop"), (7, "drop"))
    ]
    rows = export(tables(units={1: listed}, labels={1: {"label": "{}", "ranked": ranked}})).to_pylist()
    found = [row for row in rows if row["unit_id"] == hex_id(1)]
    assert [(row["ref_id"], row["label"]) for row in found] == [(hex_id(2), "drop"), (hex_id(3), "keep")]
    assert {(row["confidence"], *row["probabilities"], row["n"]) for row in found} == {(0.75, 0.75, 0.25, 4)}
    assert all(row["ranked"] is None for row in found)
    assert len(rows) == N + 1


def test_audit_units_are_in_the_audit_split_and_no_other():
    audit = {i: {"purpose": "audit"} for i in (1, 4)}
    rows = export(tables(units=audit), validation_share=0.3, test_share=0.3)
    found = {int(r["unit_id"], 16) for r in rows.to_pylist() if r["split"] == "audit"}
    assert found == {1, 4}


def test_audit_answers_of_an_open_round_wait():
    units = {0: {"purpose": "audit", "round": 1}, 1: {"purpose": "audit", "round": 2}, 2: {"round": 2}}
    rows = export(tables(units=units), closed_rounds=[1])
    assert [int(u, 16) for u in rows["unit_id"].to_pylist()] == [0, 2, 3, 4, 5, 6, 7]


def test_all_media_of_one_subject_are_in_one_split():
    subjects = {i: {"subject_hmac": f"{i % 40:064x}"} for i in range(400)}
    given = tables(400, references=subjects)
    split = export(given, validation_share=0.25, test_share=0.25)["split"].to_pylist()
    assert all(len({split[i] for i in range(s, 400, 40)}) == 1 for s in range(40))
    assert set(split) == {"train", "validation", "test"}


def test_a_split_never_changes_when_others_arrive_or_shares_of_train_shrink():
    few, many = pa.array([f"g{i}" for i in range(50)]), pa.array([f"g{i}" for i in range(500)])
    before = splits(few, "salt", 0.1, 0.1)
    assert splits(many, "salt", 0.1, 0.1)[:50].tolist() == before.tolist()
    held_out = before != "train"
    assert (splits(few, "salt", 0.3, 0.1)[held_out] == before[held_out]).all()
    assert splits(few, "other salt", 0.1, 0.1).tolist() != before.tolist()


def test_the_shares_are_met_on_the_average():
    counts = Counter(splits(pa.array([f"g{i}" for i in range(20_000)]), "salt", 0.1, 0.2).tolist())
    assert counts["validation"] / 20_000 == pytest.approx(0.1, abs=0.01)
    assert counts["test"] / 20_000 == pytest.approx(0.2, abs=0.01)


def test_the_same_rows_in_any_order_have_the_same_bytes_and_version():
    rows = export(tables())
    shuffled = rows.take(pa.array([5, 2, 7, 0, 1, 6, 3, 4]))
    pieces = pa.concat_tables([rows.slice(0, 3), rows.slice(3)])
    assert parquet_bytes(shuffled) == parquet_bytes(rows) == parquet_bytes(pieces)


def test_another_label_gives_another_version():
    versions = {dataset_version(parquet_bytes(export(tables(labels={0: {"label": value}})))) for value in "01"}
    assert len(versions) == 2


@pytest.mark.parametrize(
    ("figures", "planned", "is_open", "reason"),
    [
        ([figure(0.8, 0.7, 0.9)], True, True, r"0\.80 \[0\.70, 0\.90\] reaches the gate 0\.60"),
        ([figure(0.5, 0.3, 0.7)], True, False, r"0\.50 \[0\.30, 0\.70\] is below the gate"),
        ([figure(0.5), figure(0.8, round=2)], True, True, "reaches"),
        ([figure(0.9, metric="percent_agreement")], True, False, "not measured yet"),
        ([figure(0.9, scope="pair")], True, False, "not measured yet"),
        ([figure(None)], True, False, "cannot be given"),
        ([figure(None)], False, True, "cannot be given"),
        ([], False, True, "not measured"),
        ([figure(0.5)], False, False, "below"),
    ],
)
def test_the_gate_opens_on_measured_agreement(figures, planned, is_open, reason):
    rows = rows_of("agreement", figures)
    gate = agreement_gate(rows, ["digit"], threshold=0.6, overlap_planned=planned)
    assert gate.is_open is is_open
    assert pc.match_substring_regex(pa.array([gate.reason]), reason)[0].as_py(), gate.reason


def test_one_question_below_the_gate_shuts_it_for_all():
    rows = rows_of("agreement", [figure(0.9), figure(0.1, control="colour")])
    gate = agreement_gate(rows, ["digit", "colour"], threshold=0.6, overlap_planned=True)
    assert not gate.is_open


def test_the_card_counts_labels_by_split_and_cannot_be_broken_by_a_label():
    given = tables(labels={0: {"label": "a | b\n# <script>"}}, units={1: {"purpose": "audit"}})
    rows = export(given)
    card = dataset_card("Digits", "v", rows, agreement="alpha 0.9", lineage={"table labels": 3})
    assert "| a \\| b \\# &lt;script> | 1 | 0 | 0 | 0 |" in card
    assert "| 1 | 3 | 0 | 0 | 1 |" in card
    assert split_counts(rows) == {"train": 7, "validation": 0, "test": 0, "audit": 1}
    assert "in/" not in card
