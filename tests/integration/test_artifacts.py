"""Artifacts of a run arrive at the Prefect server."""

from __future__ import annotations

import json

import pytest
from prefect import flow, get_client, task
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.context import get_run_context

from tasks.artifacts import progress, publish_link, publish_markdown, publish_table

pytestmark = pytest.mark.integration


@task
def show() -> None:
    publish_table("counts", [{"added": 3}], "what changed")
    publish_table("counts-of-nothing", [], "no rows, no artifact")
    publish_markdown("text", "# Text")
    publish_link("address", "s3://lake/report.html", "the report")
    with progress(4, "reading media") as bar:
        for _ in range(4):
            bar.advance()


@flow
def showing() -> str:
    show()
    return str(get_run_context().flow_run.id)


@pytest.mark.usefixtures("prefect")
def test_every_kind_arrives_and_progress_ends_at_a_hundred_percent():
    run = showing()
    with get_client(sync_client=True) as client:
        wanted = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run]))
        found = {a.key or a.type: a for a in client.read_artifacts(artifact_filter=wanted)}
    assert sorted(found) == ["address", "counts", "progress", "text"]
    assert json.loads(found["counts"].data) == [{"added": 3}]
    assert found["progress"].data == 100.0
