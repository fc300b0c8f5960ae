"""Lineage: what a training set came from, what became of it, and which models learned from it."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from labelloop.errors import InputError


def dataset_lineage(datasets: pa.Table, models: pa.Table, version: str) -> dict[str, Any]:
    """Return the lineage of a training set, JSON-safe; an erased one has a lineage too.

    Args:
        datasets: rows of the contract `datasets`.
        models: rows of the contract `models`.
        version: of the training set.

    Returns:
        `dataset_version, state, round, made_from` (by name), `replaced_by` (the sets that took its place, one after
        the other), `models` (`model_version, promoted, trained_on_erased`), by version.

    Raises:
        InputError: there is no such training set.
    """
    known = {row["dataset_version"]: row for row in datasets.to_pylist()}
    if version not in known:
        raise InputError(f"there is no training set {version!r}", remedy="see `labelloop dataset list`")
    row = known[version]
    columns = ["model_version", "promoted", "trained_on_erased"]
    learned = [m for m in models.sort_by("model_version").to_pylist() if m["dataset_version"] == version]
    return {
        "dataset_version": version,
        "state": row["state"],
        "round": row["round"],
        "made_from": json.loads(row["lineage"]),
        "replaced_by": _successors(known, version),
        "models": [{name: model[name] for name in columns} for model in learned],
    }


def _successors(known: dict[str, dict[str, Any]], version: str) -> list[str]:
    found: list[str] = []
    successor = known[version]["replaced_by"]
    while successor and successor not in found:
        found.append(successor)
        successor = known[successor]["replaced_by"] if successor in known else None
    return found
