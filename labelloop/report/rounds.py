"""Rounds: what was asked about, why, and how many answers came."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.report.charts import bars
from labelloop.report.distribution import distribution
from labelloop.report.section import Chart, Grid, Section, Source


def rounds_section(source: Source) -> Section:
    """Return what each round asked, by stratum and strategy, with the reason of its first pick."""
    batches = source.tables["batches"]
    if not batches.num_rows:
        return Section("rounds", "Rounds", "No round yet.")
    answers = {row["round"]: row["annotations"] for row in source.figures["rounds"]}
    sizes = Counter(batches["round"].to_pylist())
    lead = f"{len(sizes)} round(s) asked about {batches.num_rows:,} units; {sum(answers.values()):,} answers came."
    groups = _groups(batches)
    answered = [(n, sizes[n], answers.get(n, 0)) for n in sorted(sizes)]
    charts, grids = (
        [_strata(groups)],
        [_composition(groups), Grid("Answers", ("round", "units", "answers"), answered)],
    )
    if len(scores := _newest_scores(batches)):
        said = "Acquisition scores of the newest round: higher is more worth labelling. Random draws have none."
        chart, grid = distribution(scores, of="acquisition score", counted="units", said=said)
        charts.append(chart)
        grids.append(grid)
    return Section("rounds", "Rounds", lead, tuple(charts), tuple(grids))


def _strata(groups: list[dict[str, Any]]) -> Chart:
    drawn = [
        {"round": f"round {g['round']}", "units": g["units"], "stratum": g["stratum"]} for g in _by_stratum(groups)
    ]
    stacked = bars(drawn, category="round", count="units", colour="stratum")
    return Chart(stacked, "Units asked about in each round, by stratum.")


def _composition(groups: list[dict[str, Any]]) -> Grid:
    shown = ("round", "stratum", "strategy", "units", "inclusion_probability", "reason")
    heads = (*shown[:4], "inclusion probability", "reason of the first pick")
    return Grid("Composition of the batches", heads, [tuple(group[name] for name in shown) for group in groups])


def _newest_scores(batches: pa.Table) -> NDArray[np.float64]:
    """Return how much worth labelling the units of the newest round seemed that were chosen by it."""
    newest = batches.filter(pc.equal(batches["round"], pc.max(batches["round"])))
    chosen = newest.filter(pc.is_finite(newest["acquisition_score"]))
    scores: NDArray[np.float64] = chosen["acquisition_score"].to_numpy()
    return scores


def _groups(batches: pa.Table) -> list[dict[str, Any]]:
    """Return one entry per round, stratum and strategy: its size, and what its first pick says."""
    found: dict[tuple[int, str, str], dict[str, Any]] = {}
    for row in batches.sort_by([("round", "ascending"), ("rank", "ascending")]).to_pylist():
        group = found.setdefault((row["round"], row["stratum"], row["strategy"]), {**row, "units": 0})
        group["units"] += 1
    return [found[key] for key in sorted(found)]


def _by_stratum(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    counts: Counter[tuple[int, str]] = Counter()
    for group in groups:
        counts[group["round"], group["stratum"]] += group["units"]
    return [{"round": n, "stratum": stratum, "units": units} for (n, stratum), units in sorted(counts.items())]
