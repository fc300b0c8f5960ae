"""Training sets: which labels go in, into which split, and the bytes and name they get.

Training sets are content-addressed: the same labels give the same bytes and the same version. Where they are
published is the business of `tasks/`.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from labelloop.agreement.table import DECISIVE
from labelloop.contracts import contract
from labelloop.sampling.audit import permanent_numbers
from labelloop.sql import session

# Labels of media that changed since, or that is not active any more, speak of nothing that could be trained on.
# Audit answers of an open round are incomplete, and which come first is no accident. Of a group of near-duplicates
# the first is trained on, the one that was shown: its copies would only weigh it up. Of a list each member is, with
# the bucket it was put into.
_ACCEPTED = """
WITH accepted AS (
    SELECT l.*, u.kind, u.purpose, u.ref_ids, u.media_versions
    FROM labels l JOIN units u USING (unit_id)
    WHERE l.state = 'accepted' AND l.label IS NOT NULL
      AND (u.purpose = 'label' OR (u.purpose = 'audit' AND list_contains($closed, u.round)))
), told AS (
    SELECT *, 1 AS member FROM accepted WHERE kind IN ('single', 'group')
    UNION ALL BY NAME
    SELECT * EXCLUDE (item) REPLACE (
               item.bucket AS label, item.confidence AS confidence, item.classes AS classes,
               item.probabilities AS probabilities, item.n AS n, NULL AS ranked),
           list_position(ref_ids, item.item) AS member
    FROM (SELECT *, unnest(ranked) AS item FROM accepted WHERE kind = 'list')
)
SELECT t.unit_id, r.ref_id, 's3://' || r.bucket || '/' || r.key AS media_uri, r.media_version,
       t.control, t.label, t.confidence, t.classes, t.probabilities, t.n, t.regions, t.ranked, t.decided_by,
       t.purpose, coalesce(r.subject_hmac, r.ref_id) AS "group", b.inclusion_probability
FROM told t
JOIN refs r ON r.ref_id = t.ref_ids[t.member] AND r.media_version = t.media_versions[t.member] AND r.state = 'active'
LEFT JOIN batches b USING (unit_id)
ORDER BY t.unit_id, t.control, r.ref_id
"""


def training_rows(
    labels: pa.Table,
    units: pa.Table,
    references: pa.Table,
    batches: pa.Table,
    *,
    closed_rounds: Collection[int],
    salt: str,
    validation_share: float,
    test_share: float,
) -> pa.Table:
    """Return rows of the contract `training_set`: every accepted label of media that still is what was labelled.

    Args:
        labels: rows of the contract `labels`.
        units: rows of the contract `units`.
        references: rows of the contract `references`; only active ones go in.
        batches: rows of the contract `batches`.
        closed_rounds: rounds whose audit answers are complete; those of other rounds are left out.
        salt: fixes the splits.
        validation_share: expected share of the groups in `validation`.
        test_share: expected share of the groups in `test`.

    Returns:
        By unit, control and reference. Audit units are in the split `audit` and in no other.
    """
    with session() as db:
        for name, table in (("labels", labels), ("units", units), ("refs", references), ("batches", batches)):
            db.register(name, table)
        rows = db.sql(_ACCEPTED, params={"closed": sorted(closed_rounds)}).to_arrow_table()
    audit = np.asarray(pc.equal(rows["purpose"], "audit"))
    split = np.where(audit, "audit", splits(rows["group"], salt, validation_share, test_share))
    schema = contract("training_set").schema
    return rows.append_column("split", pa.array(split, pa.string())).select(schema.names).cast(schema)


def splits(
    groups: pa.ChunkedArray | pa.Array, salt: str, validation_share: float, test_share: float
) -> NDArray[np.str_]:
    """Return `train`, `validation` or `test` for each group; the same group and salt give the same split for ever.

    A permanent random number of the group decides, so that new groups move no old one.

    >>> splits(pa.array(["anna", "anna"]), "salt", 0.0, 0.0).tolist()
    ['train', 'train']
    """
    # Apart from the numbers that decide on the audit, or the splits would depend on it.
    number = permanent_numbers(groups, f"split/{salt}")
    held_out = np.where(number < test_share, "test", "validation")
    return np.where(number < test_share + validation_share, held_out, "train")


def parquet_bytes(rows: pa.Table) -> bytes:
    """Return a training set as Parquet; the same rows in any order give the same bytes."""
    ordered = rows.sort_by([(name, "ascending") for name in ("unit_id", "control", "ref_id")]).combine_chunks()
    buffer = io.BytesIO()
    pq.write_table(ordered, buffer, version="2.6", compression="zstd", row_group_size=100_000, store_schema=False)
    return buffer.getvalue()


def dataset_version(data: bytes) -> str:
    """Return the name of a training set: the beginning of the digest of its Parquet file.

    >>> dataset_version(b"")
    'e3b0c44298fc1c14'
    """
    return hashlib.sha256(data).hexdigest()[:16]


class Gate(NamedTuple):
    """Whether a training set may be published, and why."""

    is_open: bool
    reason: str


def agreement_gate(
    agreement: pa.Table, controls: Collection[str], *, threshold: float, overlap_planned: bool
) -> Gate:
    """Return whether annotators agree far enough for their labels to be published.

    The decisive figure of the newest measured round decides, for each control: Krippendorff's alpha, of orders tau,
    of regions the alpha of objects. The point estimate counts, its interval is told. A figure that cannot be given
    keeps the gate shut where several opinions are planned, since it will come; where none are planned, nothing is
    waited for.

    Args:
        agreement: rows of the contract `agreement`.
        controls: the questions of the spec.
        threshold: alpha below it shuts the gate.
        overlap_planned: whether units are asked of several annotators.
    """
    told = [_judged(agreement, control, threshold) for control in controls]
    is_open = all(not overlap_planned if passed is None else passed for passed, _ in told)
    return Gate(is_open, "; ".join(reason for _, reason in told))


def _judged(agreement: pa.Table, control: str, threshold: float) -> tuple[bool | None, str]:
    wanted = pc.and_(pc.equal(agreement["control"], control), pc.equal(agreement["scope"], "project"))
    decisive = pc.is_in(agreement["metric"], value_set=pa.array(DECISIVE))
    found = agreement.filter(pc.and_(wanted, decisive)).to_pylist()
    newest = max(found, key=lambda row: row["round"], default=None)
    if newest is None:
        return None, f"{control}: agreement was not measured yet"
    if newest["value"] is None:
        return None, f"{control}: agreement cannot be given ({newest['reason']})"
    passed = newest["value"] >= threshold
    interval = f" [{newest['low']:.2f}, {newest['high']:.2f}]" if newest["low"] is not None else ""
    verdict = "reaches" if passed else "is below"
    name = "alpha" if newest["metric"] == "krippendorff_alpha" else newest["metric"].replace("_", " ")
    return passed, f"{control}: {name} {newest['value']:.2f}{interval} {verdict} the gate {threshold:.2f}"
