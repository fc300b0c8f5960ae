"""From one labelling configuration to the next on a project that has answers: what is migrated, what would be lost.

Label Studio refuses to drop a question that was answered, and lets a label that was used vanish without a word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from labelloop.interface.tags import CONTROLS
from labelloop.spec.interface import Interface

Result = list[Any]


@dataclass(frozen=True)
class Control:
    """What the answers to one control rest on."""

    tag: str
    objects: str
    labels: frozenset[str] | None  # None: they come with each task, or from elsewhere
    several: bool


@dataclass(frozen=True)
class Renames:
    """New names by old ones: of controls, and of the labels of a control (by its new name)."""

    controls: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def apply(self, result: Iterable[Any]) -> Result:
        """Return the result of an annotation in the new names; what it does not understand stays as it is.

        >>> item = {"from_name": "q", "type": "choices", "value": {"choices": ["kitty"]}}
        >>> Renames({"q": "animal"}, {"animal": {"kitty": "cat"}}).apply([item])[0]["value"]
        {'choices': ['cat']}
        """
        return [self._item(item) for item in result]

    def _item(self, item: Any) -> Any:
        if not isinstance(item, dict) or not isinstance(item.get("from_name"), str):
            return item
        control = self.controls.get(item["from_name"], item["from_name"])
        item = {**item, "from_name": control}
        names, answered = self.labels.get(control), _answered(item)
        if names and answered is not None:
            item["value"] = {**item["value"], item["type"]: _renamed(answered, names)}
        return item


def renames_of(interface: Interface) -> Renames:
    """Return what `renamed_from` says in an interface."""
    return Renames(
        {question.renamed_from: question.name for question in interface.asked if question.renamed_from},
        {
            question.name: {one.renamed_from: one.value for one in family if one.renamed_from}
            for question in interface.questions
            for family in [[one for label in question.labels for one in label.family()]]
        },
    )


def controls_of(xml: str) -> dict[str, Control]:
    """Return the controls of a labelling configuration by name.

    >>> controls_of('<View><Choices name="q" toName="t"><Choice value="a"/></Choices></View>')["q"].labels
    frozenset({'a'})
    """
    root = etree.fromstring(xml.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    return {e.get("name"): _control(e) for e in root.iter() if e.tag in CONTROLS and e.get("name")}


def _control(element: Any) -> Control:
    labels = (item.get("alias") or item.get("value") or item.get("name") for item in element.iterdescendants())
    elsewhere = (element.get("value") or "").startswith("$") or element.get("apiUrl")
    several = element.tag != "Choices" or element.get("choice") == "multiple"
    known = None if elsewhere else frozenset(filter(None, labels))
    return Control(element.tag, element.get("toName") or "", known, several)


class Losses:
    """Counts, answer by answer, what would be lost by going over to another configuration."""

    def __init__(self, before: str, after: str, renames: Renames) -> None:
        """Compare two labelling configurations, the present one, once renamed, and the wanted one."""
        self._before = {renames.controls.get(name, name): one for name, one in controls_of(before).items()}
        self._after, self._names = controls_of(after), renames.labels
        self.counts: Counter[str] = Counter()

    def look_at(self, result: Iterable[Any]) -> None:
        """Count what of one answer, given in the new names, could not be said any more."""
        self.counts.update({what for item in result if isinstance(item, dict) for what in self._lost(item)})

    def _lost(self, item: Mapping[str, Any]) -> Iterable[str]:
        name = str(item.get("from_name"))
        before, after = self._before.get(name), self._after.get(name)
        if before is None:
            return []
        if after is None:
            return [f"question {name!r}"]
        if (before.tag, before.objects) != (after.tag, after.objects):
            return [f"question {name!r} as <{before.tag}> about {before.objects!r}"]
        return self._lost_labels(name, before, after, _used(_answered(item)))

    def _lost_labels(self, name: str, before: Control, after: Control, used: Collection[str]) -> list[str]:
        gone = []
        if len(used) > 1 and before.several and not after.several:
            gone.append(f"several choices for question {name!r}")
        if before.labels is None or after.labels is None:
            return gone
        known = {self._names.get(name, {}).get(label, label) for label in before.labels}
        dropped = sorted(known.intersection(used) - after.labels)
        return gone + [f"label {label!r} of question {name!r}" for label in dropped]


def _answered(item: Mapping[str, Any]) -> Any:
    """The labels in an item: a list, paths of a taxonomy, or the buckets of a ranking with what lies in them."""
    value, kind = item.get("value"), item.get("type")
    return value.get(kind) if isinstance(value, Mapping) and isinstance(kind, str) else None


def _renamed(answered: Any, names: Mapping[str, str]) -> Any:
    if isinstance(answered, str):
        return names.get(answered, answered)
    if isinstance(answered, list):
        return [_renamed(one, names) for one in answered]
    if isinstance(answered, Mapping):
        return {names.get(bucket, bucket): items for bucket, items in answered.items()}
    return answered


def _used(answered: Any) -> Collection[str]:
    if isinstance(answered, str):
        return [answered]
    if isinstance(answered, list):
        return [label for one in answered for label in _used(one)]
    return [bucket for bucket in answered if bucket != "_"] if isinstance(answered, Mapping) else []
