"""`labelloop demo`: the whole loop on real images in the local stack."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from deployments.local.home import DEFAULT_ROOT
from deployments.local.progress import display
from deployments.local.stack import Stack

_PROJECT = "digits"


def demo(
    *,
    json_file: Annotated[Path | None, Parameter(name="--json")] = None,
    root: Path = DEFAULT_ROOT,
) -> None:
    """Start the local stack, turn the loop three times with four simulated annotators, and show what came of it.

    A second run reuses what is there: rounds that are closed are not labelled again.

    Args:
        json_file: File to write the figures to, as JSON.
        root: Directory that holds the stack's state.
    """
    started = time.monotonic()
    with display() as shown:
        stack = Stack(root, display=shown)
        stack.up()
        stack.deploy()
    os.environ.update(stack.variables)  # this stack, whatever another one's file has said before
    # The flows of later rounds run in this process: their log belongs into the Prefect UI, not between these lines.
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "ERROR")

    from deployments.demo.loop import Demo
    from deployments.demo.narration import Narration
    from deployments.demo.summary import figures_of, newest_report, summary_lines
    from tasks.clients.world import open_world

    world, narration = open_world(_PROJECT), Narration()
    Demo(world, narration, password=stack.credentials.label_studio_password).run()
    report = root.resolve() / "report.html"
    report.write_bytes(newest_report(world))
    figures = figures_of(world) | {"seconds": {**narration.seconds, "in all": time.monotonic() - started}}
    if json_file:
        json_file.write_text(json.dumps(figures, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join(summary_lines(figures)) + "\n")
    sys.stdout.write(_where_to_look(stack, time.monotonic() - started))


def _where_to_look(stack: Stack, seconds: float) -> str:
    urls = {server.name: server.url for server in stack.status()}
    return (
        f"\nDone in {seconds:.0f} s. Look at:\n"
        f"  Report        {stack.root / 'report.html'}\n"
        f"  Label Studio  {urls['label-studio']}\n"
        f"  Prefect       {urls['prefect']}\n"
        f"  Logins        {stack.logins_file}\n"
        f"  Lake          {stack.variables['LABELLOOP_LAKE_URI']} on {urls['s3']}\n"
        "End the stack with `labelloop down`.\n"
    )
