"""What is wrong with a labelling configuration, beyond what the server itself refuses.

Label Studio accepts a configuration without any control, unknown tags and doubled choices without a word; here each
is a finding with its line and remedy. Nothing is loaded, expanded or fetched while reading. Rules of the text are in
`lint_text.py`, of single elements in `lint_element.py`, those between elements in `lint_names.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lxml import etree

from labelloop.interface.finding import Finding, finding
from labelloop.interface.lint_element import element_findings
from labelloop.interface.lint_names import name_findings
from labelloop.interface.lint_text import declarations
from labelloop.interface.tags import CONTROLS

_LINES_KEPT = 65_535  # that a node of lxml can be told to be at


def lint(xml: str) -> list[Finding]:
    """Return every finding of a labelling configuration, by line; an empty list means that it can be used.

    >>> [f.problem for f in lint('<View><Image name="image" value="$image"/></View>')]
    ['nothing can be answered: there is no control']
    """
    declared, lines = declarations(xml)
    if declared:
        return declared
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(xml.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line, problem = getattr(error, "lineno", None) or 1, " ".join(str(getattr(error, "msg", error)).split())
        return [Finding(line, "", f"not well-formed XML: {problem}", "mend the markup there")]
    elements = _at_their_beginnings(root, lines)
    found = [*_namespaces(elements)] or [
        *_document(root, elements),
        *name_findings(elements),
        *(one for element in elements for one in element_findings(element)),
    ]
    return sorted(found, key=lambda one: one.line)


def _at_their_beginnings(root: Any, lines: Sequence[int]) -> list[Any]:
    """Return the elements, each with the line of its first character; as they were read, it is that of the last."""
    elements = list(root.iter("*"))
    for element, line in zip(elements, lines, strict=False):
        element.sourceline = min(line, _LINES_KEPT)
    return elements


def _namespaces(elements: Sequence[Any]) -> Iterator[Finding]:
    within = {element: etree.QName(element).namespace for element in elements}
    for element, namespace in within.items():
        if namespace and namespace != within.get(element.getparent()):
            yield finding(element, "Label Studio knows no namespaces", "remove xmlns and the prefix")


def _document(root: Any, elements: Sequence[Any]) -> Iterator[Finding]:
    if root.tag != "View":
        yield finding(root, f"the root is <{root.tag}>", "wrap everything in <View>")
    if not any(element.tag in CONTROLS or element.tag == "Chat" for element in elements):
        yield finding(root, "nothing can be answered: there is no control", "add for instance <Choices>")
