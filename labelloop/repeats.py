"""Answers that somebody gave to the same media twice, months apart: how far people agree with themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.sql import session

# A repeat is a unit of its own; what it shows is the same.
_TWICE: Final = """
SELECT a.annotator AS who, array_to_string(u.ref_ids || u.media_versions, '/') AS unit,
       row_number() OVER (PARTITION BY who, unit ORDER BY a.updated_at, a.unit_id) AS turn, a.unit_id
FROM rows a JOIN units u ON u.unit_id = a.unit_id
QUALIFY turn <= 2 AND count(*) OVER (PARTITION BY who, unit) > 1
ORDER BY who, unit, turn
"""


def repeats(rows: pa.Table, answers: pa.Table, units: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Yield each annotator who was asked about something twice, with ratings: unit (what was shown), first or again.

    Args:
        rows: `unit_id, annotator, updated_at` of the contract `annotations`.
        answers: the same answers as unit, annotator, value, and any column that clusters units.
        units: rows of the contract `units`.
    """
    with session() as db:
        db.register("rows", rows.select(["unit_id", "annotator", "updated_at"]))
        db.register("units", units.select(["unit_id", "ref_ids", "media_versions"]))
        twice = db.sql(_TWICE).to_arrow_table()
    place = pc.index_in(names_of(twice["unit_id"], twice["who"]), names_of(answers["unit"], answers["annotator"]))
    turn = pc.if_else(pc.equal(twice["turn"], 1), "first", "again")
    told = answers.drop_columns(["unit", "annotator"]).take(place)
    said = told.append_column("unit", twice["unit"]).append_column("annotator", turn)
    for who in sorted(pc.unique(twice["who"]).to_pylist()):
        yield who, said.filter(pc.equal(twice["who"], who))


def units_shown_twice(units: pa.Table) -> pa.Array:
    """Return the units whose media another unit shows, too.

    >>> units = {"unit_id": ["u", "v", "w"], "ref_ids": [["a"], ["a"], ["b"]], "media_versions": [["1"]] * 3}
    >>> units_shown_twice(pa.table(units)).to_pylist()
    ['u', 'v']
    """
    with session() as db:
        db.register("units", units.select(["unit_id", "ref_ids", "media_versions"]))
        twice = (
            "SELECT unit_id FROM units QUALIFY count(*) OVER (PARTITION BY ref_ids, media_versions) > 1 ORDER BY 1"
        )
        return db.sql(twice).to_arrow_table()["unit_id"].combine_chunks()


def names_of(unit: pa.ChunkedArray, annotator: pa.ChunkedArray) -> pa.Array:
    """The name of each answer: unit and annotator."""
    return pc.binary_join_element_wise(unit, annotator, "/").combine_chunks()
