"""Attributes of a labelling configuration as Label Studio reads them: in any case, several names in one text."""

from __future__ import annotations

from typing import Any


def attribute(element: Any, name: str) -> str | None:
    """Return the value of an attribute whose name is written in whatever case; None where there is none.

    >>> from lxml import etree
    >>> attribute(etree.fromstring('<Choices toname="image"/>'), "toName")
    'image'
    """
    return next((value for key, value in element.attrib.items() if key.lower() == name.lower()), None)


def names_in(element: Any, name: str) -> tuple[str, ...]:
    """Return the names that an attribute lists with commas; none where it is absent or empty.

    >>> from lxml import etree
    >>> names_in(etree.fromstring('<Pairwise toName="left, right"/>'), "toName")
    ('left', 'right')
    """
    return tuple(one.strip() for one in (attribute(element, name) or "").split(",") if one.strip())
