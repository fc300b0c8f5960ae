"""The checks in their order, and on which others each depends.

A check gives one line, or raises a named error with its remedy. What depends on a failed check is not tried.
"""

from __future__ import annotations

from collections.abc import Iterator

from deployments.doctor.check import Check, Finding, carry_out
from deployments.doctor.installation import Installation
from deployments.doctor.project import Project
from deployments.prefect_api import reach_work_pool


def diagnose(project: str | None = None) -> Iterator[Finding]:
    """Yield one finding after the other, for one project or for every one that has a spec."""
    return carry_out(_checks(project))


def _checks(project: str | None) -> Iterator[Check]:
    here = Installation()
    yield Check("settings", here.read_settings)
    yield Check("S3", here.reach_s3, needs=("settings",))
    yield Check("lake", here.write_lake, needs=("S3",))
    yield Check("vault", here.write_vault, needs=("S3",))
    yield Check("suppression keys", here.recognise_keys, needs=("lake",))
    yield Check("Label Studio", here.reach_label_studio, needs=("settings",))
    yield Check("trust zone", here.share_no_organisation, needs=("Label Studio",))
    yield Check("addresses of media", here.open_media_briefly, needs=("Label Studio",))
    yield Check("locks of tasks", here.release_locks, needs=("settings",))
    yield Check("Prefect", reach_work_pool)
    for name in [project] if project else here.projects():
        inside = Project(name)
        yield Check(f"spec of {name}", inside.read_spec, needs=("settings",))
        yield Check(f"experts of {name}", inside.know_experts, needs=(f"spec of {name}",))
        yield Check(f"media of {name}", inside.list_media, needs=("S3", f"spec of {name}"))
        yield Check(f"quarantine of {name}", inside.look_for_expired, needs=("lake", f"spec of {name}"))
