"""The controls of a labelling configuration, and what of them the answers they were given rest on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from labelloop.interface.tags import CONTROLS

Path = tuple[str, ...]
UNNAMED: Final = ""  # relations: neither their control nor an answer has a name


@dataclass(frozen=True)
class Control:
    """What the answers to one control rest on.

    `tag`: with whatever else gives an answer its shape. `labels`: of a taxonomy with all above them; None where they
    come with each task, or from elsewhere. `bounds`: of a number.
    """

    tag: str
    objects: str
    labels: frozenset[Path] | None
    several: bool
    bounds: tuple[float, float]

    def beyond(self, answered: Any) -> str | None:
        """Return beyond which of its bounds a number lies; None if it lies within, or is none."""
        low, high = self.bounds
        if not isinstance(answered, int | float) or low <= answered <= high:
            return None
        return f"below {low:g}" if answered < low else f"above {high:g}"


def controls_of(xml: str) -> dict[str, Control]:
    """Return the controls of a labelling configuration by name; relations have none.

    >>> controls_of('<View><Choices name="q" toName="t"><Choice value="a"/></Choices></View>')["q"].labels
    frozenset({('a',)})
    """
    root = etree.fromstring(xml.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    return {e.get("name", UNNAMED): _control(e) for e in root.iter() if e.tag in CONTROLS}


def _control(element: Any) -> Control:
    shape = [f'{name}="{element.get(name)}"' for name in ("perRegion", "only") if element.get(name)]
    buckets = ["Bucket"] if element.find("Bucket") is not None else []
    elsewhere = (element.get("value") or "").startswith("$") or element.get("apiUrl")
    single = {"Choices": element.get("choice") != "multiple", "Taxonomy": element.get("maxUsages") == "1"}
    return Control(
        " ".join([element.tag, *shape, *buckets]),
        element.get("toName") or "",
        None if elsewhere else frozenset(_labels(element, is_tree=element.tag == "Taxonomy")),
        not single.get(element.tag, False),
        _bounds(element),
    )


def _labels(element: Any, above: Path = (), *, is_tree: bool) -> Iterator[Path]:
    for item in element.iterchildren("*"):
        path = (*above, item.get("alias") or item.get("value") or item.get("name") or "")
        yield path
        yield from _labels(item, path if is_tree else (), is_tree=is_tree)


def _bounds(element: Any) -> tuple[float, float]:
    low, high = -math.inf, 5.0 if element.tag == "Rating" else math.inf
    with suppress(TypeError, ValueError):  # not given; or set by a hand, and no number
        low = float(element.get("min"))
    with suppress(TypeError, ValueError):
        high = float(element.get("maxRating" if element.tag == "Rating" else "max"))
    return low, high
