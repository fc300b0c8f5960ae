"""The table of benchmarks: a part is one module here with `run(quick) -> Figures`; add a line, and it is on the page.

Modules are named, not imported: drawing the page must not load what the parts measure.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

# `title`; `about`: sentences; `tables`: heading to rows, each a mapping of column to number or text; more is kept.
Figures = dict[str, Any]

PARTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "stages": "benchmarks.stages",
        "scores": "benchmarks.scores",
        "k_center": "benchmarks.k_center",
        "shards": "benchmarks.shards",
        "ten_million": "benchmarks.ten_million",
        "label_efficiency": "benchmarks.label_efficiency.part",
        "listing": "benchmarks.listing",
        "sync_diff": "benchmarks.sync_diff",
        "erasure": "benchmarks.erasure",
        "convert": "benchmarks.convert",
        "agreement": "benchmarks.agreement",
        "nightly": "benchmarks.nightly",
        "coverage": "benchmarks.coverage",
        "boxes": "benchmarks.boxes",
        "consensus": "benchmarks.consensus",
        "crowds": "benchmarks.crowds",
        "push": "benchmarks.push",
    }
)

BY_NAME_ALONE: Final = frozenset({"ten_million", "coverage", "nightly"})  # takes minutes or much disk


def run_part(name: str, *, quick: bool) -> Figures:
    """Import the module of a part and return its figures; quick ones show only that it runs."""
    figures: Figures = importlib.import_module(PARTS[name]).run(quick)
    return figures
