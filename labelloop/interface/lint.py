"""What is wrong with a labelling configuration, beyond what the server itself refuses.

Label Studio accepts a configuration without any control, unknown tags and doubled choices without a word; here each
is a finding with its line and remedy. Nothing is loaded, expanded or fetched while reading.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from lxml import etree

from labelloop.interface.tags import CONTROLS, ITEMS, LAYOUT, OBJECTS

_KNOWN = CONTROLS | OBJECTS | ITEMS | LAYOUT
_BY_LOWER = {tag.lower(): tag for tag in _KNOWN}


@dataclass(frozen=True)
class Finding:
    """One thing to mend: where, what, how."""

    line: int
    tag: str
    problem: str
    remedy: str

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        return asdict(self)


def lint(xml: str) -> list[Finding]:
    """Return every finding of a labelling configuration, by line; an empty list means that it can be used.

    >>> [f.problem for f in lint('<View><Image name="image" value="$image"/></View>')]
    ['nothing can be answered: there is no control']
    """
    if re.search(r"<!(DOCTYPE|ENTITY)", xml, re.IGNORECASE):
        return [Finding(1, "!DOCTYPE", "document types and entities are refused", "remove the declaration")]
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(xml.encode(), parser)
    except etree.XMLSyntaxError as error:
        return [Finding(error.lineno or 1, "", f"not well-formed XML: {error.msg}", "mend the markup there")]
    elements = [element for element in root.iter() if isinstance(element.tag, str)]
    found = [*_document(root, elements), *(finding for e in elements for finding in _element(e))]
    return sorted(found + list(_names(elements)), key=lambda finding: finding.line)


def _document(root: Any, elements: list[Any]) -> Iterator[Finding]:
    if root.tag != "View":
        yield _finding(root, f"the root is <{root.tag}>", "wrap everything in <View>")
    if not any(e.tag in CONTROLS for e in elements):
        yield _finding(root, "nothing can be answered: there is no control", "add for instance <Choices>")


def _element(element: Any) -> Iterator[Finding]:
    tag = element.tag
    if tag not in _KNOWN:
        meant = _BY_LOWER.get(tag.lower())
        yield _finding(element, f"<{tag}> is no tag", f"write <{meant}>" if meant else "mend its name or remove it")
    if tag in OBJECTS and tag != "Pairwise" and not element.get("value", "").startswith("$"):
        yield _finding(element, "its value names no field of the task", 'write value="$field"')
    if tag in CONTROLS | OBJECTS and not element.get("name"):
        yield _finding(element, "it has no name", 'add name="..."')
    yield from _choices(element)


def _choices(element: Any) -> Iterator[Finding]:
    if element.tag not in CONTROLS:
        return
    values = Counter(item.get("value") for item in element.iterchildren() if item.tag in ITEMS)
    twice = sorted(value for value, count in values.items() if value and count > 1)
    for value in twice:
        yield _finding(element, f"choice {value!r} appears {values[value]} times", "keep one of them")


def _names(elements: list[Any]) -> Iterator[Finding]:
    named = {e.get("name"): e for e in elements if e.get("name")}
    counts = Counter(e.get("name") for e in elements if e.get("name") and e.tag in CONTROLS | OBJECTS)
    for name in sorted(name for name, count in counts.items() if count > 1):
        yield _finding(named[name], f"name {name!r} is used {counts[name]} times", "give each its own name")
    for control in (e for e in elements if e.tag in CONTROLS):
        aims = [name.strip() for name in control.get("toName", "").split(",") if name.strip()]
        if not aims:
            yield _finding(control, "it asks about nothing", 'add toName="..." with the name of an object')
        for aim in (a for a in aims if a not in named or named[a].tag in CONTROLS):
            what = "is a control" if aim in named else "does not exist"
            yield _finding(control, f"toName {aim!r} {what}", "name an object such as an <Image>")


def _finding(element: Any, problem: str, remedy: str) -> Finding:
    return Finding(element.sourceline or 1, str(element.tag), problem, remedy)
