"""Report: the project on one page, from the lake alone, with the Data Docs beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import pyarrow as pa
from prefect import task

from labelloop.contracts import Contract, contract, expectations
from labelloop.report import Source, report_page
from labelloop.summary import Summary
from tasks.artifacts import publish_link, publish_markdown
from tasks.clients.data_docs import build_data_docs
from tasks.clients.lease import Lease
from tasks.clients.rounds import current_round
from tasks.clients.world import World
from tasks.policies import INSIDE
from tasks.stage import finish, stage

DataDocs = Callable[[Iterable[tuple[Contract, Iterable[pa.RecordBatch]]], datetime], dict[str, bytes]]

SHOWN = (
    "batches",
    "tasks",
    "units",
    "predictions",
    "annotations",
    "labels",
    "agreement",
    "annotators",
    "evaluations",
    "datasets",
    "models",
    "receipts",
    "quarantine",
)
# Only what a figure is made of is read: the rest is large, or about somebody.
_COLUMNS = {
    "tasks": ("unit_id", "ls_project", "task_id", "overlap", "state", "pushed_at"),
    "units": ("unit_id", "kind", "ref_ids", "media_versions"),
    "predictions": ("ref_id", "model_version", "media_version", "predicted", "probabilities", "created_at"),
    "annotations": ("annotation_id", "control", "unit_id", "state", "lead_time", "opinion_reason", "created_at"),
    "labels": ("unit_id", "control", "label", "confidence", "n", "decided_by", "state"),
    "quarantine": ("contract", "rule", "column", "stage"),
}
_JUDGED = ("references", *SHOWN)
_TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8"}


@task(name="report", description="Write the project's report from the lake", **INSIDE)
def report(project: str) -> dict[str, object]:
    """Write the report page and its Data Docs."""
    with stage(project, "report") as (world, lease):
        return finish(write_report(world, lease))


def write_report(world: World, lease: Lease, *, data_docs: DataDocs = build_data_docs) -> Summary:
    """Publish the report of the newest round and link it in the Prefect UI.

    Args:
        world: the project's outside.
        lease: held on (project, report).
        data_docs: judges the tables by their contracts and returns the pages.
    """
    record = current_round(world.hot, world.project)
    folder, now = f"reports/{record.number if record else 0}/", world.now()
    docs = data_docs([(contract(name), _judged_columns(world, name)) for name in _JUDGED], now)
    tables = {name: world.table(name).read(columns=_COLUMNS.get(name)) for name in SHOWN}
    page = report_page(Source(world.spec, tables, now, "data-docs/index.html", world.settings.label_studio_url))
    for path, data in docs.items():
        lease.check()
        world.published.write(f"{folder}data-docs/{path}", data, _TYPES["." + path.rsplit(".", 1)[-1]])
    lease.check()
    uri = world.published.write(folder + "index.html", page, _TYPES[".html"])
    publish_link("report", uri, f"Report of {world.spec.title}")
    publish_markdown("report-address", f"The report of **{world.project}** lies at `{uri}`.")
    return Summary(stage="report", counts={"bytes": len(page), "data_docs": len(docs)})


def _judged_columns(world: World, name: str) -> Iterable[pa.RecordBatch]:
    """Yield the columns of a table that any rule speaks of."""
    return world.table(name).batches(columns=sorted({rule.column for rule in expectations(contract(name))}))
