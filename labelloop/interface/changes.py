"""From one labelling configuration to the next on a project that has answers: what is migrated, what would be lost.

Label Studio refuses to drop a question that was answered, and lets a label that was used vanish without a word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from labelloop.interface.controls import UNNAMED, Control, Path, controls_of
from labelloop.spec.interface import Interface
from labelloop.spec.question import RELATION, UNSORTED

Result = list[Any]


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
        name = _asked(item)
        if name is None:
            return item
        control, answered = self.controls.get(name, name), _answered(item)
        item = {**item, "from_name": control} if control != name else item
        names = {name: control} if _is_one_order(answered, name) else self.labels.get(control)
        return _with_answer(item, _renamed(answered, names)) if names and answered is not None else item


def renames_of(interface: Interface) -> Renames:
    """Return what `renamed_from` says in an interface."""
    families = {
        UNNAMED if question.type == RELATION else question.name: [
            one for label in question.labels for one in label.family()
        ]
        for question in interface.questions
    }
    return Renames(
        {question.renamed_from: question.name for question in interface.asked if question.renamed_from},
        {
            name: {one.renamed_from: one.value for one in family if one.renamed_from}
            for name, family in families.items()
        },
    )


class Losses:
    """Counts, answer by answer, what would be lost by going over to another configuration."""

    def __init__(self, before: str, after: str, renames: Renames) -> None:
        """Compare two labelling configurations, the present one, once renamed, and the wanted one."""
        self._before = {renames.controls.get(name, name): one for name, one in controls_of(before).items()}
        self._after, self._names = controls_of(after), renames.labels
        self.counts: Counter[str] = Counter()

    def merged(self) -> list[str]:
        """Return which labels become one that is there beside them, told for people: it cannot be undone."""
        return [
            f"of question {name!r} label {old!r} becomes one with {new!r}"
            for name, names in self._names.items()
            if name in self._before
            for old, new in names.items()
            if {old, new} <= {path[-1] for path in self._before[name].labels or ()}
        ]

    def look_at(self, result: Iterable[Any]) -> None:
        """Count what of one answer, given in the new names, could not be said any more."""
        self.counts.update({what for item in result for what in self._lost(item)})

    def _lost(self, item: Any) -> Iterable[str]:
        name = _asked(item)
        if name is None or name not in self._before:
            return []
        told = f"question {name!r}" if name else "the relations"
        if name not in self._after:
            return [told]
        before, after = self._before[name], self._after[name]
        if (before.tag, before.objects) != (after.tag, after.objects):
            return [f"{told} as <{before.tag}> about {before.objects!r}"]
        return self._lost_values(item, told, before, after)

    def _lost_values(self, item: Mapping[str, Any], told: str, before: Control, after: Control) -> list[str]:
        answered, names = _answered(item), self._names.get(item.get("from_name", UNNAMED), {})
        gone = []
        if isinstance(answered, list) and len(answered) > 1 and before.several and not after.several:
            gone.append(f"several choices for {told}")
        if (beyond := after.beyond(answered)) and not before.beyond(answered):
            gone.append(f"values {beyond} of {told}")
        if before.labels is None or after.labels is None:
            return gone
        known = {tuple(names.get(step, step) for step in path) for path in before.labels}
        dropped = sorted(known.intersection(_used(answered, before)) - after.labels)
        return gone + [f"label {' / '.join(path)!r} of {told}" for path in dropped]


def _asked(item: Any) -> str | None:
    """Return the name of the control an item answers, None of what is not understood."""
    if not isinstance(item, dict):
        return None
    name = UNNAMED if item.get("type") == RELATION else item.get("from_name")
    return name if isinstance(name, str) else None


def _answered(item: Mapping[str, Any]) -> Any:
    """The labels in an item: a list, paths of a taxonomy, or the buckets of a ranking with what lies in them."""
    value, kind = item.get("value"), item.get("type")
    if kind == RELATION:
        return item.get("labels")
    return value.get(kind) if isinstance(value, Mapping) and isinstance(kind, str) else None


def _with_answer(item: Mapping[str, Any], answered: Any) -> dict[str, Any]:
    if item["type"] == RELATION:
        return {**item, "labels": answered}
    return {**item, "value": {**item["value"], item["type"]: answered}}


def _renamed(answered: Any, names: Mapping[str, str]) -> Any:
    """Return an answer in new names; what becomes the same is there once, and lies together."""
    if isinstance(answered, list):
        told = [_renamed_path(one, names) for one in answered]
        return [one for place, one in enumerate(told) if one not in told[:place]]
    if not isinstance(answered, Mapping):
        return _renamed_path(answered, names)
    buckets: dict[str, Any] = {}
    for bucket, items in answered.items():
        name = names.get(bucket, bucket)
        buckets[name] = [*buckets[name], *items] if name in buckets else items
    return buckets


def _renamed_path(path: Any, names: Mapping[str, str]) -> Any:
    if isinstance(path, list):
        return [_renamed_path(step, names) for step in path]
    return names.get(path, path) if isinstance(path, str) else path


def _is_one_order(answered: Any, control: str) -> bool:
    """Return whether items are in one order, without buckets, which stands under the name of its control."""
    return isinstance(answered, Mapping) and list(answered) == [control]


def _used(answered: Any, control: Control) -> set[Path]:
    if isinstance(answered, str):
        return {(answered,)}
    if isinstance(answered, Mapping):
        return {(bucket,) for bucket in answered if bucket != UNSORTED}
    if not isinstance(answered, list):
        return set()
    if control.tag.startswith("Taxonomy"):
        return {tuple(path) for path in answered if isinstance(path, list)}
    return {path for one in answered for path in _used(one, control)}
