"""Labels that somebody gave before, read from a file as what was said of which object, and brought to our units.

How far they count is a matter of the spec's policy: see `Beside` in `labels.py`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from labelloop.agreement.ratings import select_columns
from labelloop.annotators import AnnotatorFigure, assess
from labelloop.imported_files import annotated_images, by_object, newest_answers, reading
from labelloop.sql import session

_SAID: Final = pa.schema([("uri", pa.string()), ("value", pa.string())])
# Only of media that still is as it was when the unit was made.
_OF_UNITS: Final = """
SELECT $control AS control, u.unit_id AS unit, $annotator AS annotator, s.* EXCLUDE (uri)
FROM said s JOIN "references" r ON s.uri = 's3://' || r.bucket || '/' || r.key AND r.state = 'active'
JOIN units u ON u.kind = 'single' AND u.ref_ids[1] = r.ref_id AND u.media_versions[1] = r.media_version
ORDER BY u.unit_id
"""


def read_imported(data: bytes, file_format: str, *, control: str, root: str) -> pa.Table:
    """What a file says of each object: uri (s3://bucket/key), value; sorted by uri, without duplicates.

    Several values of one object are one, joined in order by `|`, as annotators' choices are. Marks are read by
    `read_imported_regions`.

    Args:
        data: the file. `parquet`: columns key, value (text, number, or a list of texts). `coco`: the categories of an
            image's annotations. `label-studio`: the newest annotation of a task, choices, rating, number or text of
            the control; the object is the first s3:// address in the task's data.
        file_format: one of these three.
        control: name of the question.
        root: s3://bucket/ and what stands before keys and file names.

    Raises:
        InputError: the file is not of this format, or says two things of one object.

    >>> import json
    >>> coco = {"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 7, "name": "cat"}]}
    >>> data = json.dumps({**coco, "annotations": [{"image_id": 1, "category_id": 7}]}).encode()
    >>> read_imported(data, "coco", control="animal", root="s3://media/").to_pylist()
    [{'uri': 's3://media/a.png', 'value': 'cat'}]
    """
    with reading(file_format):
        rows = by_object(_READERS[file_format](data, control, root))
    return pa.table([[uri for uri, _ in rows], [value for _, value in rows]], schema=_SAID)


def opinions_on_units(
    said: pa.Table, references: pa.Table, units: pa.Table, *, control: str, annotator: str
) -> pa.Table:
    """Return what was said of objects as opinions: control, unit, annotator and the answer; of single units only.

    What concerns objects that are not here, or no longer as they were when the unit was made, is left out.

    Args:
        said: uri, and the columns that hold the answer.
        references: rows of the contract `references`.
        units: rows of the contract `units`.
        control: name of the question.
        annotator: who said it.
    """
    with session() as db:
        for name, table in (("said", said), ("references", references), ("units", units)):
            db.register(name, table)
        return db.sql(_OF_UNITS, params={"control": control, "annotator": annotator}).to_arrow_table()


def among(said: pa.Table, labels: Collection[str]) -> pa.Table:
    """What was said in labels that the question has; all of it where the question has none.

    >>> among(pa.table({"value": ["cat", "ant|cat", "dog"]}), ["ant", "cat"])["value"].to_pylist()
    ['cat', 'ant|cat']
    """
    known = [not labels or set(value.split("|")) <= set(labels) for value in said["value"].to_pylist()]
    return said.filter(pa.array(known, pa.bool_()))


def compare(source: pa.Table, ratings: pa.Table, rulings: pa.Table) -> AnnotatorFigure:
    """How a source of labels does as an annotator among annotators; see `assess`.

    Args:
        source: unit, annotator, value of one name.
        ratings: unit, annotator, value of annotators on the same question.
        rulings: unit, value of experts.
    """
    name = source["annotator"][0].as_py() if source.num_rows else ""
    everyone = pa.concat_tables([ratings, source.select(ratings.column_names)], promote_options="default")
    figures = {figure.annotator: figure for figure in assess(everyone, rulings=rulings)}
    return figures.get(name) or AnnotatorFigure(name, 0, reason="none of its labels is on a unit that is here")


def _parquet(data: bytes, control: str, root: str) -> Iterator[tuple[str, str]]:
    del control
    table = select_columns(pq.read_table(io.BytesIO(data)), ("key", "value"), "imported labels")
    if not pa.types.is_list(table["value"].type):
        table = table.set_column(1, "value", table["value"].cast(pa.string()))
    for row in table.filter(pc.is_valid(table["value"])).to_pylist():
        yield f"{root}{row['key']}", _joined(row["value"])


def _coco(data: bytes, control: str, root: str) -> Iterator[tuple[str, str]]:
    del control
    for image, given in annotated_images(data):
        yield f"{root}{image['file_name']}", _joined(sorted({name for name, _ in given}))


def _label_studio(data: bytes, control: str, root: str) -> Iterator[tuple[str, str]]:
    del root
    for uri, result in newest_answers(data):
        for item in result:
            if item.get("from_name") == control and item["type"] in item["value"]:
                yield uri, _joined(item["value"][item["type"]])


_READERS: Final[Mapping[str, Callable[[bytes, str, str], Iterator[tuple[str, str]]]]] = MappingProxyType(
    {"parquet": _parquet, "coco": _coco, "label-studio": _label_studio}
)


def _joined(value: Any) -> str:
    return "|".join(map(str, value)) if isinstance(value, list) else str(value)
