"""The `model.preprocessing` section of a spec: what an ONNX model that reads media itself takes."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from labelloop.spec.sections import Section


class Preprocessing(Section):
    """How an image becomes a tensor; a text is handed over as it is, and only `batch` and `softmax` matter."""

    width: int = Field(default=224, ge=1, le=4096)
    height: int = Field(default=224, ge=1, le=4096)
    mode: Literal["L", "RGB"] = "RGB"
    fit: Literal["stretch", "crop"] = Field(
        default="crop", description="crop: the shorter side is fitted and the middle kept; stretch: both are fitted"
    )
    resample: Literal["box", "bilinear", "bicubic"] = "bilinear"
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    dtype: Literal["float32", "float16", "uint8"] = Field(
        default="float32", description="uint8: 0 to 255 as stored; the others: 0 to 1, then mean and std"
    )
    mean: tuple[float, ...] = Field(default=(), description="subtracted, one number for each channel")
    std: tuple[float, ...] = Field(default=(), description="divided by, one number for each channel")
    softmax: bool = Field(default=False, description="the model ends in logits: turn them into probabilities")
    batch: int = Field(default=32, ge=1, le=4096, description="objects in memory at a time")

    @model_validator(mode="after")
    def _normalisation_fits_the_channels(self) -> Self:
        for name, values in (("mean", self.mean), ("std", self.std)):
            if values and len(values) != len(self.mode):
                raise ValueError(f"{name} has {len(values)} numbers, but mode {self.mode!r} has {len(self.mode)}")
        if self.dtype == "uint8" and (self.mean or self.std):
            raise ValueError("dtype is 'uint8', which has no mean and std; remove them or choose float32")
        if not all(value > 0 for value in self.std):
            raise ValueError(f"std is {list(self.std)}; give numbers above 0")
        return self
