"""A model as one more annotator: what it says of the units that show what it was asked about."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from labelloop.sql import session

_SAID: Final = """
SELECT $control AS control, u.unit_id AS unit, 'model:' || p.model_version AS annotator, p.predicted AS value
FROM predictions p JOIN units u
  ON u.kind = 'single' AND u.ref_ids[1] = p.ref_id AND u.media_versions[1] = p.media_version
WHERE p.model_version = $model AND p.predicted IS NOT NULL
ORDER BY u.unit_id
"""


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
