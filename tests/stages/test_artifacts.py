"""Artifacts outside a run: nothing is shown, progress goes to the log."""

from __future__ import annotations

import logging

import pytest

from tasks.artifacts import progress, publish_link, publish_markdown, publish_table


@pytest.fixture(autouse=True)
def _no_server(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("an artifact was sent outside a run")

    for kind in ("table", "markdown", "link", "progress"):
        monkeypatch.setattr(f"tasks.artifacts.create_{kind}_artifact", refuse)


def test_nothing_is_sent_outside_a_run():
    publish_table("sync", [{"added": 1}], "what changed")
    publish_markdown("report", "# Report")
    publish_link("report", "s3://lake/report.html", "the report")


def test_progress_is_logged_once_per_ten_percent(caplog):
    caplog.set_level(logging.INFO, logger="tasks.artifacts")
    with progress(1000, "reading media") as bar:
        for _ in range(1000):
            bar.advance()
    assert [record.getMessage() for record in caplog.records] == [
        f"reading media: {percent} %" for percent in range(10, 101, 10)
    ]


@pytest.mark.parametrize("total", [0, 3])
def test_more_than_was_announced_stays_at_a_hundred_percent(total, caplog):
    caplog.set_level(logging.INFO, logger="tasks.artifacts")
    with progress(total, "reading media") as bar:
        bar.advance(10)
        bar.advance(10)
    assert [record.getMessage() for record in caplog.records] == ["reading media: 100 %"]
