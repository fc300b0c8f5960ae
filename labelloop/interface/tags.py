"""The tags of Label Studio 1.23, by what they do."""

from __future__ import annotations

OBJECTS = frozenset(
    [
        "Audio",
        "AudioPlus",
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
        "MagicWand",
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
