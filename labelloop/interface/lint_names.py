"""Rules between elements: who asks about whom, by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from labelloop.interface.finding import Finding, finding
from labelloop.interface.tags import ASKS_ABOUT, CONTROLS, MARKS, OBJECTS
from labelloop.spec.attributes import attribute, names_in

_AIMLESS = frozenset(["Relations", "Shortcut"])
_NARROWER = ("whenTagName", "whenLabelValue", "whenChoiceValue")


def name_findings(elements: list[Any]) -> Iterator[Finding]:
    """Yield what is wrong between the elements of a configuration."""
    those = [(name, e) for e in elements if e.tag in CONTROLS | OBJECTS and (name := attribute(e, "name"))]
    named, counts = dict(those), Counter(name for name, _ in those)
    for name in sorted(name for name, count in counts.items() if count > 1):
        yield finding(named[name], f"name {name!r} is used {counts[name]} times", "give each its own name")
    for control in (e for e in elements if e.tag in CONTROLS and e.tag not in _AIMLESS):
        yield from _aims(control, named)
    for element in elements:
        yield from _conditions(element, named)
    yield from _per_region(elements)


def _aims(control: Any, named: Mapping[str, Any]) -> Iterator[Finding]:
    aims = names_in(control, "toName")
    if not aims:
        yield finding(control, "it asks about nothing", 'add toName="..." with the name of an object')
    if control.tag == "Pairwise" and aims and (len(aims), len(set(aims))) != (2, 2):
        yield finding(control, f"it compares {len(set(aims))} object(s)", 'write toName="left,right"')
    if any(name != name.strip() for name in (attribute(control, "toName") or "").split(",")):
        yield finding(control, "toName holds a blank, at which Label Studio fails", 'write toName="left,right"')
    for aim in aims:
        yield from _aim(control, aim, named.get(aim))


def _aim(control: Any, aim: str, target: Any | None) -> Iterator[Finding]:
    if target is None or target.tag in CONTROLS:
        what = "does not exist" if target is None else "is a control"
        yield finding(control, f"toName {aim!r} {what}", "name an object such as an <Image>")
        return
    possible = ASKS_ABOUT.get(control.tag)
    if possible and target.tag not in possible:
        wanted = " or ".join(f"<{tag}>" for tag in sorted(possible))
        yield finding(control, f"it cannot work on <{target.tag}>", f"let it ask about {wanted}")


def _conditions(element: Any, named: Mapping[str, Any]) -> Iterator[Finding]:
    condition, about = attribute(element, "visibleWhen"), names_in(element, "whenTagName")
    for name in about:
        if name not in named:
            yield finding(element, f"whenTagName {name!r} does not exist", "give the name of a control")
    if attribute(element, "whenChoiceValue") and condition and not about:
        yield finding(element, "whenChoiceValue says nothing about which question", "add whenTagName")
    if element.tag in CONTROLS and _is(element, "perRegion") and _is(element, "required") and not condition:
        yield from _hidden_by_view_alone(element)


def _hidden_by_view_alone(control: Any) -> Iterator[Finding]:
    """A condition on the view hides the question; the check for an answer looks at the control's own alone."""
    views = [view for view in control.iterancestors("View") if attribute(view, "visibleWhen")]
    if any(attribute(view, name) for view in views for name in _NARROWER):
        yield finding(
            control,
            "it is required of every region, also of those for which visibleWhen on the <View> hides it",
            "repeat visibleWhen and what it depends on at the control",
        )


def _per_region(elements: list[Any]) -> Iterator[Finding]:
    marked = {aim for e in elements if e.tag in MARKS for aim in (names_in(e, "toName") or [e.get("name")])}
    for control in (e for e in elements if e.tag in CONTROLS and _is(e, "perRegion")):
        if not marked.intersection(names_in(control, "toName")):
            yield finding(control, "it is asked of each region, and nothing can be marked", "remove perRegion")


def _is(element: Any, flag: str) -> bool:
    return attribute(element, flag) == "true"
