"""Rules that need to see one element only: its tag, its attributes, what lies in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from labelloop.interface.attributes import misfit
from labelloop.interface.finding import Finding, finding
from labelloop.interface.tags import CONTROLS, DEPRECATED, ITEMS, LAYOUT, LITERAL, OBJECTS

_KNOWN = CONTROLS | OBJECTS | ITEMS | LAYOUT
_BY_LOWER = {tag.lower(): tag for tag in _KNOWN}
# Not text that stands for itself, but the name of a field whose `$` was forgotten.
_FIELD = re.compile(r"[a-z_][a-z0-9_]*")
# As a name each means something else: what is in no bucket, or a flag, for which the editor takes it.
_TAKEN_NAMES = frozenset(["_", "true", "false"])
_NAMELESS = frozenset(["Relations", "Table", "Pdf", "Markdown"])


def element_findings(element: Any) -> Iterator[Finding]:
    """Yield what is wrong with one element."""
    yield from _tag(element)
    yield from _attributes(element)
    if element.tag in OBJECTS:
        yield from _value(element)
    if element.tag in CONTROLS | OBJECTS and element.tag not in _NAMELESS and not element.get("name"):
        yield finding(element, "it has no name", 'add name="..."')
    if element.get("name") in _TAKEN_NAMES:
        yield finding(element, f"the name {element.get('name')!r} means something else", "choose another name")
    if element.tag in CONTROLS:
        yield from _doubled(element)
    yield from _nested(element)


def _tag(element: Any) -> Iterator[Finding]:
    tag = element.tag
    if tag.lower() == "script":
        yield finding(element, "scripts are refused", "remove it")
    elif tag in DEPRECATED:
        yield finding(element, f"<{tag}> is deprecated", f"write <{DEPRECATED[tag]}>")
    elif tag not in _KNOWN:
        meant = _BY_LOWER.get(tag.lower())
        yield finding(element, f"<{tag}> is no tag", f"write <{meant}>" if meant else "mend its name or remove it")


def _attributes(element: Any) -> Iterator[Finding]:
    for name, value in element.attrib.items():
        if takes := misfit(element.tag, name, value):
            yield finding(element, f"{name} takes {takes}, not {value[:40]!r}", f"write {takes}")
        if name.lower().startswith("on") and name[2:].islower() and "(" in value:
            yield finding(element, f"{name} looks like a script", "remove it")


def _value(element: Any) -> Iterator[Finding]:
    value = element.get("value") or element.get("valueList") or ""
    literal = element.tag in LITERAL and value and not _FIELD.fullmatch(value)
    if not literal and not value.startswith("$"):
        yield finding(element, "its value names no field of the task", 'write value="$field"')


def _doubled(control: Any) -> Iterator[Finding]:
    values = Counter(item.get("value") for item in control.iterchildren() if item.tag in ("Choice", "Label"))
    for value in sorted(value for value, count in values.items() if value and count > 1):
        yield finding(control, f"choice {value!r} appears {values[value]} times", "keep one of them")
    buckets = Counter(item.get("name") for item in control.iterchildren("Bucket"))
    for name in sorted(name for name, count in buckets.items() if name and count > 1):
        yield finding(control, f"bucket {name!r} appears {buckets[name]} times", "keep one of them")


def _nested(element: Any) -> Iterator[Finding]:
    parent = element.getparent()
    if element.tag == "Label" and parent is not None and parent.tag == "Label":
        yield finding(element, "a label lies within a label", "put labels side by side, or use <Taxonomy>")
    if element.tag == "Choice" and parent is not None and parent.tag == "Choice" and not _may_nest(element):
        yield finding(
            element, "a choice lies within a choice", 'add allowNested="true" to <Choices>, or use <Taxonomy>'
        )


def _may_nest(choice: Any) -> bool:
    control = next((above for above in choice.iterancestors() if above.tag in CONTROLS), None)
    if control is None or control.tag == "Taxonomy":
        return True
    return any(name.lower() == "allownested" and value == "true" for name, value in control.attrib.items())
