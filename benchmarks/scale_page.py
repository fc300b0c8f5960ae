"""`docs/scale.md`: what was measured about many objects, and one billion of them on paper."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.page import FIGURES, part_tables, table

OBJECTS = 1_000_000_000
# Assumptions, in dollars; the page says where they come from.
INVENTORY_PER_OBJECT = 0.0025 / 1e6
LIST_PER_REQUEST, GET_PER_REQUEST = 0.005 / 1e3, 0.0004 / 1e3
STORED_PER_GB_MONTH = 0.023
REQUESTS_PER_SECOND = 5_500  # that a prefix takes, at least
_MONTH_DAYS = 365 / 12
_INTRODUCTION = """\
# Scale

Written by `python -m docs.write` from `docs/benchmarks.json`; do not edit. `make bench` measures anew.
"""
_LISTING = """\
## Listing

Target: 200,000 objects at least 5 times as fast as boto3's paginator and within 20 % of bare `obstore.list`, in one
run.
"""
_DIFF = """\
## Sync: ten million objects

Target: an inventory of 10,000,000 objects against as many references in under 60 s and 4 GiB on 2 cores, no commit
when nothing changed.
"""
_PAPER = """\
## One billion objects, on paper

Nobody here has a billion objects: these are assumed prices and the rates above, multiplied. Assumed for us-east-1,
S3 Standard: $0.0025 per million objects of an inventory, $0.005 per 1,000 LIST and $0.0004 per 1,000 GET requests,
$0.023 per GB and month. AWS's own list (aws.amazon.com/s3/pricing) could not be read here; on 22 November 2026 these
rates stood as copied from it in others' pages: requests and storage in devnotes.tech, "Understanding AWS S3 Pricing",
inventory in several public repositories. Put the rates of your own bill into `benchmarks/scale_page.py`.
"""
_LIMITS = """\
- **How fresh**: S3 writes an inventory daily or weekly, the first within 48 hours, and what changes during its scan
  may be in it or not. Sync sees a new object with the next delivery, never sooner.
- **First sight** reads the first bytes of every object once. That, not listing, is the bill of the first day: split
  it by prefix over projects, and begin with the prefixes that are labelled first.
- **Versions**: an inventory of all versions lists, and charges, each of them; one of current versions has no
  version ids, and changes are then told by entity tag and size.
- **One machine** compares one source. What does not fit the memory sync is given goes to a temporary folder. Beyond
  some hundred million objects give each prefix a project of its own: they share the lake and do not wait for each
  other.
- **Ids in tags, metadata or sidecars** cost one more request for each arriving object; ids in keys or in a
  reference file cost none.
"""


def scale_page() -> str:
    """Return `docs/scale.md` for the figures in `docs/benchmarks.json`."""
    known = json.loads(FIGURES.read_text(encoding="utf-8"))
    lines = [_INTRODUCTION, _LISTING.rstrip("\n")]
    lines += part_tables("listing") if "listing" in known else ["", "Not measured yet."]
    lines += ["", _DIFF.rstrip("\n")]
    lines += part_tables("sync_diff") if "sync_diff" in known else ["", "Not measured yet."]
    lines += ["", _PAPER.rstrip("\n"), ""]
    lines += table(_paper(known["listing"])) if "listing" in known else ["Not measured yet."]
    return "\n".join([*lines, "", _LIMITS.rstrip("\n")]) + "\n"


def _paper(listing: dict[str, Any]) -> list[dict[str, Any]]:
    read = {row["format"]: row for row in _rows(listing, "inventory")}["Parquet"]
    kept = {row["what"]: row for row in _rows(listing, "at rest")}["references"]
    delivery, live = OBJECTS * INVENTORY_PER_OBJECT, OBJECTS / 1000 * LIST_PER_REQUEST
    file_gb, lake_gb = OBJECTS * read["bytes/object"] / 1e9, OBJECTS * kept["bytes/object"] / 1e9
    return [
        _line("inventory every week", f"${delivery * _MONTH_DAYS / 7:,.0f} a month", f"${delivery:.2f} a delivery"),
        _line("inventory every day", f"${delivery * _MONTH_DAYS:,.0f} a month", f"${delivery:.2f} a delivery"),
        _line("live listing every week", f"${live * _MONTH_DAYS / 7:,.0f} a month", f"${live:.2f} a listing"),
        _line("live listing every hour", f"${live * _MONTH_DAYS * 24:,.0f} a month", f"${live:.2f} a listing"),
        _line("one delivery kept", f"${file_gb * STORED_PER_GB_MONTH:,.2f} a month", f"{file_gb:,.0f} GB"),
        _line("references kept", f"${lake_gb * STORED_PER_GB_MONTH:,.2f} a month", f"{lake_gb:,.0f} GB"),
        _line("reading a delivery", f"{OBJECTS / read['objects/s'] / 60:,.0f} min", "at the rate above, one process"),
        _line(
            "first sight of all",
            f"${OBJECTS * GET_PER_REQUEST:,.0f}, {OBJECTS / REQUESTS_PER_SECOND / 3600:,.0f} h",
            f"one ranged GET each, {REQUESTS_PER_SECOND:,} a second",
        ),
    ]


def _rows(listing: dict[str, Any], word: str) -> list[dict[str, Any]]:
    (rows,) = (rows for heading, rows in listing["tables"].items() if word in heading.lower())
    return list(rows)


def _line(what: str, figure: str, how: str) -> dict[str, Any]:
    return {"what": what, "figure": figure, "of": how}
