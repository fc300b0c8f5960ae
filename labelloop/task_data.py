"""What a task of Label Studio holds: addresses of media, and of records the fields that the interface shows.

Which texts and addresses may be shown, and how, is decided in `shown_values.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from labelloop.errors import InputError
from labelloop.features import read_text
from labelloop.shown_values import shown_address, shown_items, shown_text
from labelloop.spec import ProjectSpec
from labelloop.spec.shown import Shown

Row = Mapping[str, Any]

_OF_IMAGE: Final = re.compile(r'<img src="(s3://[^"]*)"')


def task_data(
    spec: ProjectSpec, row: Row, *, contents: Mapping[str, bytes] = MappingProxyType({}), blind: bool = False
) -> dict[str, Any] | str:
    """Return the task data of a unit, or the reason why Label Studio could not show it.

    One object is its address under the name of its medium, a pair `left` and `right`, a list `items`, of a record
    the fields of the spec. Only addresses inside the spec's bucket and prefix become task data.

    Args:
        spec: the project.
        row: `unit_id` and `members`, each with `ref_id, bucket, key` and, where a model spoke of it, `score, source`;
            without `members`, the row is the only one.
        contents: by ref_id the bytes of members whose content is shown, see `needs_content`.
        blind: leave out what a model says of items.
    """
    members = row.get("members") or [row]
    data = {"unit": str(row["unit_id"]), "ref": str(members[0]["ref_id"])}
    try:
        return dict(_SHOWN[_manner(spec)](spec, members, contents, blind)) | data
    except InputError as error:
        return str(error)


def needs_content(spec: ProjectSpec) -> bool:
    """Return whether tasks hold content of media: fields of records, and texts of a list, which cannot be linked."""
    return spec.interface.media == "record" or (spec.interface.layout == "list" and spec.interface.media == "text")


def addresses_in(data: object) -> Iterator[str]:
    """Yield every s3:// address that a task shows, also of the pictures in its items.

    >>> list(addresses_in({"image": "s3://b/k", "items": [{"html": '<img src="s3://b/l" style="">'}]}))
    ['s3://b/k', 's3://b/l']
    """
    if isinstance(data, str):
        yield from [data] if data.startswith("s3://") else _OF_IMAGE.findall(data)
    elif isinstance(data, Mapping | list | tuple):
        for part in data.values() if isinstance(data, Mapping) else data:
            yield from addresses_in(part)


def _manner(spec: ProjectSpec) -> str:
    return "record" if spec.interface.media == "record" else spec.interface.layout


def _objects(spec: ProjectSpec, members: Sequence[Row], _contents: object, _blind: bool) -> Iterator[tuple[str, Any]]:
    fields = spec.interface.shown
    if len(members) < len(fields):
        raise InputError("it is no pair", remedy="withdraw it; pairs are chosen by sampling.unit.kind")
    for field, member in zip(fields, members, strict=False):
        yield field.name, _member_address(spec, member)


def _listed(
    spec: ProjectSpec, members: Sequence[Row], contents: Mapping[str, bytes], blind: bool
) -> Iterator[tuple[str, Any]]:
    (field,) = spec.interface.shown
    items = []
    for member in members:
        item: dict[str, Any] = {"id": member["ref_id"]}
        if spec.interface.media == "text":
            item["text"] = shown_text(read_text(_content(contents, member)))
        else:
            item["image"] = _member_address(spec, member)
        if spec.predictions.show:
            item |= {name: member.get(name) for name in ("score", "source")}
        items.append(item)
    yield field.name, shown_items(spec, items, blind=blind)


def _record(
    spec: ProjectSpec, members: Sequence[Row], contents: Mapping[str, bytes], blind: bool
) -> Iterator[tuple[str, Any]]:
    try:
        record = json.loads(_content(contents, members[0]))
    except (ValueError, RecursionError):  # no UTF-8, no JSON, or nested without end
        record = None
    if not isinstance(record, dict):
        raise InputError("the record is no JSON object", remedy="upload it again or delete it")
    for field in spec.interface.shown:
        if record.get(field.name) is None:
            raise InputError(f"the record has no {field.name}", remedy="add it, or leave it out of interface.fields")
        yield field.name, _value(spec, field, record[field.name], blind)


def _value(spec: ProjectSpec, field: Shown, value: Any, blind: bool) -> Any:
    if field.kind == "items":
        if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
            raise InputError(f"{field.name} of the record is no list of objects", remedy="write [{id, title, text}]")
        return shown_items(spec, value, blind=blind)
    if field.kind == "dialogue":
        if not isinstance(value, list) or not value or not all(isinstance(turn, dict) for turn in value):
            raise InputError(f"{field.name} of the record is no list of turns", remedy="write [{author, text}]")
        return [{name: shown_text(turn.get(name, "")) for name in ("author", "text")} for turn in value]
    return shown_text(value) if field.kind == "text" else shown_address(spec, value)


def _content(contents: Mapping[str, bytes], member: Row) -> bytes:
    if member["ref_id"] not in contents:
        raise InputError("its content is not in the bucket", remedy="sync again")
    return contents[member["ref_id"]]


def _member_address(spec: ProjectSpec, member: Row) -> str:
    return shown_address(spec, f"s3://{member['bucket']}/{member['key']}")


_SHOWN: Final[Mapping[str, Callable[..., Iterator[tuple[str, Any]]]]] = MappingProxyType(
    {"single": _objects, "pair": _objects, "list": _listed, "record": _record}
)
