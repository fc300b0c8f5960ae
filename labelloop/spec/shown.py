"""What an annotator is shown: fields of a task's data, each of one kind."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from labelloop.spec.sections import Section

MediaKind = Literal["image", "text", "audio", "video", "pdf", "time_series", "dialogue", "record"]
FieldKind = Literal["image", "text", "audio", "video", "pdf", "time_series", "dialogue", "items"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$")]


class Shown(Section):
    """One field of a task's data."""

    name: Name
    kind: FieldKind = Field(
        default="text",
        description="media are s3:// addresses; dialogue is a list of {author, text}; items a list of "
        "{id, title, text, image, score, source}",
    )
    title: str | None = Field(default=None, min_length=1, max_length=500, description="heading above it")


class Channel(Section):
    """One line of a plot."""

    column: str = Field(min_length=1, max_length=200, description="of the CSV file")
    title: str | None = Field(default=None, min_length=1, max_length=200)
    units: str | None = Field(default=None, min_length=1, max_length=50)


class Series(Section):
    """How the CSV file of a time series is read."""

    channels: tuple[Channel, ...] = Field(min_length=1)
    time: str | None = Field(
        default=None, min_length=1, description="column of the time; without it rows are counted"
    )
    time_format: str | None = Field(
        default=None, min_length=1, description="as in strftime; without it the time is a number"
    )
    separator: str = Field(default=",", min_length=1, max_length=1)
