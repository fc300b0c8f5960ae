"""Tabs of Label Studio's data manager that a spec asks for; those that people make are none of our business."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from labelloop.spec import ProjectSpec

View = dict[str, Any]
_SHOWN: Final[Mapping[str, tuple[tuple[str, str, Any], ...]]] = MappingProxyType(
    {
        "all": (),
        "waiting": (("total_annotations", "equal", 0),),
        "answered": (("total_annotations", "greater", 0),),
        "skipped": (("cancelled_annotations", "greater", 0),),
    }
)
_DIGITS: Final = "0123456789abcdef"
_ORDERED: Final = MappingProxyType({"queue": "tasks:predictions_score", "newest": "-tasks:updated_at"})


def wanted_views(spec: ProjectSpec) -> dict[str, View]:
    """Return the tabs of a spec by title, as Label Studio stores them.

    >>> from labelloop.spec.sections import Workbench
    >>> spec = ProjectSpec.model_construct(workbench=Workbench(views=[{"title": "Queue"}]))
    >>> wanted_views(spec)["Queue"]["ordering"]
    ['tasks:predictions_score']
    """
    return {
        view.title: {
            "title": view.title,
            "type": "list",
            "target": "tasks",
            "ordering": [_ORDERED[view.order]],
            "filters": {
                "conjunction": "and",
                "items": [_condition(*shown) for shown in _SHOWN[view.show]] + _share(view.part, view.parts),
            },
        }
        for view in spec.workbench.views
    }


def compare_views(
    wanted: Mapping[str, View], present: Mapping[int, View], *, keep_edits: bool
) -> list[tuple[int | None, View]]:
    """Return the tabs to be made, without a number, and those to be changed, with theirs.

    Hidden columns and widths are people's own; with `keep_edits` so are filters and order.

    >>> compare_views({"Queue": {"title": "Queue"}}, {7: {"title": "Mine"}}, keep_edits=False)
    [(None, {'title': 'Queue'})]
    """
    held = {view.get("title"): (number, view) for number, view in present.items()}
    missing: list[tuple[int | None, View]] = [(None, view) for title, view in wanted.items() if title not in held]
    if keep_edits:
        return missing
    there = [(*held[title], view) for title, view in wanted.items() if title in held]
    return missing + [(number, view) for number, had, view in there if had | view != had]


def note(title: str) -> str:
    """Return under which name it is noted that a tab was set up for a spec."""
    return f"view {title}"


def has_notes(noted: Mapping[str, str]) -> bool:
    """Return whether any tab was set up for a spec, and not removed since."""
    return any(name.startswith(note("")) and there for name, there in noted.items())


def dropped_views(
    wanted: Mapping[str, View], present: Mapping[int, View], noted: Mapping[str, str], *, keep_edits: bool
) -> dict[int, str]:
    """Return the titles, by number, of tabs that were set up for a spec which asks for them no more.

    Beside the others, one of several shares would give two people the same tasks.

    >>> dropped_views({}, {7: {"title": "Mine"}, 8: {"title": "Desk 3"}}, {note("Desk 3"): "there"}, keep_edits=False)
    {8: 'Desk 3'}
    """
    titles = {number: str(view.get("title")) for number, view in present.items()}
    ours = {number: title for number, title in titles.items() if noted.get(note(title)) and title not in wanted}
    return {} if keep_edits else ours


def _share(part: int | None, parts: int) -> list[View]:
    """The filter of one of several disjoint shares: ids of units are digests, so their first digit is drawn evenly.

    >>> _share(2, 3)[0]["value"]
    '^[147ad]'
    """
    if part is None:
        return []
    digits = _DIGITS[part - 1 :: parts]
    return [{"filter": "filter:tasks:data.unit", "operator": "regex", "type": "String", "value": f"^[{digits}]"}]


def _condition(column: str, operator: str, value: Any) -> View:
    return {"filter": f"filter:tasks:{column}", "operator": operator, "type": "Number", "value": value}
