"""Times the whole sync stage on an S3 Inventory against as many references, each run in a process of its own.

The inventory lies on the local disk in the place of a bucket, and new objects all begin like a JPEG; all else is what
runs in production: checksums, scope, diff, contracts (Great Expectations), a Delta lake on the local disk.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.inventories import AT, BUCKET, FOLDER, DiskInventory, fill_lake, write_inventory
from benchmarks.machine import peak_mib
from benchmarks.measure import measured
from benchmarks.parts import Figures
from labelloop.spec import ProjectSpec, load_spec
from tasks.clients.expectations import GreatExpectations, quiet_context
from tasks.clients.hot import update
from tasks.clients.lake import Lake
from tasks.clients.suppression_keys import CHECK_VALUES
from tasks.clients.world import World
from tasks.sync import sync_references
from tests.builders.digits import SPEC
from tests.fakes.world import Clock, lease_of, make_world

SECONDS, GIB = 60, 4  # the targets
_INVENTORIES = "inventories"


def run(quick: bool) -> Figures:
    """Sync ten million objects: nothing new, one percent different, and a tenth of them at first sight."""
    count = 20_000 if quick else 10_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill_lake(folder / "lake", count)
        write_inventory(folder / "same", count, with_changes=False)
        write_inventory(folder / "changed", count, with_changes=True)
        write_inventory(folder / "first", count // 10, with_changes=False)
        rows = [
            _in_a_process("nothing new", count, folder / "same", folder / "lake"),
            _in_a_process("1 % different", count, folder / "changed", folder / "lake"),
            _in_a_process("first sight", count // 10, folder / "first", folder / "empty"),
        ]
    return {
        "title": "Sync: an inventory against the references",
        "about": [
            "The whole stage: checksums of the inventory, scope, comparison, a look at new objects, contracts, one",
            "Delta commit where anything differs. Target for nothing new at 10,000,000: under",
            f"{SECONDS} s and {GIB} GiB on 2 cores, and no commit.",
        ],
        "tables": {"Sync": rows},
    }


def _in_a_process(name: str, count: int, inventory: Path, lake: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.sync_diff", str(inventory), str(lake)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {"what": name, "objects": count, **json.loads(done.stdout.splitlines()[-1])}


def main() -> None:
    """Sync the inventory of a folder with a lake and print what it took as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sync_diff")
    parser.add_argument("inventory", type=Path)
    parser.add_argument("lake", type=Path)
    given = parser.parse_args()
    logging.getLogger("prefect").setLevel(logging.ERROR)  # events have no server to go to
    quiet_context()  # the import of Great Expectations is paid once in a process
    world = _world(given.inventory, given.lake)
    references = world.table("references")
    before, lease = references.version(), lease_of(world, "sync")
    done = measured(lambda: sync_references(world, lease))
    after = references.version()
    told = {"s": round(done.seconds, 1), "CPU s": round(done.cpu_seconds, 1), "peak MiB": peak_mib()}
    commits = (after or 0) - (before or 0)  # version 0 is the empty table
    print(json.dumps({**told, "Delta commits": commits, "did": done.result.line()}))


def _world(inventory: Path, lake: Path) -> World:
    spec = load_spec(SPEC)
    media = spec.media.model_copy(
        update={
            "bucket": BUCKET,
            "prefix": "photos/",
            "include": ("*",),
            "subject_id": spec.media.subject_id.model_copy(update={"key": "photos/(?P<subject>[^/]+)/"}),
            "source": type(spec.media.source)(kind="inventory", uri=f"s3://{_INVENTORIES}/{FOLDER}/"),
        }
    )
    described = ProjectSpec.model_validate(spec.model_copy(update={"media": media}).model_dump())
    store, rules = DiskInventory(inventory), GreatExpectations()
    world = make_world(lake.parent, described, media=store, row_rules=rules, lake=Lake(str(lake)), now=Clock(AT))
    update(world.hot, CHECK_VALUES, lambda _: world.keys.check_values())  # as a lake in use has them
    return world


if __name__ == "__main__":
    main()
