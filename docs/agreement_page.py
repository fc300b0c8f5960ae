"""The tables in `docs/agreement.md` that are derived: what each control of Label Studio is compared and resolved by.

The rest of the page is written by hand and stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from benchmarks.page import part_tables
from labelloop.agreement.question import COMPARED_BY, Question, question_figures
from labelloop.contracts import contract
from labelloop.interface.answered_as import ANSWERED_AS, NOT_READ

PAGE: Final = Path(__file__).parent / "agreement.md"
_BLOCK: Final = "<!-- {name} -->\n\n{table}\n<!-- end of {name} -->"
_OF_PLACES: Final = "`region-fusion`: what more than half drew, there the "
_PLACES: Final = MappingProxyType(
    dict.fromkeys(("rectangle", "ellipse", "keypoint"), "mean")
    | dict.fromkeys(("span", "segment", "timeline"), "median ends")
    | dict.fromkeys(("polygon", "mask", "track"), "most central shape")
)
# By the nightly stage, except where it says otherwise.
CONSENSUS: Final = MappingProxyType(
    {
        "choices": "`consensus.method`; sets are classes",
        "taxonomy": "`consensus.method`; sets of paths are classes",
        "datetime": "`consensus.method`",
        "rating": "median",
        "number": "median",
        "pairwise": "`bradley-terry`",
        "ranking": "`plackett-luce`; of buckets `bucket-median`: the middle one of each item",
        "text": "medoid",
        "relation": "not supported: as for agreement",
    }
    | {kind: _OF_PLACES + place for kind, place in _PLACES.items()}
)


def agreement_page() -> str:
    """Return the page with its derived tables as the code is now."""
    page = _with(PAGE.read_text(encoding="utf-8"), "controls", controls_table())
    return _with(page, "coverage", "\n".join(part_tables("coverage")) + "\n")


def controls_table() -> str:
    """Return the table control, answers, figures, interval, consensus; every control of Label Studio is in it."""
    tags = {kind: [tag for tag, kinds in sorted(ANSWERED_AS.items()) if kind in kinds] for kind in COMPARED_BY}
    rows = [(_code(tags[kind]), f"`{kind}`", *_compared(kind), CONSENSUS[kind]) for kind in COMPARED_BY]
    rows += [(_code([tag]), "", f"not supported: {reason}", "", "") for tag, reason in NOT_READ.items()]
    heads = ("control", "answers", "figures", "interval", "consensus")
    return "".join(f"| {' | '.join(row)} |\n" for row in (heads, ["---"] * len(heads), *rows))


def _compared(kind: str) -> tuple[str, str]:
    """Figures and their intervals, or the reason why there are none."""
    figures = question_figures(Question(contract("annotations").schema.empty_table(), kind))
    if kind == "relation":
        return f"not supported: {figures[0].reason}", ""
    metrics = [figure.metric for figure in figures]
    resampled = "lists" if kind == "ranking" else "units"
    intervals = [f"bootstrap over {resampled}"]
    intervals += ["Wilson for the share of two"] * ("percent_agreement" in metrics)
    intervals += ["McGraw and Wong for the ICC"] * ("icc_2_1" in metrics)
    return _code(metrics), "; ".join(intervals)


def _code(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _with(page: str, name: str, table: str) -> str:
    block = re.escape(_BLOCK.format(name=name, table="@")).replace("@", ".*?")
    return re.sub(block, lambda _: _BLOCK.format(name=name, table=table), page, count=1, flags=re.DOTALL)
