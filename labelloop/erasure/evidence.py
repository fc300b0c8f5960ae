"""What a receipt says: counts by place, versions of tables, holds, whom to tell. No identifier gets in here."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from labelloop.erasure.plan import Plan
from labelloop.erasure.request import Request

Row = dict[str, Any]


def sink_counts(
    found: Mapping[str, int], remaining: Mapping[str, int], blocked: Mapping[str, int], methods: Mapping[str, str]
) -> dict[str, Row]:
    """Return for each place what was found, erased, remains and is blocked, and how it was looked at both times.

    What was found before the erasure, by the same method, is the control that the method sees anything.

    >>> sink_counts({"units": 2}, {"units": 0}, {}, {"units": "read again"})["units"]["erased"]
    2
    """
    return {
        place: {
            "found": found.get(place, 0),
            "erased": max(found.get(place, 0) - left, 0),
            "remaining": left,
            "blocked": blocked.get(place, 0),
            "method": methods[place],
        }
        for place, left in remaining.items()
    }


def times(request: Request, now: datetime) -> dict[str, str]:
    """Return when the request came, was due, and was answered."""
    return {
        "received_at": request.received_at.isoformat(),
        "due_at": request.due_at.isoformat(),
        "completed_at": now.isoformat(),
    }


def version_changes(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, Row]:
    """Return the tables whose newest version is another than when the plan was frozen.

    >>> version_changes({"d.units": 1, "d.labels": 4}, {"d.units": 2, "d.labels": 4})
    {'d.units': {'before': 1, 'after': 2}}
    """
    return {
        name: {"before": before.get(name), "after": version}
        for name, version in sorted(after.items())
        if version != before.get(name)
    }


def replaced_sets(project: str, datasets: Mapping[str, Row], versions: Iterable[str]) -> list[Row]:
    """Return each planned training set with what replaced it and who had been given it.

    Args:
        project: the labelling project.
        datasets: rows of the contract `datasets`, by version.
        versions: the planned training sets.
    """
    rows = [datasets[version] for version in versions if version in datasets]
    return [
        {
            "project": project,
            "training_set": row["dataset_version"],
            "replaced_by": row["replaced_by"],
            "recipients": json.loads(row["lineage"]).get("recipients", ""),
        }
        for row in rows
    ]


def recipients(sets: Sequence[Row], declared: Mapping[str, Sequence[str]]) -> list[str]:
    """Return who must be told (GDPR article 19): who was given a set, and who the spec says is given sets now.

    >>> recipients([{"project": "d", "recipients": "Acme, Lab"}], {"d": ["Team"], "other": ["Nobody"]})
    ['Acme', 'Lab', 'Team']
    """
    told = {name for row in sets for name in row["recipients"].split(", ") if name}
    told |= {name for row in sets for name in declared.get(row["project"], ())}
    return sorted(told)


def hold_counts(holds: Iterable[tuple[str, datetime | None, str]]) -> list[Row]:
    """Return how many versions are held, by mode and date, and who can end it.

    Args:
        holds: mode, date (None for none) and who can lift it, of each held version.
    """
    counted = Counter((mode, until.isoformat() if until else None, lifted) for mode, until, lifted in holds)
    return [
        {"mode": mode, "until": until, "lifted_by": lifted, "versions": number}
        for (mode, until, lifted), number in sorted(counted.items(), key=str)
    ]


def models_flagged(plan: Plan) -> int:
    """Return how many models had learned from the rows."""
    return sum(len(reach.model_versions) for reach in plan.projects)
