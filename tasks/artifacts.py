"""What a stage shows in the Prefect UI: tables, texts, links and progress.

Outside a run there is no UI: texts then go nowhere and progress goes to the log. Callers pass counts, digests and
pseudonyms, never identifiers: Prefect keeps artifacts for ever.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.context import FlowRunContext, TaskRunContext
from prefect.events import emit_event

_log = logging.getLogger(__name__)


def publish_table(key: str, rows: list[dict[str, Any]], description: str) -> None:
    """Show rows as a table artifact.

    Args:
        key: lower-case letters, digits and dashes; later tables of the same key form its history.
        rows: one dict per row, JSON values; nothing is shown for none.
        description: what the table says, Markdown.
    """
    if rows and _in_a_run():
        create_table_artifact(rows, key=key, description=description)


def publish_markdown(key: str, text: str) -> None:
    """Show a Markdown text as an artifact."""
    if _in_a_run():
        create_markdown_artifact(text, key=key)


def publish_link(key: str, uri: str, description: str) -> None:
    """Show a link as an artifact; `uri` carries no signature, since it is kept."""
    if _in_a_run():
        create_link_artifact(uri, link_text=description, key=key, description=description)


def announce(event: str, figures: Mapping[str, float | str], *, project: str | None = None) -> None:
    """Tell the Prefect server of something that automations and people wait for.

    Args:
        event: `labelloop.<stage>.<what>`; its resource is `labelloop.<stage>`.
        figures: what is told with it.
        project: whose event it is; its resource is then `labelloop.project.<project>`.
    """
    resource = f"labelloop.project.{project}" if project else event.rpartition(".")[0]
    if _in_a_run():
        emit_event(event, resource={"prefect.resource.id": resource}, payload=dict(figures))


class Progress:
    """How far a known amount of work has got, told once per percent."""

    def __init__(self, total: int, description: str, artifact: UUID | None) -> None:
        """Start at nothing done of `total`."""
        self._total, self._description, self._artifact = total, description, artifact
        self._done = self._told = 0

    def advance(self, n: int = 1) -> None:
        """Count `n` more items as done."""
        self._done += n
        percent = min(100, 100 * self._done // max(1, self._total))
        if percent == self._told:
            return
        if self._artifact:
            update_progress_artifact(self._artifact, progress=float(percent))
        elif percent // 10 != self._told // 10:
            _log.info("%s: %d %%", self._description, percent)
        self._told = percent


@contextmanager
def progress(total: int, description: str) -> Iterator[Progress]:
    """Show the progress of the block; call `.advance(n)` on what it yields.

    >>> with progress(2, "reading media") as bar:
    ...     bar.advance(2)
    """
    artifact: UUID | None = None
    if _in_a_run() and total:
        artifact = cast(UUID, create_progress_artifact(0.0, description=description))  # not awaited: we are not async
    yield Progress(total, description, artifact)


def _in_a_run() -> bool:
    return FlowRunContext.get() is not None or TaskRunContext.get() is not None
