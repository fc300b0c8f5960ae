"""The `consensus` section of a spec: how opinions become labels, and what counts beside annotators."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from labelloop.spec.sections import Section


class ImportedLabels(Section):
    """Labels that somebody gave before: an annotator of the name `imported:SOURCE`."""

    source: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$", description="a name for where they come from")
    uri: str = Field(pattern=r"^s3://[^/]+/.+$", description="the file")
    format: Literal["parquet", "coco", "label-studio"] = Field(
        description="Parquet with the columns key and value, of marks key and boxes (label, x, y, width, height in "
        "percent); COCO JSON; or a JSON export of Label Studio"
    )
    control: str = Field(min_length=1, description="the question they answer")
    prefix: str = Field(default="", description="stands before keys of Parquet and file names of COCO")
    policy: Literal["compare", "gold", "warm-start"] = Field(
        default="compare",
        description="only compared; decides where no expert did; or counts as one more annotator",
    )


class Consensus(Section):
    """How opinions on choices become labels; other kinds of answers have a method of their own."""

    method: Literal["majority", "dawid-skene", "one-coin", "mace", "glad"] = "dawid-skene"
    model: bool = Field(
        default=False,
        description="the model in force counts as one more annotator; its own answers then come back as its lessons",
    )
    imported: tuple[ImportedLabels, ...] = ()

    @model_validator(mode="after")
    def _sources_differ(self) -> Self:
        names = [given.source for given in self.imported]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"imported names the source {twice[0]!r} twice; give each a name of its own")
        return self
