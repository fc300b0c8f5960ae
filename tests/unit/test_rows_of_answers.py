"""One export, two ways: the rows of `labelloop convert`, made by columns, are those that collect makes one by one."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from deployments.cli.convert_verb import convert_file
from labelloop.collect import Reader
from labelloop.contracts import contract
from labelloop.spec import load_spec
from labelloop.workbench import task_from_wire
from tests.builders.digits import SPEC

MOMENT = "2026-11-21T23:50:00.914371Z"
BOX = {"x": 10, "y": 20.5, "width": 30, "height": 5}
FRAMES = [{"frame": 1, **BOX, "rotation": 2, "enabled": True}, {"frame": 9, **BOX, "enabled": False}]
ARROW = {"type": "relation", "from_id": "box", "to_id": "turned", "direction": "bi", "labels": ["owns"]}


def item(kind, value, control=None, **more):
    return {"from_name": control or f"of {kind}", "to_name": "object", "type": kind, "value": value, **more}


RESULTS = [
    [item("choices", {"choices": ["b", "ä"]}), item("rating", {"rating": 4}), item("number", {"number": 2.5})],
    [item("taxonomy", {"taxonomy": [["cat"], ["dog", "pug"]]}), item("textarea", {"text": ["one", "two"]})],
    [item("datetime", {"datetime": "2026-11-02"}), item("pairwise", {"selected": "left"})],
    [item("ranker", {"ranker": {"_": ["i0"], "best": ["i2", "i1"], "worst": []}})],
    [item("ranker", {"ranker": {"plain": ["x2", "x1"]}}, "plain")],
    [
        item("rectanglelabels", BOX | {"rectanglelabels": ["car", "bus"], "ocrtext": "KA 1"}, id="box"),
        item("rectanglelabels", BOX | {"rotation": 7.5}, id="turned"),
        item("choices", {"choices": ["old"]}, "per region", id="box"),
        item("choices", {"choices": ["new"]}, "per region", id="turned"),
        ARROW,
    ],
    [item("ellipselabels", {"x": 1, "y": 2, "radiusX": 3, "radiusY": 4, "ellipselabels": ["car"]}, id="e")],
    [item("polygonlabels", {"points": [[1, 2], [3, 4.5], [5, 6]], "polygonlabels": ["car"]}, id="p")],
    [item("keypointlabels", {"x": 1, "y": 2, "keypointlabels": []}, id="k")],
    [item("brushlabels", {"format": "rle", "rle": [0, 1], "brushlabels": ["car"]}, id="m")],
    [item("rectangle", BOX, "bare", id="b"), item("labels", BOX | {"labels": ["seal"]}, "name", id="b")],
    [item("labels", {"start": 0, "end": 5, "text": "Alice", "labels": ["PER"]}, "span", id="s")],
    [item("labels", {"start": 1.5, "end": 2.5, "channel": 0, "labels": ["talk"]}, "segment", id="a")],
    [item("timelinelabels", {"ranges": [{"start": 1, "end": 9}, {"start": 20, "end": 21}]}, id="t")],
    [item("videorectangle", {"framesCount": 9, "sequence": FRAMES, "labels": ["car"]}, id="v")],
    [item("unheard of", {}), {"foo": 1}, item("choices", {"choices": ["kept"]})],
]


def export():
    given = {"was_cancelled": False, "created_at": MOMENT, "updated_at": MOMENT, "parent_prediction": None}
    return [
        {"id": n, "data": {"unit": f"{n:032x}"}, "overlap": 1, "is_labeled": True, "updated_at": MOMENT}
        | {"annotations": [{"id": n, "completed_by": n % 3, "lead_time": n / 2, "result": result, **given}]}
        for n, result in enumerate(RESULTS)
    ]


def collected(tasks):
    """The rows and refusals of collect, with the words of a conversion for what an export does not tell."""
    shown = {"prediction_shown": False, "guideline_version": "unknown"}
    spec = load_spec(SPEC).model_copy(
        update={"interface": load_spec(SPEC).interface.model_copy(update={"questions": ()})}
    )
    reader = Reader(spec, "export", lambda user: f"a-{user + 1}", (), {}, shown)
    read = [reader.rows(task_from_wire(task)) for task in tasks]
    rows = pa.Table.from_pylist([row for given, _ in read for row in given], schema=contract("annotations").schema)
    return rows, [(refusal.row_key, refusal.rule) for _, refused in read for refusal in refused]


def test_convert_makes_the_rows_of_collect_to_the_bit_for_every_kind_of_answer(tmp_path: Path):
    (tmp_path / "export.json").write_text(json.dumps(export()))
    convert_file(tmp_path / "export.json", tmp_path)
    rows, refused = collected(export())
    assert len(set(rows["control_type"].to_pylist())) == 18
    made = pq.read_table(tmp_path / "annotations.parquet")
    assert made.schema == rows.schema
    for name in rows.column_names:
        assert made[name].to_pylist() == rows[name].to_pylist(), name
        assert made[name].is_null().equals(rows[name].is_null()), name
    told = pq.read_table(tmp_path / "quarantine.parquet").to_pylist()
    assert [(f"{row['annotation_id']}/{row['control']}", row["rule"]) for row in told] == refused
    assert len(refused) == 2
