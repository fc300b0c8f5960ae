"""Every flow by its name, for the command line; imported only when a flow is run."""

from __future__ import annotations

FLOWS: dict[str, str] = {
    "weekly-batch": "flows.weekly_batch:weekly_batch",
    "nightly-agreement": "flows.nightly_agreement:nightly_agreement",
    "retrain-check": "flows.retrain_check:retrain_check",
    "sync": "flows.single_stages:sync_references",
    "erase": "flows.single_stages:erase",
    "erase-plan": "flows.single_stages:plan_erasures",
    "purge": "flows.single_stages:purge_tables",
    "erase-replay": "flows.single_stages:replay_erasures",
    "erasure-audit": "flows.single_stages:audit_erasures",
    "export": "flows.single_stages:export_dataset",
    "refresh-tasks": "flows.single_stages:refresh_tasks",
    "report": "flows.single_stages:write_report",
    "janitor": "flows.single_stages:sweep",
}
