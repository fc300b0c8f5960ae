"""Rules that need to see one element only: its tag, its attributes, what lies in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from labelloop.interface.attributes import misfit
from labelloop.interface.finding import Finding, finding
from labelloop.interface.tags import CONTROLS, DEPRECATED, ITEMS, LAYOUT, LITERAL, OBJECTS
from labelloop.spec.attributes import attribute
from labelloop.spec.from_xml import items_of, stored_as

_KNOWN = CONTROLS | OBJECTS | ITEMS | LAYOUT
_BY_LOWER = {tag.lower(): tag for tag in _KNOWN}
# Not text that stands for itself, but the name of a field whose `$` was forgotten.
_FIELD = re.compile(r"[a-z_][A-Za-z0-9_]*")
_OF_TASK = re.compile(r"\$[^\s$]")
# The server looks for these in this case alone, the page takes them in any.
_SPELLED = {name.lower(): name for name in ("name", "toName", "value")}
# As a name each means something else: what is in no bucket, a flag, or what every object of the editor comes from.
_TAKEN_NAMES = frozenset(["_", "true", "false", "__proto__"])
_NAMELESS = frozenset(["Relations", "Table", "Pdf", "Markdown"])


def element_findings(element: Any) -> Iterator[Finding]:
    """Yield what is wrong with one element."""
    yield from _tag(element)
    yield from _attributes(element)
    if element.tag in OBJECTS:
        yield from _value(element)
    if element.tag in CONTROLS | OBJECTS and element.tag not in _NAMELESS and not attribute(element, "name"):
        yield finding(element, "it has no name", 'add name="..."')
    if element.get("name") in _TAKEN_NAMES:
        yield finding(element, f"the name {element.get('name')!r} means something else", "choose another name")
    if element.tag in CONTROLS or element.tag == "Choice":
        yield from _doubled(element)
    if element.tag in ("Choice", "Label"):
        yield from _item(element)


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
        if (spelled := _SPELLED.get(name.lower(), name)) != name:
            yield finding(element, f"{name} is {spelled} in another case", f"write {spelled}")
        if name.lower().startswith("on") and "(" in value:
            yield finding(element, f"{name} looks like a script", "remove it")


def _value(element: Any) -> Iterator[Finding]:
    value = attribute(element, "value") or attribute(element, "valueList") or ""
    literal = element.tag in LITERAL and value and not value.startswith("$") and not _FIELD.fullmatch(value)
    if not literal and not _OF_TASK.match(value):
        yield finding(element, "its value names no field of the task", 'write value="$field"')


def _doubled(element: Any) -> Iterator[Finding]:
    """Two that look alike, and two that are stored alike: of neither could anybody tell which was chosen."""
    items = list(items_of(element))
    counts = Counter(attribute(item, "value") for item in items) | Counter(stored_as(item) for item in items)
    for name in sorted(name for name, count in counts.items() if name and count > 1):
        what = "bucket" if element.tag == "Ranker" else "choice"
        yield finding(element, f"{what} {name!r} appears {counts[name]} times", "keep one of them")


def _item(item: Any) -> Iterator[Finding]:
    above = [element.tag for element in item.iterancestors()]
    if not attribute(item, "value"):
        yield finding(item, "it has no value", 'add value="..."')
    if item.tag == "Label" and "Label" in above:
        yield finding(item, "a label lies within a label", "put labels side by side, or use <Taxonomy>")
    if item.tag == "Choice":
        yield from _choice(item, above)


def _choice(choice: Any, above: Sequence[str]) -> Iterator[Finding]:
    control = next((element for element in choice.iterancestors() if element.tag in CONTROLS), None)
    if control is None or control.tag not in ("Choices", "Taxonomy"):
        yield finding(choice, "it is a choice of nothing", "put it into <Choices> or <Taxonomy>")
    elif control.tag == "Choices" and "Choice" in above and attribute(control, "allowNested") != "true":
        yield finding(
            choice, "a choice lies within a choice", 'add allowNested="true" to <Choices>, or use <Taxonomy>'
        )
