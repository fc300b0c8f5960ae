"""The verbs of the local stack: up, down, status."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from deployments.cli.output import Json, print_json
from deployments.local.home import DEFAULT_ROOT
from deployments.local.progress import display
from deployments.local.stack import ServerStatus, Stack


def up(*, root: Path = DEFAULT_ROOT, json: Json = False) -> None:
    """Start the local stack, or what of it does not run, and wait until it is healthy.

    Args:
        root: Directory that holds the stack's state.
        json: Print the servers as JSON.
    """
    with display() as shown:
        stack = Stack(root, display=shown)
        statuses = stack.up()
        stack.deploy()
    _show(statuses, json)
    if not json:
        Console(stderr=True).print(
            f"Logins: {stack.logins_file}  Variables: {stack.environment_file}", soft_wrap=True
        )


def down(*, root: Path = DEFAULT_ROOT, json: Json = False) -> None:
    """End the servers this stack has started, the worker first; data stays.

    Args:
        root: Directory that holds the stack's state.
        json: Print the servers as JSON.
    """
    with display() as shown:
        stack = Stack(root, display=shown)
        stack.down()
    _show(stack.status(), json)


def status(*, root: Path = DEFAULT_ROOT, json: Json = False) -> None:
    """Show how the servers are; exit code 1 unless all are healthy.

    Args:
        root: Directory that holds the stack's state.
        json: Print the servers as JSON.
    """
    statuses = Stack(root).status()
    _show(statuses, json)
    if not statuses or not all(server.healthy for server in statuses):
        sys.exit(1)


def _show(statuses: Sequence[ServerStatus], as_json: bool) -> None:
    if as_json:
        print_json([dataclasses.asdict(server) for server in statuses])
        return
    table = Table("server", "state", "address", Column("log", overflow="fold"), box=None)
    for server in statuses:
        state = "healthy" if server.healthy else "not healthy" if server.running else "stopped"
        table.add_row(server.name, state, server.url, server.log)
    Console(soft_wrap=True).print(table if statuses else "no stack here yet: `labelloop up` starts one")
