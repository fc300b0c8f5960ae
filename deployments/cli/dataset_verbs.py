"""The verbs of training sets: which there are, what one holds, how two differ, where one came from and went."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Table

from deployments.cli.any_project import world_at
from deployments.cli.output import Json, print_json
from labelloop.dataset_changes import dataset_changes
from labelloop.errors import InputError
from labelloop.lineage import dataset_lineage
from tasks.clients.datasets import Row, datasets, find_dataset, folder, latest, read_dataset
from tasks.clients.world import World

_SHOWN = ("dataset_version", "state", "round", "n_rows", "splits", "created_at", "replaced_by")


def list_datasets(project: str, *, as_json: Json = False) -> None:
    """List the training sets of a project, oldest first.

    Args:
        project: Name of a labelling project, or the file of its spec.
        as_json: Print a list of objects.
    """
    world = world_at(project)
    newest = latest(world)
    rows = [_shown(row) | {"latest": row["dataset_version"] == newest} for row in datasets(world).values()]
    if as_json:
        print_json(rows)
        return
    table = Table("version", "state", "round", "rows", "splits", "published", box=None)
    for row in rows:
        state = f"{row['state']}, latest" if row["latest"] else row["state"]
        splits = ", ".join(f"{name} {n}" for name, n in row["splits"].items() if n)
        table.add_row(row["dataset_version"], state, str(row["round"]), str(row["n_rows"]), splits, row["created_at"])
    _say(table if rows else "no training set was published yet")


def show(project: str, version: str | None = None, *, as_json: Json = False) -> None:
    """Show one training set: its card, or with --json its record. An erased one says so, with exit code 1.

    Args:
        project: Name of a labelling project, or the file of its spec.
        version: Which training set; without it the latest.
        as_json: Print the record instead of the card.
    """
    world = world_at(project)
    row = find_dataset(world, version or _latest(world))
    if as_json:
        print_json(_shown(row) | {"uri": row["uri"], "digest": row["digest"]})
        return
    card = world.published.read(folder(row["dataset_version"]) + "card.md").decode()
    _say(f"{row['uri']}\nsha256 {row['digest']}\n\n{card}")


def lineage(project: str, version: str | None = None, *, as_json: Json = False) -> None:
    """Show what a training set was made from, what replaced it and which models learned from it.

    Args:
        project: Name of a labelling project, or the file of its spec.
        version: Which training set; without it the latest.
        as_json: Print one object.
    """
    world = world_at(project)
    found = dataset_lineage(world.table("datasets").read(), world.table("models").read(), version or _latest(world))
    if as_json:
        print_json(found)
        return
    lines = [f"training set {found['dataset_version']}, {found['state']}, round {found['round']}"]
    lines += [f"  made from {name}: {value}" for name, value in sorted(found["made_from"].items())]
    lines += [f"  replaced by {successor}" for successor in found["replaced_by"]]
    lines += [f"  learned by {model['model_version']} ({_state(model)})" for model in found["models"]]
    _say("\n".join(lines))


def diff(project: str, old: str, new: str | None = None, *, as_json: Json = False) -> None:
    """Count what came, went or changed its label from one training set to another; an erased one says so.

    Args:
        project: Name of a labelling project, or the file of its spec.
        old: Which training set to begin from.
        new: Which one to compare it with; without it the latest.
        as_json: Print one object.
    """
    world = world_at(project)
    versions = {"old": old, "new": new or _latest(world)}
    found = dataset_changes(*(read_dataset(world, version) for version in versions.values()))
    if as_json:
        print_json(versions | found)
        return
    names = ("before", "came", "went", "changed_to", "changed_from", "after")
    table = Table("split", "question", "label", *(name.replace("_", " ") for name in names), box=None)
    for group in found["groups"]:
        table.add_row(group["split"], group["control"], group["label"], *(f"{group[name]:,}" for name in names))
    _say(table)
    for pair in found["relabelled"]:
        _say(f"{pair['control']}: {pair['n']:,} from {pair['from']} to {pair['to']}")


def _latest(world: World) -> str:
    version = latest(world)
    if version is None:
        raise InputError("no training set was published yet", remedy="run `labelloop run export` after labelling")
    return version


def _shown(row: Row) -> dict[str, Any]:
    shown = {name: row[name] for name in _SHOWN}
    return shown | {"splits": json.loads(row["splits"]), "created_at": f"{row['created_at']:%Y-%m-%dT%H:%M:%SZ}"}


def _state(model: dict[str, Any]) -> str:
    if model["trained_on_erased"]:
        return "distrusted: trained on what was erased"
    return "promoted" if model["promoted"] else "kept aside"


def _say(what: Table | str) -> None:
    Console(soft_wrap=True, highlight=False).print(what, markup=False)
