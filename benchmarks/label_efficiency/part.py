"""The part `label_efficiency`: fill in the cells of both sides, say what they show, as tables of figures.

What is finished stays in `.local/benchmarks/label-efficiency`; a side is run anew when its code changes.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.label_efficiency import cells
from benchmarks.label_efficiency.figures import MARGIN, REACHED, Areas, area, labels_needed, verdict
from benchmarks.label_efficiency.ours import DEFAULT
from benchmarks.parts import Figures
from benchmarks.peers import peer_python

ROOT = Path(__file__).parents[2]
_KEPT = ROOT / ".local" / "benchmarks" / "label-efficiency"
_SHARED = ("benchmarks/label_efficiency/loop.py", "benchmarks/label_efficiency/data.py")
_CODE = {
    "peers": (*_SHARED, "benchmarks/label_efficiency/peers.py", "benchmarks/peers.lock"),
    "ours": (
        *_SHARED,
        "benchmarks/label_efficiency/ours.py",
        "labelloop/sampling/*.py",
        "labelloop/acquisition/*.py",
    ),
}


def run(quick: bool) -> Figures:
    """Compare all strategies on all data sets with ten seeds; quick: the two smallest with two seeds."""
    seeds, sets = ("2", "2") if quick else (str(len(cells.SEEDS)), "7")
    kept = _KEPT / "quick" if quick else _KEPT
    folders = {side: kept / f"{side}-{_fingerprint(side)}" for side in ("peers", "ours")}
    both = {"peers": peer_python(), "ours": Path(sys.executable)}
    running = [_filling(side, python, folders[side], seeds=seeds, sets=sets) for side, python in both.items()]
    endings = [side.wait() for side in running]
    if any(endings):
        raise RuntimeError("a side of the comparison failed; what it finished is kept, run the part again")
    found = [cell for folder in folders.values() for cell in cells.read(folder)]
    return figures_of(
        found, peers={cell["strategy"] for cell in cells.read(folders["peers"])} - {cells.FULL, "random"}
    )


def figures_of(found: list[dict[str, Any]], *, peers: set[str]) -> Figures:
    """Return what the cells say, as tables; only seeds that every strategy has finished on every data set count.

    Args:
        found: cells of both sides.
        peers: which strategies are not ours.
    """
    curves = {(c["strategy"], c["data"], c["seed"]): c for c in found}
    strategies, sets = ({c[key] for c in found} - {cells.FULL} for key in ("strategy", "data"))
    seeds = sorted(
        seed
        for seed in {c["seed"] for c in found}
        if all((name, data, seed) in curves for name in {*strategies, cells.FULL} for data in sets)
    )
    ordered = [data for data in _in_order(found) if data in sets]
    areas = {
        name: {data: [area(curves[name, data, seed]["curve"]) for seed in seeds] for data in ordered}
        for name in strategies
    }
    judged = verdict(areas, default=DEFAULT, peers=sorted(peers))
    return {
        "title": "Label efficiency",
        "about": [
            f"Area under the learning curve, mean of {len(seeds)} seeds: logistic regression, 10 batches, test rows",
            "held out. Those that need a model begin with the same random batch. More in docs/sampling.md.",
        ],
        "seeds": len(seeds),
        "tables": {
            "Area under the learning curve": _area_rows(areas, ordered),
            f"Labels for {REACHED:.0%} of the figure with all labels, median": _label_rows(
                curves, areas, ordered, seeds
            ),
            f"`{DEFAULT}` minus each peer, over the data sets": _verdict_rows(judged["against_peers"], "peer"),
            f"random minus `{DEFAULT}`": _verdict_rows(judged["random_minus_default"], "data"),
        },
        "verdict": {key: judged[key] for key in ("best_peer", "not_worse_than_best_peer", "worse_than_random_on")},
        "margin": MARGIN,
    }


def _filling(side: str, python: Path, folder: Path, *, seeds: str, sets: str) -> subprocess.Popen[bytes]:
    """Begin to fill in the cells of one side, on one core."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    words = [side, str(folder), str(_KEPT), str(peer_python().parents[1]), seeds, sets]
    command = [str(python), "-m", "benchmarks.label_efficiency.cells", *words]
    return subprocess.Popen(command, cwd=ROOT, env=environment)


def _fingerprint(side: str) -> str:
    """Return a short digest of the code that the cells of a side depend on."""
    files = sorted(file for pattern in _CODE[side] for file in ROOT.glob(pattern))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _in_order(found: list[dict[str, Any]]) -> list[str]:
    """Data sets by how many labels are bought at a time, then by name: the order of the columns."""
    return sorted({c["data"] for c in found}, key=lambda data: (_batch(found, data), data))


def _batch(found: list[dict[str, Any]], data: str) -> int:
    return next(int(c["batch"]) for c in found if c["data"] == data)


def _area_rows(areas: Areas, ordered: list[str]) -> list[dict[str, Any]]:
    rows = []
    for name, by_set in areas.items():
        means = {data: sum(by_set[data]) / len(by_set[data]) for data in ordered}
        rows.append({"strategy": name, **{d: f"{m:.3f}" for d, m in means.items()}, "mean": sum(means.values())})
    rows.sort(key=lambda row: -float(row["mean"]))
    return [row | {"mean": f"{row['mean'] / len(ordered):.4f}"} for row in rows]


def _label_rows(
    curves: Mapping[tuple[str, str, int], dict[str, Any]], areas: Areas, ordered: list[str], seeds: list[int]
) -> list[dict[str, Any]]:
    rows = []
    for name in (str(row["strategy"]) for row in _area_rows(areas, ordered)):
        medians = {data: _median_labels(curves, name, data, seeds) for data in ordered}
        rows.append({"strategy": name, **medians})
    return rows


def _median_labels(
    curves: Mapping[tuple[str, str, int], dict[str, Any]], name: str, data: str, seeds: list[int]
) -> str:
    needed = sorted(
        labels_needed(
            curves[name, data, s]["curve"],
            REACHED * curves[cells.FULL, data, s]["curve"][0],
            curves[name, data, s]["batch"],
        )
        for s in seeds
    )
    middle = needed[len(needed) // 2]
    cell = curves[name, data, seeds[0]]
    return f"{middle:.0f}" if middle != float("inf") else f"over {cell['batch'] * len(cell['curve'])}"


def _verdict_rows(tests: Mapping[str, Mapping[str, float]], what: str) -> list[dict[str, Any]]:
    return [
        {
            what: name,
            "difference": f"{t['mean']:+.4f}",
            "95 % interval": f"{t['low']:+.4f} to {t['high']:+.4f}",
            "p, Holm": f"{t['holm']:.4f}",
        }
        for name, t in sorted(tests.items(), key=lambda entry: entry[1]["mean"])
    ]
