"""Files of labels that somebody gave before: what all readers of them share, whatever the labels are."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import pyarrow as pa

from labelloop.errors import InputError

Said = TypeVar("Said")


@contextmanager
def reading(file_format: str) -> Iterator[None]:
    """Turn what goes wrong in reading a file into a named error.

    Raises:
        InputError: the file is not of this format.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, pa.ArrowException) as error:
        raise InputError(
            f"the imported labels are no {file_format} file ({type(error).__name__})", remedy="mend file or format"
        ) from None


def by_object(said: Iterable[tuple[str, Said]]) -> list[tuple[str, Said]]:
    """What was said of each object, sorted by its address; the same said twice counts once.

    Raises:
        InputError: two things are said of one object.

    >>> by_object([("b", 1), ("a", 2), ("b", 1)])
    [('a', 2), ('b', 1)]
    """
    found: dict[str, Said] = {}
    for uri, value in said:
        if found.setdefault(uri, value) != value:
            raise InputError("an object has two imported labels", remedy="keep one for each object")
    return sorted(found.items(), key=lambda row: row[0])


def annotated_images(data: bytes) -> Iterator[tuple[Mapping[str, Any], list[tuple[str, Mapping[str, Any]]]]]:
    """Yield each image of a COCO file that has annotations, and each of these with the name of its category.

    An image without any says nothing: nobody can tell an empty picture from one that was not looked at yet.

    >>> image, marks = {"id": 1, "file_name": "a.png"}, [{"image_id": 1, "category_id": 7}]
    >>> document = {"images": [image], "annotations": marks, "categories": [{"id": 7, "name": "cat"}]}
    >>> [(image["file_name"], [name for name, _ in given]) for image, given in annotated_images(json.dumps(document))]
    [('a.png', ['cat'])]
    """
    document = json.loads(data)
    names = {category["id"]: str(category["name"]) for category in document["categories"]}
    found = defaultdict(list)
    for annotation in document["annotations"]:
        found[annotation["image_id"]].append((names[annotation["category_id"]], annotation))
    return ((image, found[image["id"]]) for image in document["images"] if image["id"] in found)


def newest_answers(data: bytes) -> Iterator[tuple[str, Sequence[Any]]]:
    """Yield the object of each task of a Label Studio export, and the result of its newest annotation.

    The object is the first s3:// address in the task's data; tasks without one, or without an answer, say nothing.
    """
    for task in json.loads(data):
        given = [answer for answer in task["annotations"] if not answer.get("was_cancelled")]
        objects = [value for value in task["data"].values() if isinstance(value, str) and value.startswith("s3://")]
        newest: dict[str, Any] = max(given, key=lambda answer: str(answer.get("updated_at", "")), default={})
        if objects and newest:
            yield objects[0], newest["result"]
