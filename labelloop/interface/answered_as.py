"""What kind of answers each control of Label Studio gives, or why they are not compared."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_SHAPES: Final = {
    "Rectangle": ("rectangle",),
    "Ellipse": ("ellipse",),
    "Polygon": ("polygon",),
    "KeyPoint": ("keypoint",),
    "Brush": ("mask",),
    "Bitmask": ("mask",),
}
# The object a control stands beside decides where there are several kinds.
ANSWERED_AS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    _SHAPES
    | {f"{tag}Labels": kinds for tag, kinds in _SHAPES.items()}
    | {
        "Choices": ("choices",),
        "DateTime": ("datetime",),
        "HyperTextLabels": ("span",),
        "Labels": ("span", "segment", "choices"),
        "Magicwand": ("mask",),
        "Number": ("number",),
        "OcrLabels": ("rectangle", "ellipse", "polygon"),
        "Pairwise": ("pairwise",),
        "ParagraphLabels": ("span",),
        "Ranker": ("ranking",),
        "Rating": ("rating",),
        "Relations": ("relation",),
        "Taxonomy": ("taxonomy",),
        "TextArea": ("text",),
        "TimeSeriesLabels": ("segment",),
        "TimelineLabels": ("timeline",),
        "VideoRectangle": ("track",),
    }
)
NOT_READ: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Chat": "a conversation is written, not judged; ask choices or a rating about it",
        "ReactCode": "its answers have whatever shape its author chose",
        "Vector": "an open path has no area by which two could be matched; draw polygons or key points",
        "VectorLabels": "as for `Vector`",
    }
)
