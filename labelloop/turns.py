"""What came of the turns of the loop: figures computed from the tables of the lake, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.evaluations import GAIN
from labelloop.sampling import Gain
from labelloop.simulation import paired_difference

Figures = dict[str, Any]


def turn_figures(tables: Mapping[str, pa.Table]) -> Figures:
    """Return the figures of a project, JSON-safe.

    Args:
        tables: rows of the contracts `batches, annotations, labels, agreement, annotators, evaluations, datasets,
            models, receipts, quarantine`, by name.
    """
    return {
        "rounds": _rounds(tables["batches"], tables["annotations"]),
        "agreement": _agreement(tables["agreement"]),
        "annotators": _annotators(tables["annotators"]),
        "accuracy": _accuracy(tables["evaluations"]),
        "comparison": _comparison(tables["evaluations"]),
        "reliability": _reliability(tables["evaluations"]),
        "gains": _gains(tables["evaluations"]),
        "labels": _count(tables["labels"], "state"),
        "datasets": _count(tables["datasets"], "state"),
        "models": {
            "trained": tables["models"].num_rows,
            "promoted": pc.sum(tables["models"]["promoted"]).as_py() or 0,
        },
        "erasure": {"receipts": tables["receipts"].num_rows},
        "quarantine": _count(tables["quarantine"], "rule"),
    }


def _rounds(batches: pa.Table, annotations: pa.Table) -> list[Figures]:
    joined = annotations.filter(pc.equal(annotations["state"], "active")).select(["unit_id", "annotation_id"])
    asked = batches.select(["unit_id", "round"]).join(joined, "unit_id")
    answers = asked.group_by("round").aggregate([("annotation_id", "count")])
    units = batches.group_by("round").aggregate([("unit_id", "count")])
    counts = {row["round"]: row["annotation_id_count"] for row in answers.to_pylist()}
    rows = units.sort_by("round").to_pylist()
    return [
        {"round": r["round"], "units": r["unit_id_count"], "annotations": counts.get(r["round"], 0)} for r in rows
    ]


def _rows(table: pa.Table, names: list[str]) -> list[Figures]:
    return list(table.select(names).to_pylist())


def _agreement(agreement: pa.Table) -> list[Figures]:
    """Return the newest figures, those of the last measured round."""
    if agreement.num_rows == 0:
        return []
    newest = agreement.filter(pc.equal(agreement["round"], pc.max(agreement["round"])))
    names = ["control", "scope", "who", "metric", "value", "low", "high", "n_units", "reason"]
    order = [("control", "ascending"), ("scope", "descending"), ("metric", "ascending"), ("who", "ascending")]
    return _rows(newest.sort_by(order), names)


def _annotators(annotators: pa.Table) -> list[Figures]:
    names = ["annotator", "n", "accuracy", "accuracy_low", "accuracy_high"]
    names += ["difference", "difference_low", "difference_high", "flagged"]
    return _rows(annotators.sort_by("annotator"), names)


def _accuracy(evaluations: pa.Table) -> list[Figures]:
    """Return the accuracy of the loop's own model after each round, by the evidence it was measured on."""
    loop = evaluations.filter(
        pc.and_(pc.equal(evaluations["arm"], "loop"), pc.equal(evaluations["metric"], "accuracy"))
    )
    order = [("evidence", "ascending"), ("round", "ascending"), ("measured_at", "ascending")]
    return _rows(loop.sort_by(order), ["evidence", "round", "model_version", "value", "low", "high", "n"])


def _reliability(evaluations: pa.Table) -> list[Figures]:
    """Return how reliable each round's model was on audit units, before and after calibration."""
    measured = evaluations.filter(pc.match_substring_regex(evaluations["metric"], "^(ece|brier|temperature)"))
    return _rows(
        measured.sort_by([("round", "ascending"), ("metric", "ascending")]),
        ["round", "metric", "value", "low", "high", "n", "evidence"],
    )


def _gains(evaluations: pa.Table) -> list[Figures]:
    """Return what each exploited batch taught beyond random labels, by round, with what would have shown."""
    measured = evaluations.filter(pc.equal(evaluations["metric"], GAIN)).sort_by("round")
    gains = (Gain(r["arm"], r["value"], r["low"], r["high"], r["n"]) for r in measured.to_pylist())
    pairs = zip(measured["round"].to_pylist(), gains, strict=True)
    return [{"round": number, **gain._asdict(), "detectable": gain.detectable} for number, gain in pairs]


def _comparison(evaluations: pa.Table) -> list[Figures]:
    """Return, per round, active minus random at equal budget, paired by seed, with a 95 % t interval."""
    figures = []
    for number in sorted(set(evaluations["round"].to_pylist())):
        here = evaluations.filter(pc.equal(evaluations["round"], number))
        arms = [_by_seed(here, arm) for arm in ("active", "random")]
        seeds = sorted(arms[0].keys() & arms[1].keys())
        if len(seeds) < 2:
            continue
        active, random = ([arm[seed] for seed in seeds] for arm in arms)
        difference = paired_difference(active, random)
        figures.append(
            {
                "round": number,
                "active": sum(active) / len(seeds),
                "random": sum(random) / len(seeds),
                "difference": difference.mean,
                "low": difference.low,
                "high": difference.high,
                "n": len(seeds),
            }
        )
    return figures


def _by_seed(rows: pa.Table, arm: str) -> dict[int, float]:
    chosen = rows.filter(pc.equal(rows["arm"], arm))
    return dict(zip(chosen["seed"].to_pylist(), chosen["value"].to_pylist(), strict=True))


def _count(rows: pa.Table, column: str) -> dict[str, int]:
    counts = rows.group_by(column).aggregate([(column, "count")]).sort_by(column).to_pylist()
    return {row[column]: row[f"{column}_count"] for row in counts}
