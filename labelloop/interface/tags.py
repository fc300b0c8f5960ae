"""The tags of Label Studio 1.23, by what they do."""

from __future__ import annotations

OBJECTS = frozenset(
    [
        "Audio",
        "Chat",
        "HyperText",
        "Image",
        "List",
        "Markdown",
        "Paragraphs",
        "Pdf",
        "ReactCode",
        "Table",
        "Text",
        "TimeSeries",
        "Video",
    ]
)
CONTROLS = frozenset(
    [
        "Bitmask",
        "BitmaskLabels",
        "Brush",
        "BrushLabels",
        "Choices",
        "DateTime",
        "Ellipse",
        "EllipseLabels",
        "HyperTextLabels",
        "KeyPoint",
        "KeyPointLabels",
        "Labels",
        "Magicwand",
        "Number",
        "OcrLabels",
        "Pairwise",
        "ParagraphLabels",
        "Polygon",
        "PolygonLabels",
        "Ranker",
        "Rating",
        "Rectangle",
        "RectangleLabels",
        "Relations",
        "Taxonomy",
        "TextArea",
        "TimeSeriesLabels",
        "TimelineLabels",
        "Vector",
        "VectorLabels",
        "VideoRectangle",
    ]
)
ITEMS = frozenset(["Bucket", "Channel", "Choice", "Label", "MultiChannel", "Relation"])
LAYOUT = frozenset(["Collapse", "Filter", "Header", "Panel", "Repeater", "Shortcut", "Style", "View"])
# Written by old projects; the server still takes some of them.
DEPRECATED = {"AudioPlus": "Audio", "Dialog": "Paragraphs", "HyperTextPlus": "HyperText", "TextPlus": "Text"}

_IMAGE = frozenset(["Image"])
# What the regions or the order that a control records lie on; a control that is not listed may ask about any object.
ASKS_ABOUT = {
    **{f"{shape}{kind}": _IMAGE for shape in ("Bitmask", "Brush", "Ellipse", "KeyPoint") for kind in ("", "Labels")},
    **{f"{shape}{kind}": _IMAGE for shape in ("Polygon", "Rectangle", "Vector") for kind in ("", "Labels")},
    "Magicwand": _IMAGE,
    "HyperTextLabels": frozenset(["HyperText", "Pdf"]),
    "Labels": frozenset(["Audio", "HyperText", "Image", "Paragraphs", "Pdf", "Text", "TimeSeries", "Video"]),
    "OcrLabels": frozenset(["Image", "Pdf"]),
    "ParagraphLabels": frozenset(["Paragraphs"]),
    "Ranker": frozenset(["List"]),
    "TimeSeriesLabels": frozenset(["TimeSeries"]),
    "TimelineLabels": frozenset(["Video"]),
    "VideoRectangle": frozenset(["Video"]),
}
# Their value may be text that stands for itself.
LITERAL = frozenset(["Markdown", "Text"])
# What may be marked on an object, so that questions can be asked of each mark.
MARKS = frozenset(ASKS_ABOUT) - {"Ranker"} | {"Chat"}
