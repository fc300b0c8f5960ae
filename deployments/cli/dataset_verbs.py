"""The verbs of training sets: which there are, what one holds, where it came from and what became of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from deployments.cli.output import Json, print_json
from labelloop.errors import InputError
from labelloop.lineage import dataset_lineage
from tasks.clients.datasets import Row, datasets, find_dataset, folder, latest
from tasks.clients.settings import load_settings
from tasks.clients.specs import read_spec
from tasks.clients.world import World, open_world

_SHOWN = ("dataset_version", "state", "round", "n_rows", "splits", "created_at", "replaced_by")


def list_datasets(project: str, *, as_json: Json = False) -> None:
    """List the training sets of a project, oldest first.

    Args:
        project: Name of a labelling project, or the file of its spec.
        as_json: Print a list of objects.
    """
    world = _world(project)
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
    world = _world(project)
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
    world = _world(project)
    found = dataset_lineage(world.table("datasets").read(), world.table("models").read(), version or _latest(world))
    if as_json:
        print_json(found)
        return
    lines = [f"training set {found['dataset_version']}, {found['state']}, round {found['round']}"]
    lines += [f"  made from {name}: {value}" for name, value in sorted(found["made_from"].items())]
    lines += [f"  replaced by {successor}" for successor in found["replaced_by"]]
    lines += [f"  learned by {model['model_version']} ({_state(model)})" for model in found["models"]]
    _say("\n".join(lines))


def _world(project: str) -> World:
    if project.endswith((".yaml", ".yml")):
        return World(load_settings(), read_spec(Path(project)))
    return open_world(project)


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
