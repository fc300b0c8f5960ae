"""Clusters of units: what shows the same person, or comes from the same source, is no independent evidence.

A few people with many pictures each make the interval of a figure look narrower than it is, unless whole clusters are
resampled.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.sql import session

GROUP: Final = "group"

_NAMED: Final = """
WITH members AS (SELECT unit_id, unnest(ref_ids) AS ref_id FROM units),
     named AS (SELECT unit_id, coalesce(r.subject_hmac, r.source_hmac, m.ref_id) AS name
               FROM members m LEFT JOIN refs r USING (ref_id)),
     common AS (SELECT unit_id, CASE WHEN min(name) = max(name) THEN min(name) ELSE unit_id END AS name
                FROM named GROUP BY unit_id)
"""
# Digests of people and sources stay in here: a cluster is called after its first unit.
_CLUSTERS: Final = (
    f"{_NAMED} SELECT unit_id, min(unit_id) OVER (PARTITION BY name) AS cluster FROM common ORDER BY unit_id"  # noqa: S608 - constant
)
_NAMES: Final = f"{_NAMED} SELECT unit_id, name AS cluster FROM common ORDER BY unit_id"  # noqa: S608 - constant


def clusters_of(units: pa.Table, references: pa.Table) -> pa.Table:
    """Return `unit_id, cluster` of every unit: the same cluster where all members are of one subject.

    Where no subject is known the source counts, else the media itself, so that a repeat is in the cluster of what it
    repeats. A unit whose members have different subjects is a cluster of its own.

    Args:
        units: `unit_id, ref_ids` of the contract `units`.
        references: `ref_id, subject_hmac, source_hmac` of the contract `references`.

    >>> units = pa.table({"unit_id": ["u", "v", "w"], "ref_ids": [["a"], ["b"], ["a", "c"]]})
    >>> people = pa.table({"ref_id": [*"abc"], "subject_hmac": ["x", "x", None], "source_hmac": [None, None, "s"]})
    >>> clusters_of(units, people)["cluster"].to_pylist()
    ['u', 'u', 'w']
    """
    return _found(_CLUSTERS, units, references)


def lasting_clusters_of(units: pa.Table, references: pa.Table) -> pa.Table:
    """The same by names that do not change when units come or go, for tallies; digests of people are among them.

    >>> units = pa.table({"unit_id": ["u"], "ref_ids": [["a"]]})
    >>> people = pa.table({"ref_id": ["a"], "subject_hmac": ["x"], "source_hmac": [None]})
    >>> lasting_clusters_of(units, people)["cluster"].to_pylist()
    ['x']
    """
    return _found(_NAMES, units, references)


def _found(query: str, units: pa.Table, references: pa.Table) -> pa.Table:
    with session() as db:
        db.register("units", units.select(["unit_id", "ref_ids"]))
        db.register("refs", references.select(["ref_id", "subject_hmac", "source_hmac"]))
        return db.sql(query).to_arrow_table()


def with_groups(answers: pa.Table, clusters: pa.Table) -> pa.Table:
    """Return the answers with the column `group`: the cluster of their unit, or the unit itself where none is known.

    Where all answers are of one cluster, each unit is its own group: what is measured then speaks of that person or
    source alone.

    >>> rows, known = pa.table({"unit_id": ["u", "v"]}), pa.table({"unit_id": ["u"], "cluster": ["t"]})
    >>> with_groups(rows, known)["group"].to_pylist()
    ['t', 'v']
    """
    place = pc.index_in(answers["unit_id"], value_set=clusters["unit_id"].combine_chunks())
    group = pc.coalesce(clusters["cluster"].take(place), answers["unit_id"])
    return answers.append_column(GROUP, group if len(pc.unique(group)) > 1 else answers["unit_id"])
