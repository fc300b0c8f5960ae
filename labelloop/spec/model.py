"""The `model` section of a spec: where predictions come from, and what a model reads."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from labelloop.spec.preprocessing import Preprocessing
from labelloop.spec.sections import Section


class Features(Section):
    """How an image becomes the numbers a model reads."""

    width: int = Field(default=32, ge=1, le=512)
    height: int = Field(default=32, ge=1, le=512)
    mode: Literal["L", "RGB"] = "L"


class Model(Section):
    """Where predictions come from."""

    source: Literal["trainer", "onnx", "parquet", "none"] = Field(
        default="none", description="our trainer, an ONNX file, a Parquet file of predictions, or nothing"
    )
    uri: str | None = Field(default=None, description="s3:// address of the ONNX or Parquet file")
    features: Features = Features()
    preprocessing: Preprocessing | None = Field(
        default=None, description="for an ONNX model that reads the media itself; without it, it reads the features"
    )
    minimum_gain: float = Field(
        default=0.0,
        gt=-1,
        lt=1,
        description="promoted when the whole interval of the gain lies above this; negative: what it may lose",
    )

    @model_validator(mode="after")
    def _file_sources_need_a_uri(self) -> Self:
        if self.source in ("onnx", "parquet") and not (self.uri or "").startswith("s3://"):
            raise ValueError(f"source is {self.source!r}, but uri is {self.uri!r}; give an s3:// address")
        return self

    @model_validator(mode="after")
    def _only_onnx_reads_media(self) -> Self:
        if self.preprocessing and self.source != "onnx":
            raise ValueError(f"preprocessing is for source 'onnx', not {self.source!r}; remove it")
        return self
