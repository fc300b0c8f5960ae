"""A model as one more annotator: what it says of the units that show what it was asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import pyarrow as pa

from labelloop.contracts import contract
from labelloop.errors import InputError
from labelloop.interface.region import Region
from labelloop.spec.question import Question
from labelloop.sql import session

# Which column of `predictions` answers which kind of question about which media.
MARKED: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {("image", "rectangle"): "boxes", ("text", "span"): "spans"}
)
SURE: Final = 0.5  # what a model thinks less likely than not it does not say

_SAID: Final = """
SELECT $control AS control, u.unit_id AS unit, 'model:' || p.model_version AS annotator, p.predicted AS value
FROM predictions p JOIN units u
  ON u.kind = 'single' AND u.ref_ids[1] = p.ref_id AND u.media_versions[1] = p.media_version
WHERE p.model_version = $model AND p.predicted IS NOT NULL
ORDER BY u.unit_id
"""
_MARKS: Final = """
WITH given AS (SELECT * FROM predictions WHERE marks IS NOT NULL),
newest AS (SELECT model_version FROM given ORDER BY created_at DESC, model_version LIMIT 1)
SELECT u.unit_id AS unit, 'model:' || p.model_version AS annotator, p.marks
FROM given p JOIN newest USING (model_version) JOIN units u
  ON u.kind = 'single' AND u.ref_ids[1] = p.ref_id AND u.media_versions[1] = p.media_version
ORDER BY u.unit_id
"""
_SIDES: Final = ("x", "y", "width", "height")


def opinions_of_model(predictions: pa.Table, units: pa.Table, *, model: str, control: str) -> pa.Table:
    """Return the most probable class of each single unit as an opinion: control, unit, annotator, value.

    Its probabilities do not count, only how often its choice is right: a model that is too sure of itself is seen
    through like any annotator.

    Args:
        predictions: rows of the contract `predictions`.
        units: rows of the contract `units`; a prediction of other media than the unit shows is left out.
        model: version of the model.
        control: name of the question it answers.
    """
    with session() as db:
        db.register("predictions", predictions)
        db.register("units", units)
        return db.sql(_SAID, params={"control": control, "model": model}).to_arrow_table()


def marks_of_model(predictions: pa.Table, units: pa.Table, *, column: str, question: Question) -> pa.Table:
    """Return what the newest model that marks anything marks in each single unit, with a score of at least one half.

    Columns: control, control_type, unit, annotator, regions, raw. Marking nothing is an answer too, null is none.

    Args:
        predictions: as for `opinions_of_model`.
        units: see there.
        column: one of `MARKED`.
        question: that the model answers.

    Raises:
        InputError: boxes are not in percent of the image.
    """
    with session() as db:
        db.register("predictions", predictions.rename_columns({column: "marks"}))
        db.register("units", units)
        said = db.sql(_MARKS).to_arrow_table()
    marks = [[one for one in found if one["score"] >= SURE] for found in said["marks"].to_pylist()]
    if column == "boxes":
        _refuse_unless_percent([box for boxes in marks for box in boxes])
    regions = [[_region(place, mark) for place, mark in enumerate(found)] for found in marks]
    columns = {
        "control": pa.repeat(question.name, said.num_rows),
        "control_type": pa.repeat(question.type, said.num_rows),
        "unit": said["unit"],
        "annotator": said["annotator"],
        "regions": pa.array(regions, contract("annotations").schema.field("regions").type),
        "raw": pa.repeat("[]", said.num_rows),
    }
    return pa.table(columns)


def _region(place: int, mark: Mapping[str, Any]) -> Region:
    points = [mark[side] for side in _SIDES] if "x" in mark else None
    return Region(str(place), [mark["label"]], points, start=mark.get("start"), end=mark.get("end"))


def _refuse_unless_percent(boxes: Sequence[Mapping[str, Any]]) -> None:
    """Refuse pixels, which reach beyond 100, and shares of the image, which all end before 1."""
    ends = [max(box["x"] + box["width"], box["y"] + box["height"]) for box in boxes]
    if ends and not 1.0 < max(ends) <= 100.5:
        raise InputError(
            f"boxes of the model end at up to {max(ends):g}, so they are not in percent of the image",
            remedy="give the model's boxes in percent, or set consensus.model to false",
        )
