"""What a person may change from run to run; shown as a form in the Prefect UI.

Where things live is a setting, what a project is stands in its spec.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

# Prefect's forms show the flow's own docstring; of the annotation they keep the bounds.
Project = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
LiftReason = Literal["mistake", "renewed-consent"]
SilentMinutes = Annotated[int, Field(ge=2, le=1440)]


class BatchOptions(BaseModel):
    """Deviations from the spec for this run only."""

    model_config = ConfigDict(extra="forbid")

    batch_size: int | None = Field(
        default=None, ge=0, le=100_000, title="Batch size", description="units to choose; none: as the spec says"
    )
    strategy: str | None = Field(
        default=None, title="Strategy", description="sampling strategy; none: as the spec says"
    )
    even_if_open: bool = Field(
        default=False,
        title="Even if a round is open",
        description="begin a new round though the last one is young and not yet answered",
    )
