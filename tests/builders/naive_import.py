"""How a short script puts tasks into Label Studio, to show beside ours what faults make of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from labelloop.errors import UnavailableError
from tasks.clients.label_studio import LabelStudio


def import_until_answered(
    label_studio: LabelStudio, ls_project: int, tasks: Sequence[dict[str, Any]], batch: int
) -> None:
    """Import the tasks batch by batch, and send a batch again that got no answer."""
    for start in range(0, len(tasks), batch):
        answered = False
        while not answered:
            with suppress(UnavailableError):
                label_studio.import_tasks(ls_project, tasks[start : start + batch])
                answered = True
