"""`python -m benchmarks.conversions WAY EXPORT FOLDER`: convert an export one way and print what it took, as JSON.

Each way has a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from benchmarks.exports import CONFIGURATION, write_export
from benchmarks.machine import peak_mib

# The rows that `labelloop convert` makes of such exports, in one query that knows no other shapes.
_SAME_ROWS: Final = """
COPY (
    WITH annotation AS (
        SELECT id AS task_id, data.unit AS unit_id, unnest(annotations) AS a
        FROM read_json($export, format = 'array', columns = {id: 'BIGINT', data: 'STRUCT(unit VARCHAR)',
            annotations: 'STRUCT(id BIGINT, completed_by BIGINT, was_cancelled BOOLEAN, lead_time DOUBLE,
                created_at TIMESTAMPTZ, updated_at TIMESTAMPTZ, parent_prediction BIGINT, result JSON[])[]'})
    ), result AS (
        SELECT *, unnest(a.result) AS raw FROM annotation
    ), item AS (
        SELECT *, from_json(raw, '{"id": "VARCHAR", "from_name": "VARCHAR", "type": "VARCHAR", "value": {
            "choices": ["VARCHAR"], "rating": "DOUBLE", "number": "DOUBLE", "text": "JSON", "rotation": "DOUBLE",
            "x": "DOUBLE", "y": "DOUBLE", "width": "DOUBLE", "height": "DOUBLE",
            "rectanglelabels": ["VARCHAR"]}}') AS i FROM result
    )
    SELECT 'export:' || a.id AS annotation_id, i.from_name AS control, any_value(unit_id) AS unit_id,
        any_value(task_id) AS task_id, 'a-' || any_value(a.completed_by) AS annotator,
        if(any_value(i.type) = 'rectanglelabels', 'rectangle', any_value(i.type)) AS control_type,
        any_value(i.value.choices) AS choices, any_value(coalesce(i.value.rating, i.value.number)) AS number,
        any_value(i.value.text) AS text,
        if(any_value(i.type) = 'rectanglelabels', list({'region_id': i.id, 'labels': i.value.rectanglelabels,
            'points': [i.value.x, i.value.y, i.value.width, i.value.height], 'rotation': i.value.rotation}), NULL)
            AS regions,
        '[' || string_agg(raw, ',') || ']' AS raw, any_value(a.lead_time) AS lead_time, 'planned' AS opinion_reason,
        any_value(a.parent_prediction IS NOT NULL) AS prediction_shown, 'unknown' AS guideline_version,
        if(any_value(a.was_cancelled), 'cancelled', 'active') AS state, any_value(a.created_at) AS created_at,
        any_value(a.updated_at) AS updated_at
    FROM item GROUP BY ALL
) TO '{out}' (FORMAT parquet)
"""


def _ours(export: Path, folder: Path) -> Callable[[], object]:
    from deployments.cli.convert_verb import convert_file

    return lambda: convert_file(export, folder)


def _duckdb(export: Path, folder: Path) -> Callable[[], object]:
    import duckdb

    query = _SAME_ROWS.replace("{out}", str(folder / "duckdb.parquet"))
    return lambda: duckdb.execute(query, {"export": str(export)})


def _sdk(form: str) -> Callable[[Path, Path], Callable[[], object]]:
    def prepare(export: Path, folder: Path) -> Callable[[], object]:
        from label_studio_sdk.converter import Converter

        logging.disable(logging.CRITICAL)
        converter = Converter(CONFIGURATION, str(folder), download_resources=False)
        return lambda: converter.convert(str(export), str(folder / "sdk"), form, is_dir=False)

    return prepare


WAYS: Final[Mapping[str, Callable[[Path, Path], Callable[[], object]]]] = MappingProxyType(
    {
        "labelloop": _ours,
        "DuckDB read_json": _duckdb,
        "SDK converter, CSV": _sdk("CSV"),
        "SDK converter, JSON_MIN": _sdk("JSON_MIN"),
    }
)


def main() -> None:
    """Convert an export of a few tasks, so that everything is imported, then measure the way once."""
    prepare, export, folder = WAYS[sys.argv[1]], Path(sys.argv[2]), Path(sys.argv[3])
    few = folder / "few.json"
    write_export(few, 10)
    prepare(few, folder)()
    work = prepare(export, folder)
    wall, processor = time.perf_counter(), time.process_time()
    work()
    took = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - processor}
    print(json.dumps(took | {"peak_mib": peak_mib()}))


if __name__ == "__main__":
    main()
