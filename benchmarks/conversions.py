"""`python -m benchmarks.conversions WAY EXPORT FOLDER`: convert an export one way and print what it took, as JSON.

Each way has a process of its own, which may begin others.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from benchmarks.exports import CONFIGURATION, write_export

# From an export and a folder to the work that is measured.
Way = Callable[[Path, Path], Callable[[], object]]
# Every row that `labelloop convert` makes of such exports, in one query that knows no other shapes.
_SAME_ROWS: Final = """
COPY (
    WITH annotation AS (
        SELECT id AS task_id, data.unit AS unit, unnest(annotations) AS a
        FROM read_json($export, format = 'array', columns = {id: 'BIGINT', data: 'STRUCT(unit VARCHAR)',
            annotations: 'STRUCT(id BIGINT, completed_by BIGINT, was_cancelled BOOLEAN, lead_time DOUBLE,
                created_at TIMESTAMPTZ, updated_at TIMESTAMPTZ, parent_prediction BIGINT, result JSON)[]'})
    ), numbered AS (
        SELECT row_number() OVER () AS place, * FROM annotation
    ), person AS (
        SELECT a.completed_by AS author, 'a-' || row_number() OVER (ORDER BY min(place)) AS annotator
        FROM numbered GROUP BY author
    ), parsed AS (
        SELECT *, a.result::JSON[] AS texts, from_json(a.result, '[{"id": "VARCHAR", "from_name": "VARCHAR",
            "type": "VARCHAR", "value": {"choices": ["VARCHAR"], "rating": "DOUBLE", "number": "DOUBLE",
            "text": "VARCHAR", "x": "DOUBLE", "y": "DOUBLE", "width": "DOUBLE", "height": "DOUBLE",
            "rotation": "DOUBLE", "rectanglelabels": ["VARCHAR"], "ocrtext": "VARCHAR"}}]') AS items FROM numbered
    ), control AS (
        SELECT *, unnest(list_distinct([item.from_name FOR item IN items])) AS control FROM parsed
    ), answer AS (
        SELECT *, [item FOR item IN items IF item.from_name = control] AS given,
            [text FOR text, n IN texts IF items[n].from_name = control] AS raw FROM control
    )
    SELECT 'export:' || a.id AS annotation_id, control,
        if(regexp_full_match(unit, '[0-9a-f]{32}'), unit, format('{:032x}', task_id)) AS unit_id, task_id, annotator,
        if(given[1].type = 'rectanglelabels', 'rectangle', given[1].type) AS control_type,
        given[1].value.choices AS choices, NULL::VARCHAR[][] AS paths,
        coalesce(given[1].value.rating, given[1].value.number) AS number, given[1].value.text AS text,
        NULL::STRUCT(item VARCHAR, rank BIGINT, bucket VARCHAR)[] AS ranked,
        if(given[1].type = 'rectanglelabels', [{'region_id': item.id, 'labels': item.value.rectanglelabels,
            'points': [item.value.x, item.value.y, item.value.width, item.value.height],
            'rotation': item.value.rotation, 'start': NULL::DOUBLE, 'end': NULL::DOUBLE, 'text': item.value.ocrtext,
            'frames': NULL::STRUCT(frame BIGINT, points DOUBLE[], rotation DOUBLE, enabled BOOLEAN)[]}
            FOR item IN given], NULL) AS regions,
        NULL::STRUCT(region_id VARCHAR, choices VARCHAR[], number DOUBLE, text VARCHAR)[] AS per_region,
        NULL::STRUCT(from_id VARCHAR, to_id VARCHAR, direction VARCHAR, labels VARCHAR[])[] AS relations,
        '[' || array_to_string(raw, ',') || ']' AS raw, a.lead_time AS lead_time, 'planned' AS opinion_reason,
        a.parent_prediction IS NOT NULL AS prediction_shown, 'unknown' AS guideline_version,
        if(a.was_cancelled, 'cancelled', 'active') AS state, a.created_at AS created_at, a.updated_at AS updated_at
    FROM answer JOIN person ON author = a.completed_by
) TO '{out}' (FORMAT parquet)
"""


def _ours(export: Path, folder: Path) -> Callable[[], object]:
    from deployments.cli.convert_verb import convert_file

    return lambda: convert_file(export, folder)


def _duckdb(**config: int) -> Way:
    def prepare(export: Path, folder: Path) -> Callable[[], object]:
        import duckdb

        query = _SAME_ROWS.replace("{out}", str(folder / "duckdb.parquet"))
        db = duckdb.connect(config=config)
        return lambda: db.execute(query, {"export": str(export)})

    return prepare


def _sdk(form: str) -> Way:
    def prepare(export: Path, folder: Path) -> Callable[[], object]:
        from label_studio_sdk.converter import Converter

        logging.disable(logging.CRITICAL)
        converter = Converter(CONFIGURATION, str(folder), download_resources=False)
        return lambda: converter.convert(str(export), str(folder / "sdk"), form, is_dir=False)

    return prepare


WAYS: Final[Mapping[str, Way]] = MappingProxyType(
    {
        "labelloop": _ours,
        "DuckDB read_json": _duckdb(),
        "DuckDB read_json, one thread": _duckdb(threads=1),
        **{f"SDK converter, {form}": _sdk(form) for form in ("CSV", "JSON_MIN", "COCO", "YOLO")},
    }
)


def main() -> None:
    """Convert an export of a few tasks, so that everything is imported, then measure the way once."""
    prepare, export, folder = WAYS[sys.argv[1]], Path(sys.argv[2]), Path(sys.argv[3])
    few = folder / "few.json"
    write_export(few, 10)
    prepare(few, folder)()
    work = prepare(export, folder)
    wall, processor = time.perf_counter(), _processor_seconds()
    work()
    print(json.dumps({"seconds": time.perf_counter() - wall, "cpu_seconds": _processor_seconds() - processor}))


def _processor_seconds() -> float:
    used = (resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main()
