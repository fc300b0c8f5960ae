"""What a report is made from: the tables of a project that has done something of everything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from labelloop.contracts import contract
from tasks.report import SHOWN
from tests.builders.rows import hex_id, rows_of

AT = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
STUDIO = "https://labels.example"


def empty() -> dict[str, pa.Table]:
    return {name: contract(name).schema.empty_table() for name in SHOWN}


def full(label: str = "7") -> dict[str, pa.Table]:
    strata = ["exploit", "explore", "audit"]
    batches = [
        {"round": 1 + i // 20, "rank": i, "stratum": strata[i % 3], "strategy": "hybrid", "reason": f"reason {i}"}
        | {"acquisition_score": None if i % 3 else i / 60}
        for i in range(60)
    ]
    people = [f"a-{i}{i:011x}" for i in range(4)]
    agreement = [
        {"scope": "project", "who": "", "metric": metric, "value": value, "low": value - 0.1, "high": value + 0.1}
        for metric, value in (("krippendorff_alpha", 0.72), ("percent_agreement", 0.8), ("fleiss_kappa", 0.71))
    ]
    agreement += [{"scope": "project", "who": "", "metric": "cohen_kappa", "reason": "four annotators"}]
    agreement += [
        {"scope": "pair", "who": f"{people[0]} {p}", "metric": "cohen_kappa", "value": 0.6, "low": 0.5, "high": 0.7}
        for p in people[1:]
    ]
    agreement += [
        {"scope": "annotator", "who": p, "metric": "percent_agreement", "value": 0.9, "low": 0.8, "high": 0.95}
        for p in people
    ]
    agreement += [
        {"scope": "pair", "who": f"{people[0]} {people[1]}", "metric": "shared_errors", "value": 0.31, "low": 0.2}
        | {"high": 0.4}
    ]
    agreement += [
        {"scope": scope, "who": who, "metric": "krippendorff_alpha", "value": value, "low": value - 0.1}
        | {"high": value + 0.1}
        for scope, who, value in (("window", "2026-11-09", 0.6), ("window", "2026-11-16", 0.7), ("label", "7", 0.5))
    ]
    agreement = [{"round": 3} | row for row in agreement]
    agreement += [
        row | {"round": r, "value": 0.5 + 0.1 * r, "low": 0.4 + 0.1 * r} for r in (1, 2) for row in agreement[:1]
    ]
    confusion = [
        {"control": "digit", "truth": t, "answer": a, "n": 20 if t == a else 2}
        for t in (label, "1")
        for a in (label, "1")
    ]
    annotators = [
        {
            "annotator": p,
            "n": 60,
            "accuracy": 0.95 - 0.15 * (i == 3),
            "accuracy_low": 0.7,
            "accuracy_high": 0.99,
            "difference": 0.02 - 0.16 * (i == 3),
            "difference_low": -0.05 - 0.17 * (i == 3),
            "difference_high": 0.09 - 0.16 * (i == 3),
            "flagged": i == 3,
            "median_seconds": 2.5,
            "hours": 1.5,
            "idle": 1,
            "accepted": 50,
            "cost_per_accepted": 0.6,
            "confusion": confusion,
        }
        for i, p in enumerate(people)
    ]
    evaluations = [
        {
            "round": r,
            "arm": "loop",
            "evidence": "audit",
            "value": 0.7 + 0.07 * r,
            "low": 0.6,
            "high": 0.97,
            "n": 20 * r,
        }
        for r in (1, 2, 3)
    ]
    evaluations += [
        {"round": r, "arm": arm, "seed": seed, "value": 0.7 + 0.05 * r + lead + 0.01 * seed, "evidence": "simulated"}
        for r in (1, 2, 3)
        for arm, lead in (("active", 0.03), ("random", 0.0))
        for seed in range(3)
    ]
    labels = [
        {
            "control": "digit",
            "label": label if i % 3 else "1",
            "state": "accepted",
            "confidence": 0.5 + i / 100,
            "n": 2,
        }
        for i in range(50)
    ]
    labels += [{"control": "digit", "state": "conflict", "confidence": 0.4}] * 4
    pushed = {"state": "open", "overlap": 2, "pushed_at": AT - timedelta(days=14), "ls_project": 3}
    answered = {"state": "active", "opinion_reason": "planned"}
    splits = '{"train": 40, "validation": 0, "test": 0, "audit": 10}'
    given = {
        "batches": batches,
        "tasks": [pushed | {"task_id": 100 + i} for i in range(60)],
        "units": [{"kind": "single", "ref_ids": [hex_id(i)], "media_versions": ["v1"]} for i in range(60)],
        "predictions": [
            {"model_version": "model_version-0", "media_version": "v1", "predicted": label if i % 2 else "1"}
            for i in range(60)
        ],
        "annotations": [
            answered
            | {"unit_id": hex_id(i % 60), "created_at": AT - timedelta(days=i % 13, hours=1)}
            | {"lead_time": 3600.0 if i == 0 else 30.0 + i % 10}
            for i in range(80)
        ],
        "labels": labels,
        "agreement": [{"control": "digit"} | row for row in agreement],
        "annotators": annotators,
        "evaluations": evaluations,
        "datasets": [{"splits": splits, "state": "erased", "replaced_by": "v2"}, {"splits": splits}],
        "models": [{"promoted": True, "reason": "+0.1 against the majority class"}, {"trained_on_erased": True}],
        "receipts": [{}],
        "quarantine": [{"stage": "score", "contract": "references", "rule": "the object is no image"}] * 3,
    }
    return {name: rows_of(name, rows) for name, rows in given.items()}
