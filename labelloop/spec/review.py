"""The `review` section of a spec: which answers experts look at."""

from __future__ import annotations

from pydantic import Field

from labelloop.spec.sections import Section


class Review(Section):
    """Which answers go to the experts' project, beside conflicts that no further opinion may settle."""

    share: float = Field(default=0.05, ge=0, le=1, description="of the units annotators agree on, drawn for life")
    least_alike: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="answers of regions or buckets less alike than this: mean overlap, share of items in one bucket",
    )
    novice_answers: int = Field(
        default=0,
        ge=0,
        description="what was only said in somebody's first so many answers waits for an expert, too",
    )
