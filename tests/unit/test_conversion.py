"""`labelloop convert`: an export of Label Studio becomes the rows collect would have written, or a named error."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from deployments.cli import export_file
from deployments.cli.convert_verb import convert, convert_file
from deployments.cli.export_file import Tasks, tasks_in
from labelloop.contracts import contract, shaped
from labelloop.errors import InputError
from labelloop.spec.interface import Interface, Label, Question

UNIT = "0123456789abcdef" * 2
CHOICE = {"from_name": "digit", "to_name": "image", "type": "choices", "value": {"choices": ["7"]}}
BOXES = Question(name="box", type="rectangle", prompt="?", labels=(Label(value="car"),))
STARS = {"from_name": "stars", "to_name": "image", "type": "rating", "value": {"rating": 4}}


def annotation(number=1, author=5, result=(CHOICE,), **more):
    moment = "2026-11-21T23:50:00.914371Z"
    given = {"id": number, "completed_by": author, "result": list(result), "was_cancelled": False, "lead_time": 2.5}
    return given | {"created_at": moment, "updated_at": moment, "parent_prediction": None} | more


def task(*annotations, number=7, **more):
    return {"id": number, "data": {"image": "s3://b/k"}, "annotations": list(annotations), "predictions": []} | more


def converted(folder: Path, *tasks, asked=(), layout="single"):
    export = folder / "export.json"
    export.write_text(tasks[0] if isinstance(tasks[0], str) else json.dumps(tasks))
    interface = Interface(questions=asked, layout=layout) if asked else None
    figures = convert_file(export, folder / "out", interface)
    rows, refused = (pq.read_table(folder / "out" / f"{name}.parquet") for name in ("annotations", "quarantine"))
    assert shaped(contract("annotations"), rows).schema == rows.schema
    return figures, rows.to_pylist(), refused.to_pylist()


def test_an_answer_becomes_one_typed_row(tmp_path: Path):
    figures, (row,), refused = converted(tmp_path, task(annotation(), data={"unit": UNIT}))
    assert refused == []
    assert figures["rows"] == figures["annotations"] == figures["annotators"] == figures["controls"] == 1
    assert (row["annotation_id"], row["task_id"], row["unit_id"]) == ("export:1", 7, UNIT)
    assert (row["control"], row["control_type"], row["choices"], row["number"]) == ("digit", "choices", ["7"], None)
    assert (row["state"], row["lead_time"], row["prediction_shown"]) == ("active", 2.5, False)
    assert row["created_at"].isoformat() == "2026-11-21T23:50:00.914371+00:00"
    assert json.loads(row["raw"]) == [CHOICE]


def test_a_task_of_somebody_else_is_a_unit_of_its_own(tmp_path: Path):
    _, rows, _ = converted(tmp_path, task(annotation()), task(annotation(2), number=255, data={"unit": "Unit-9"}))
    assert [row["unit_id"] for row in rows] == [f"{7:032x}", f"{255:032x}"]


def test_people_are_numbered_and_neither_number_nor_address_is_kept(tmp_path: Path):
    author = {"id": 811, "email": "ann@example.org", "first_name": "Ann"}
    given = [task(annotation(1, author), annotation(2, 5)), task(annotation(3, 811), number=8)]
    figures, rows, _ = converted(tmp_path, *given)
    assert [row["annotator"] for row in rows] == ["a-1", "a-2", "a-1"]
    assert figures["annotators"] == 2
    assert "811" not in repr(rows)
    assert b"example.org" not in (tmp_path / "out" / "annotations.parquet").read_bytes()


def test_answers_of_deleted_accounts_are_each_of_somebody_unknown(tmp_path: Path):
    given = [annotation(1, None), annotation(2, 5), annotation(3, {"id": None}), annotation(4, 5)]
    figures, rows, _ = converted(tmp_path, task(*given))
    assert [row["annotator"] for row in rows] == ["a-1", "a-2", "a-3", "a-2"]
    assert (figures["annotators"], figures["refused"]) == (3, 0)


@pytest.mark.parametrize(
    ("prediction", "shown"), [({"id": 12, "result": [CHOICE]}, True), ({"id": 12, "result": []}, False), (12, True)]
)
def test_what_was_made_from_a_prediction_says_so_unless_it_only_gave_a_place_in_the_queue(
    tmp_path: Path, prediction, shown
):
    _, (row,), _ = converted(tmp_path, task(annotation(parent_prediction=12, prediction=prediction)))
    assert row["prediction_shown"] is shown


def test_drafts_and_predictions_are_no_answers(tmp_path: Path):
    figures, rows, _ = converted(tmp_path, task(drafts=[annotation()], predictions=[annotation()]))
    assert rows == []
    assert figures["annotations"] == 0


@pytest.mark.parametrize("empty", [{"was_cancelled": True, "result": ()}, {"result": ()}])
def test_what_was_skipped_is_a_cancelled_row_for_each_control_of_the_export(tmp_path: Path, empty):
    skipped = annotation(1, **empty)
    figures, rows, _ = converted(tmp_path, task(skipped), task(annotation(2, result=(CHOICE, STARS)), number=8))
    told = [
        (row["annotation_id"], row["control"], row["control_type"]) for row in rows if row["state"] == "cancelled"
    ]
    assert told == [("export:1", "digit", "choices"), ("export:1", "stars", "rating")]
    assert figures["cancelled"] == 2


def test_with_a_spec_what_was_skipped_is_a_row_for_each_question(tmp_path: Path):
    _, rows, _ = converted(tmp_path, task(annotation(result=())), asked=(BOXES,))
    assert [(row["control"], row["control_type"]) for row in rows] == [
        ("box", "rectangle"),
        ("box_confirmed", "choices"),
    ]
    assert {(row["state"], row["raw"]) for row in rows} == {("cancelled", "[]")}


def test_with_a_spec_marks_confirmed_to_be_none_are_an_empty_answer(tmp_path: Path):
    said = CHOICE | {"from_name": "box_confirmed", "value": {"choices": ["there is nothing to mark"]}}
    _, rows, _ = converted(tmp_path, task(annotation(result=[said])), asked=(BOXES,))
    assert {row["control"]: (row["state"], row["regions"]) for row in rows} == {
        "box": ("active", []),
        "box_confirmed": ("active", None),
    }


@pytest.mark.parametrize(("said", "choices"), [("neither is better", ["tie"]), ("one is better", None)])
def test_with_a_spec_neither_of_two_is_a_tie_and_a_side_not_chosen_is_no_answer(tmp_path: Path, said, choices):
    given = {"asked": (Question(name="better", type="pairwise", prompt="?"),), "layout": "pair"}
    confirmed = CHOICE | {"from_name": "better_confirmed", "value": {"choices": [said]}}
    _, rows, _ = converted(tmp_path, task(annotation(result=[confirmed])), **given)
    assert {row["control"]: row["choices"] for row in rows}.get("better") == choices
    chosen = {"from_name": "better", "to_name": "left", "type": "pairwise", "value": {"selected": "left"}}
    _, rows, _ = converted(tmp_path, task(annotation(result=[chosen, confirmed])), **given)
    assert {row["control"]: row["choices"] for row in rows} == {"better": ["left"], "better_confirmed": [said]}


def test_with_a_spec_other_labels_are_refused(tmp_path: Path):
    asked = (Question(name="digit", prompt="?", labels=(Label(value="1"), Label(value="2"))),)
    figures, rows, (refused,) = converted(tmp_path, task(annotation()), asked=asked)
    assert rows == []
    assert figures["refused"] == 1
    assert (refused["task_id"], refused["annotation_id"], refused["control"]) == (7, "export:1", "digit")
    assert refused["rule"] == "a label is none of the question's labels"


@pytest.mark.parametrize(
    ("odd", "rule"),
    [
        (task(annotation(), number=None), "no task with a number"),
        (task(annotation(), number=-1), "no task with a number"),
        ({"id": 3, "image": "s3://b/k", "digit": "7"}, "no task with a number and annotations"),
        (None, "no task with a number"),
        (task(annotation(None)), "annotation has no number"),
        (task(annotation(author=True)), "by whom"),
        (task(annotation(author="Ann")), "by whom"),
        (task(annotation(created_at="yesterday")), "when it was made"),
        (task(annotation(updated_at=None)), "when it was made"),
        (task(annotation() | {"result": None}), "no list of results"),
        (task(annotation() | {"result": {"a": 1}}), "no list of results"),
        (task(annotation(result=[{"foo": 1}])), "names no control"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_reason_and_the_rest_is_written(tmp_path: Path, odd, rule):
    good = task(annotation(9), number=99)
    figures, rows, (refused,) = converted(tmp_path, odd, good)
    assert [row["annotation_id"] for row in rows] == ["export:9"]
    assert figures["refused"] == 1
    assert rule in refused["rule"]


@pytest.mark.parametrize(
    ("given", "told"),
    [("2.5", 2.5), ("-1", None), ('"2.5"', 2.5), ('"soon"', None), ("[]", None), ("9" * 400, None)],
)
def test_a_time_that_is_none_is_left_out(tmp_path: Path, given, told):
    _, (row,), _ = converted(tmp_path, json.dumps([task(annotation(lead_time="X"))]).replace('"X"', given))
    assert row["lead_time"] == told


def test_bytes_that_are_no_text_are_refused_where_they_stand(tmp_path: Path):
    export = tmp_path / "export.json"
    given = json.dumps([task(annotation(result=["?"])), task(annotation(2), number=8)]).encode()
    export.write_bytes(given.replace(b"?", b"\xff"))
    assert convert_file(export, tmp_path / "out")["rows"] == 1
    (refused,) = pq.read_table(tmp_path / "out" / "quarantine.parquet").to_pylist()
    assert (refused["task_id"], refused["rule"]) == (7, "its annotation has no list of results that can be read")


def test_a_result_nested_too_deep_is_refused(tmp_path: Path):
    deep = json.dumps([task(annotation(result=["deep"]))]).replace('"deep"', "[" * 2000 + "]" * 2000)
    figures, _, (refused,) = converted(tmp_path, deep)
    assert figures["refused"] == 1
    assert "nested too deep" in refused["rule"]


def test_an_answer_is_read_or_refused_whatever_its_depth(tmp_path: Path):
    depths = [1, *range(950, 1010)]
    one = json.dumps(task(annotation(result=[CHOICE | {"extra": "deep"}])))
    tasks = [one.replace('"deep"', "[" * depth + "]" * depth) for depth in depths]
    figures, _, _ = converted(tmp_path, f"[{','.join(tasks)}]")
    assert (figures["rows"], figures["refused"]) == (1, len(depths) - 1)


def test_skipped_rows_of_a_control_with_answers_of_several_kinds_take_the_first(tmp_path: Path):
    other = STARS | {"from_name": "digit"}
    given = [task(annotation(n, result=result)) for n, result in enumerate([[CHOICE], [other], [CHOICE], []])]
    _, rows, _ = converted(tmp_path, *given)
    assert [row["control_type"] for row in rows] == ["choices", "rating", "choices", "choices"]


def test_the_first_kind_of_a_control_is_that_of_its_first_answer_not_of_the_first_group(tmp_path: Path):
    text = {"from_name": "g", "to_name": "image", "type": "textarea", "value": {"text": "seven"}}
    said = [CHOICE | {"from_name": "b"}], [STARS | {"from_name": "g"}], [text], []
    _, rows, _ = converted(tmp_path, *(task(annotation(n, result=result)) for n, result in enumerate(said)))
    cancelled = {row["control"]: row["control_type"] for row in rows if row["state"] == "cancelled"}
    assert cancelled == {"b": "choices", "g": "rating"}


@pytest.mark.parametrize(
    "text",
    ["", " ", "[", "5", '{"id": 1}', "[5]", '[{"id": 1]', '[{"id": 1}', '[{"id": 1}] trailing', '["\udce4"]',
     '[{"id": 1, "annotations": "none"}]', '[{"id": "\udce4"}]', '[{"id": 1, "annotations": [5]}]',
     '{"id": 1}\n{"id": 2}', "id,choice\n1,a"],
)  # fmt: skip
def test_a_file_that_is_no_export_is_named_and_nothing_is_written(tmp_path: Path, text):
    export, out = tmp_path / "export.json", tmp_path / "out"
    export.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match="is no JSON export of Label Studio"):
        convert_file(export, out)
    assert list(out.iterdir()) == []


def test_an_export_without_tasks_gives_empty_tables(tmp_path: Path):
    figures, rows, refused = converted(tmp_path, "[]")
    assert (rows, refused) == ([], [])
    assert set(figures.values()) == {0}


@pytest.mark.slow
def test_an_export_cut_off_leaves_what_was_there_before(tmp_path: Path):
    converted(tmp_path, task(annotation()))
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    cut = json.dumps([task(annotation(n), number=n) for n in range(20_000)])[:-100]
    (tmp_path / "cut.json").write_text(cut)
    with pytest.raises(InputError, match="from task 20000 on"):
        convert_file(tmp_path / "cut.json", tmp_path / "out")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_an_export_cut_off_is_named_with_its_first_task_that_is_not_whole(tmp_path: Path):
    cut = json.dumps([task(annotation(n), number=n) for n in range(3)])[:-50]
    with pytest.raises(InputError, match="from task 3 on"):
        converted(tmp_path, cut)


@pytest.mark.parametrize("start", [3, 9_999])
def test_an_export_that_became_another_while_it_was_read_is_named(tmp_path: Path, start):
    (tmp_path / "export.json").write_text(json.dumps([task(annotation())]))
    with pytest.raises(InputError, match="from task 8 on"):
        list(tasks_in(tmp_path / "export.json", start, count=7))


LOOKALIKE = '}, {"id": 1, "annotations": [], "x": "'
TRICKY = [
    task(annotation(1), data={"unit": UNIT, "text": LOOKALIKE + '\\"\\'}),
    None,
    task(annotation(2), annotation(3, result=[CHOICE, STARS]), number="8", predictions=[task(annotation(4))]),
    {"annotations": [annotation(5)], "id": 9, "data": {"[": "]", "unit": "{,"}},
    task(annotation(6), number=10, drafts=[[], {}, [{"id": 1, "data": {}}]]),
    {},
]


@pytest.mark.parametrize("layout", [{}, {"indent": 2}, {"separators": (",", ":")}, {"sort_keys": True}], ids=str)
@pytest.mark.parametrize("turned", [False, True])
def test_wherever_a_block_ends_the_tasks_are_those_of_the_file(tmp_path: Path, monkeypatch, layout, turned):
    tasks = [one for _ in range(3) for one in (TRICKY[::-1] if turned else TRICKY)]
    export = tmp_path / "export.json"
    export.write_text("\ufeff " + json.dumps(tasks, **layout) + "\n")
    whole = msgspec.json.decode(json.dumps(tasks), type=Tasks)
    for block in (8, 99, 100, 700, 1 << 20):
        monkeypatch.setattr(export_file, "BLOCK", block)
        found = [one for tasks in tasks_in(export) for one in tasks]
        assert [_told(one) for one in found] == [_told(one) for one in whole]


def _told(one):
    return None if one is None else (one.id, [a and (a.id, a.items()) for a in one.annotations or ()])


def test_a_task_as_its_neighbours_is_found_without_looking_at_every_bracket(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(export_file, "_commas", None)
    monkeypatch.setattr(export_file, "BLOCK", 5000)
    (tmp_path / "export.json").write_text(
        json.dumps([task(annotation(n), annotation(-n), number=n) for n in range(99)])
    )
    found = [one.id for tasks in tasks_in(tmp_path / "export.json") for one in tasks]
    assert found == list(range(99))


def test_the_name_of_a_file_is_no_pattern(tmp_path: Path):
    (tmp_path / "a1.json").write_text("[]")
    with pytest.raises(InputError, match="cannot be read"):
        convert_file(tmp_path / "a*.json", tmp_path / "out")


@pytest.mark.slow
def test_the_same_export_gives_the_same_files_in_its_own_order(tmp_path: Path):
    tasks = [task(annotation(n, author=n % 7), number=n) for n in range(9000)]
    written = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        _, rows, _ = converted(tmp_path / name, *tasks)
        assert [row["task_id"] for row in rows] == list(range(9000))
        written.append((tmp_path / name / "out" / "annotations.parquet").read_bytes())
    assert written[0] == written[1]
    assert pq.ParquetFile(tmp_path / "a" / "out" / "quarantine.parquet").num_row_groups == 0


def test_the_command_tells_its_figures_and_fails_when_something_was_refused(tmp_path: Path, capsys):
    export = tmp_path / "export.json"
    export.write_text(json.dumps([task(annotation(), annotation(2, result=[{"foo": 1}]))]))
    with pytest.raises(SystemExit) as ended:
        convert(export, out=tmp_path / "out", json=True)
    assert ended.value.code == 1
    assert json.loads(capsys.readouterr().out) == {
        "annotations": 2, "rows": 1, "cancelled": 0, "refused": 1, "annotators": 1, "controls": 1,
    }  # fmt: skip
