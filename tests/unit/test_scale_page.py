"""One billion objects on paper: prices and measured rates, multiplied."""

from __future__ import annotations

import json

import pytest

from benchmarks import page
from benchmarks import scale_page as scale

LISTING = {
    "tables": {
        "About 9 objects listed": [{"by": "labelloop", "s": 1.0}],
        "An inventory file of 9 objects read": [{"format": "Parquet", "objects/s": 1e6, "bytes/object": 50.0}],
        "References at rest": [{"what": "references", "bytes/object": 200.0}],
    },
    "measured_on": {"cores": 2},
}


@pytest.fixture
def figures(tmp_path, monkeypatch):
    file = tmp_path / "benchmarks.json"
    for module in (page, scale):
        monkeypatch.setattr(module, "FIGURES", file)
    return lambda parts: file.write_text(json.dumps(parts))


def test_prices_and_rates_are_multiplied(figures):
    figures({"listing": LISTING})
    lines = scale.scale_page().splitlines()
    assert "| inventory every week | $11 a month | $2.50 a delivery |" in lines
    assert "| live listing every hour | $3,650 a month | $5.00 a listing |" in lines
    assert "| references kept | $4.60 a month | 200 GB |" in lines
    assert "| reading a delivery | 17 min | at the rate above, one process |" in lines
    assert "| first sight of all | $400, 51 h | one ranged GET each, 5,500 a second |" in lines


def test_what_was_not_measured_is_said(figures):
    figures({})
    assert scale.scale_page().count("Not measured yet.") == 3
