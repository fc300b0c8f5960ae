"""What is wrong with a labelling configuration, beyond what the server itself refuses.

Label Studio accepts a configuration without any control, unknown tags and doubled choices without a word; here each
is a finding with its line and remedy. Nothing is loaded, expanded or fetched while reading. Rules of single elements
are in `lint_element.py`, those between elements in `lint_names.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from labelloop.interface.finding import Finding, finding
from labelloop.interface.lint_element import element_findings
from labelloop.interface.lint_names import name_findings
from labelloop.interface.tags import CONTROLS

_DECLARATION = re.compile(r"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


def lint(xml: str) -> list[Finding]:
    """Return every finding of a labelling configuration, by line; an empty list means that it can be used.

    >>> [f.problem for f in lint('<View><Image name="image" value="$image"/></View>')]
    ['nothing can be answered: there is no control']
    """
    if declared := _DECLARATION.search(xml):
        line = xml.count("\n", 0, declared.start()) + 1
        return [Finding(line, "!DOCTYPE", "document types and entities are refused", "remove the declaration")]
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(xml.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        return [Finding(line, "", f"not well-formed XML: {error}", "mend the markup there")]
    elements = [element for element in root.iter() if isinstance(element.tag, str)]
    found = [*_document(root, elements), *name_findings(elements)]
    found += [one for element in elements for one in element_findings(element)]
    return sorted(found, key=lambda one: one.line)


def _document(root: Any, elements: list[Any]) -> Iterator[Finding]:
    if root.tag != "View":
        yield finding(root, f"the root is <{root.tag}>", "wrap everything in <View>")
    if not any(element.tag in CONTROLS or element.tag == "Chat" for element in elements):
        yield finding(root, "nothing can be answered: there is no control", "add for instance <Choices>")
