"""The settings of a labelling project in Label Studio: what the spec wants, and what became of it there.

A setting that differs was changed in the spec or by hand on the server; which of them is told by the digest of what
was last set.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from labelloop.guidelines import to_html
from labelloop.interface import build
from labelloop.spec import ProjectSpec

# One annotation a task, per-task overlap and no task first for its overlap is the one combination that keeps queue
# order, locks and overlap, so a hand may change none of them.
QUEUE: Final[Mapping[str, Any]] = MappingProxyType(
    {"maximum_annotations": 1, "sampling": "Uncertainty sampling", "show_overlap_first": False}
)


@dataclass(frozen=True)
class SettingChange:
    """A setting that differs: its wanted value, whether a hand on the server changed it, whether that is kept."""

    name: str
    value: Any
    by_hand: bool = False
    kept: bool = False


def wanted_settings(spec: ProjectSpec) -> dict[str, Any]:
    """Return the settings of the project in Label Studio by their names there."""
    return {
        "title": spec.title,
        "label_config": build(spec.interface),
        "expert_instruction": to_html(spec.guidelines.text),
        "show_instruction": True,
        "show_collab_predictions": spec.predictions.show,
        "show_skip_button": True,
        "skip_queue": "REQUEUE_FOR_OTHERS",
        "enable_empty_annotation": False,
        **QUEUE,
    }


def compare_settings(
    wanted: Mapping[str, Any], present: Mapping[str, Any], last_set: Mapping[str, str], *, keep_edits: bool
) -> tuple[SettingChange, ...]:
    """Return every setting that differs, by name.

    Args:
        wanted: as the spec says.
        present: as the server has them.
        last_set: digests of what was last set, as `digests` gives them; a setting without one counts as not edited.
        keep_edits: leave what a hand changed; settings the queue rests on are overwritten all the same.

    >>> wanted, present = {"title": "Cats"}, {"title": "My cats"}
    >>> compare_settings(wanted, present, digests({"title": "Cats"}), keep_edits=True)
    (SettingChange(name='title', value='Cats', by_hand=True, kept=True),)
    >>> compare_settings(wanted, present, digests({"title": "My cats"}), keep_edits=True)
    (SettingChange(name='title', value='Cats', by_hand=False, kept=False),)
    """
    found = []
    for name in sorted(name for name, value in wanted.items() if present.get(name) != value):
        by_hand = name in last_set and last_set[name] != _digest(present.get(name))
        found.append(SettingChange(name, wanted[name], by_hand, by_hand and keep_edits and name not in QUEUE))
    return tuple(found)


def digests(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return what `compare_settings` wants to know later of settings that were set."""
    return {name: _digest(value) for name, value in settings.items()}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
