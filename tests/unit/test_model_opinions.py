"""What a model marks, as the opinions of one more annotator."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa

from labelloop.model_opinions import marks_of_model
from labelloop.spec.question import Question

NAMES = Question(name="names", type="span", prompt="Who?", labels=[{"value": "person"}])
UNITS = pa.table(
    {"unit_id": ["u1", "u2"], "kind": ["single"] * 2, "ref_ids": [["r1"], ["r2"]], "media_versions": [["v1"], ["v2"]]}
)
SPANS = pa.list_(
    pa.struct([("label", pa.string()), ("score", pa.float64()), ("start", pa.int64()), ("end", pa.int64())])
)


def spans(*places, score=0.9):
    return [{"label": "person", "score": score, "start": start, "end": end} for start, end in places]


def marked(*rows):
    names = ("ref_id", "media_version", "model_version", "created_at")
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    days = [datetime(2026, 1, day, tzinfo=UTC) for day in columns["created_at"]]
    table = pa.table({**columns, "created_at": days, "spans": pa.array([row[4] for row in rows], SPANS)})
    found = marks_of_model(table, UNITS, column="spans", question=NAMES)
    return {
        row["unit"]: (row["annotator"], [(one["start"], one["end"]) for one in row["regions"]])
        for row in found.to_pylist()
    }


def test_the_newest_model_that_marks_anything_answers_for_the_units_that_show_what_it_read():
    said = marked(
        ("r1", "v1", "older", 1, spans((0, 1))),
        ("r1", "v1", "newer", 2, spans((2, 5), (7, 9))),
        ("r2", "v1", "newer", 2, spans((0, 3))),
        ("r1", "v1", "classes", 3, None),
    )
    assert said == {"u1": ("model:newer", [(2, 5), (7, 9)])}


def test_what_a_model_thinks_less_likely_than_not_is_not_said_and_nothing_marked_is():
    assert marked(("r1", "v1", "m", 1, spans((0, 1), score=0.4)), ("r2", "v2", "m", 1, [])) == {
        "u1": ("model:m", []),
        "u2": ("model:m", []),
    }
