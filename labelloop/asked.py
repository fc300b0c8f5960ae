"""What was asked before, as far as the next batch needs it: what to ask again, what answers cost, what connects.

Which references may be chosen anew is decided in `labelloop.pool`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.sql import session

# Only what is shown as it was then, and never an audit reference: its answers would no longer be of strangers to it.
_ANSWERED = """
CREATE TEMP TABLE answered AS
SELECT DISTINCT u.ref_ids[1] AS ref_id, u.media_versions[1] AS media_version, l.decided_by
FROM labels l JOIN units u USING (unit_id)
JOIN asked a ON a.ref_id = u.ref_ids[1] AND a.media_version = u.media_versions[1]
WHERE u.kind = 'single' AND u.purpose = 'label' AND l.state = 'accepted'
"""

_UNUSED = """
SELECT DISTINCT ref_id FROM answered
WHERE ($expert IS FALSE OR decided_by = 'expert')
  AND (ref_id, media_version) NOT IN (SELECT (ref_ids[1], media_versions[1]) FROM units WHERE purpose = $purpose)
ORDER BY ref_id
"""

_TIMES = """
SELECT a.stratum, t.lead_time AS seconds
FROM annotations t JOIN units u USING (unit_id) JOIN asked a ON a.ref_id = u.ref_ids[1]
WHERE t.state = 'active'
"""


class Repeatable(NamedTuple):
    """References (`ref_id`) that can be asked again: `gold` has an expert's answer, `answered` any accepted one."""

    gold: pa.Table
    answered: pa.Table


def repeatable(labels: pa.Table, units: pa.Table, asked: pa.Table) -> Repeatable:
    """The references whose answer is known and that were not asked again for the same purpose yet.

    Args:
        labels: rows of the contract `labels`.
        units: rows of the contract `units`.
        asked: `ref_id, media_version` of what was asked about and still is as it was.
    """
    with session() as db:
        for name, table in (("labels", labels), ("units", units), ("asked", asked)):
            db.register(name, table)
        db.execute(_ANSWERED)
        purposes = (("gold", True), ("repeat", False))
        found = [db.sql(_UNUSED, params={"purpose": p, "expert": e}).to_arrow_table() for p, e in purposes]
    return Repeatable(*found)


def answer_times(annotations: pa.Table, units: pa.Table, asked: pa.Table) -> pa.Table:
    """How long each answer took: `stratum` of its reference, `seconds`; null where the server did not time it.

    Args:
        annotations: rows of the contract `annotations`.
        units: rows of the contract `units`.
        asked: `ref_id, stratum` of what was asked about.
    """
    with session() as db:
        for name, table in (("annotations", annotations), ("units", units), ("asked", asked)):
            db.register(name, table)
        return db.sql(_TIMES).to_arrow_table()


def earlier_units(units: pa.Table, kind: str) -> dict[str, list[list[str]]]:
    """Members of each unit of a kind asked before, by purpose.

    >>> units = {"kind": ["pair", "list"], "purpose": ["label"] * 2, "ref_ids": [["a", "b"], ["a", "b", "c"]]}
    >>> earlier_units(pa.table(units), "pair")
    {'label': [['a', 'b']]}
    """
    found = defaultdict(list)
    for row in units.filter(pc.equal(units["kind"], kind)).select(["purpose", "ref_ids"]).to_pylist():
        found[row["purpose"]].append(row["ref_ids"])
    return dict(found)
