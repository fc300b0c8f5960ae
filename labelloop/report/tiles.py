"""Tiles: the few figures a lead looks at first."""

from __future__ import annotations

from labelloop.agreement.table import DECISIVE
from labelloop.report.section import Source, Tile, interval, number


def tiles(source: Source) -> list[Tile]:
    """Return the tiles, left to right; one asks for attention when a threshold of the spec is missed."""
    labels = source.figures["labels"]
    conflicts, refused = labels.get("conflict", 0), source.tables["quarantine"].num_rows
    flagged = sum(row["flagged"] for row in source.figures["annotators"])
    return [
        Tile("accepted labels", number(labels.get("accepted", 0)), f"after {len(source.figures['rounds'])} round(s)"),
        *_agreement(source),
        _accuracy(source),
        Tile("in conflict", number(conflicts), "wait for an opinion or an expert"),
        Tile("annotators flagged", number(flagged), f"of {len(source.figures['annotators'])}", is_alarm=flagged > 0),
        Tile("refused rows", number(refused), "kept with their reason"),
        Tile("erasures", number(source.figures["erasure"]["receipts"]), "each with a receipt"),
    ]


def _agreement(source: Source) -> list[Tile]:
    measured = [r for r in source.figures["agreement"] if r["scope"] == "project" and r["metric"] in DECISIVE]
    found = [r for r in measured if r["control"] not in source.spec.interface.remarks]
    return [
        Tile(
            f"alpha, {row['control']}",
            number(row["value"]),
            interval(row["low"], row["high"]) if row["value"] is not None else str(row["reason"]),
            is_alarm=row["value"] is not None and row["value"] < source.spec.quality.gate,
        )
        for row in found
    ]


def _accuracy(source: Source) -> Tile:
    audit = [row for row in source.figures["accuracy"] if row["evidence"] == "audit"]
    if not audit:
        return Tile("model accuracy", number(None), "no audit evidence yet")
    newest = max(audit, key=lambda row: row["round"])
    return Tile(
        "model accuracy", number(newest["value"]), f"{interval(newest['low'], newest['high'])} on audit units"
    )
