"""Rounds: what was asked about, why, and how many answers came."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa

from labelloop.report.charts import bars
from labelloop.report.section import Chart, Grid, Section, Source


def rounds_section(source: Source) -> Section:
    """Return what each round asked, by stratum and strategy, with the reason of its first pick."""
    batches = source.tables["batches"]
    groups = _groups(batches)
    answers = {row["round"]: row["annotations"] for row in source.figures["rounds"]}
    sizes = Counter(batches["round"].to_pylist())
    lead = "No round yet."
    if sizes:
        units = sum(sizes.values())
        lead = f"{len(sizes)} round(s) asked about {units:,} units; {sum(answers.values()):,} answers came."
    drawn = [
        {"round": f"round {g['round']}", "units": g["units"], "stratum": g["stratum"]} for g in _by_stratum(groups)
    ]
    charts: tuple[Chart, ...] = ()
    if drawn:
        charts = (
            Chart(
                bars(drawn, category="round", count="units", colour="stratum"),
                "Units asked about in each round, by stratum.",
            ),
        )
    composition = Grid(
        "Composition of the batches",
        ("round", "stratum", "strategy", "units", "inclusion probability", "reason of the first pick"),
        [
            (g["round"], g["stratum"], g["strategy"], g["units"], g["inclusion_probability"], g["reason"])
            for g in groups
        ],
    )
    answered = Grid(
        "Answers", ("round", "units", "answers"), [(n, sizes[n], answers.get(n, 0)) for n in sorted(sizes)]
    )
    return Section("rounds", "Rounds", lead, charts, (composition, answered) if sizes else ())


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
