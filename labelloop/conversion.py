"""From the tasks of a Label Studio export (JSON) to rows of `annotations`, a chunk at a time.

An export says less than the server: it knows no units, guidelines or experts. What is read of the file is said here;
who reads and writes files hands the rows in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.annotation_rows import SHARED, answer_rows, cancelled_rows
from labelloop.interface import Answer, asked_by, parse
from labelloop.interface.confirmed import nothing_marked
from labelloop.spec.interface import Interface

REFUSED: Final = pa.schema(
    [("task_id", pa.int64()), ("annotation_id", pa.string()), ("control", pa.string()), ("rule", pa.string())]
)
# The annotations of the file $export. What is known of their shape is cast here, all at once; results, which may have
# any, stay JSON text.
ANNOTATIONS: Final = """
WITH nested AS (
    SELECT TRY_CAST(id AS BIGINT) AS task_id, annotations IS NULL AS bare, data.unit AS unit,
        unnest(coalesce(annotations, [NULL])) AS a
    FROM read_json($export, format = 'array', columns = {id: 'VARCHAR', data: 'STRUCT(unit VARCHAR)',
        annotations: 'STRUCT(id VARCHAR, result JSON, completed_by JSON, was_cancelled VARCHAR, lead_time VARCHAR,
            parent_prediction VARCHAR, created_at VARCHAR, updated_at VARCHAR)[]'})
), plain AS (
    SELECT task_id, bare, unit, a, TRY_CAST(a.id AS BIGINT) AS number, TRY_CAST(a.lead_time AS DOUBLE) AS seconds,
        coalesce(TRY_CAST(a.completed_by AS BIGINT), TRY_CAST(a.completed_by -> 'id' AS BIGINT)) AS author,
        TRY_CAST(a.created_at AS TIMESTAMPTZ) AS created_at, TRY_CAST(a.updated_at AS TIMESTAMPTZ) AS updated_at
    FROM nested
)
SELECT 'export:' || number AS annotation_id, task_id, author, a.result AS result,
    if(regexp_full_match(unit, '[0-9a-f]{32}'), unit, format('{:032x}', task_id)) AS unit_id,
    if(seconds >= 0 AND isfinite(seconds), seconds, NULL) AS lead_time,
    'planned' AS opinion_reason,
    a.parent_prediction IS NOT NULL AS prediction_shown,
    'unknown' AS guideline_version,
    if(a.was_cancelled = 'true' OR a.result = '[]', 'cancelled', 'active') AS state,
    created_at, updated_at,
    CASE WHEN bare OR coalesce(task_id < 0, true) THEN 'it is no task with a number and annotations'
        WHEN number IS NULL THEN 'its annotation has no number'
        WHEN NOT coalesce(starts_with(a.result, '['), false) THEN 'its annotation has no list of results'
        WHEN author IS NULL THEN 'its annotation does not say by whom it was made'
        WHEN created_at IS NULL OR updated_at IS NULL THEN 'its annotation does not say when it was made'
    END AS rule
FROM plain
"""


class Chunk(NamedTuple):
    """What so many annotations gave: `answers` as rows of the contract, those without any, and what was refused."""

    annotations: int
    answers: pa.Table
    skipped: pa.Table
    refused: pa.Table


class Conversion:
    """Reads one export, chunk after chunk.

    Annotators are numbered in the order of their first annotation, so that one export always gives the same
    pseudonyms, and only the export leads back from them. A task keeps the unit that labelloop made it for; any other
    is a unit of its own, its number in hexadecimal digits. For what an export does not tell, `prediction_shown` is
    whether the annotation was made from a prediction, `guideline_version` `unknown`, `opinion_reason` `planned`.
    """

    def __init__(self, interface: Interface | None = None) -> None:
        """Begin with what a spec asks; without one, answers are read by what they say themselves."""
        self._interface = interface
        self._asked = asked_by(interface) if interface else {}
        self.controls = {name: question.control_type for name, question in self._asked.items()}
        self.annotators: dict[int, str] = {}

    def read(self, annotations: pa.Table) -> Chunk:
        """Return what some annotations gave.

        Args:
            annotations: rows of the query `ANNOTATIONS`.
        """
        sound = annotations.filter(pc.is_null(annotations["rule"]))
        sound = sound.append_column("annotator", self._pseudonyms(sound["author"]))
        places, answers, skipped, refused = list[int](), list[Answer](), list[int](), list[tuple[int, str, str]]()
        for place, result in enumerate(sound["result"].to_pylist()):
            given, problems = self._parsed(result)
            answers += given
            places += [place] * len(given)
            if problems:
                refused += [(place, *problem) for problem in problems]
            elif not given:
                skipped.append(place)
        self.controls.update({answer.control: answer.control_type for answer in answers})
        unsound = annotations.filter(pc.is_valid(annotations["rule"]))
        return Chunk(
            annotations.num_rows,
            answer_rows(sound, places, answers),
            sound.select(SHARED.names).take(pa.array(skipped, pa.int64())).cast(SHARED),
            pa.concat_tables([_unsound(unsound), _refused(sound, refused)]),
        )

    def _parsed(self, result: str) -> tuple[list[Answer], list[tuple[str, str]]]:
        try:
            answers, refused = parse(orjson.loads(result), self._asked)
        except orjson.JSONDecodeError:  # DuckDB has read it as JSON, so there is but this
            return [], [("", "its result is nested too deep")]
        if self._interface:
            answers += nothing_marked(answers, {control for control, _ in refused}, self._interface)
        return answers, refused

    def unanswered(self, skipped: pa.Table) -> Iterator[pa.Table]:
        """Yield, for each control that was asked or met so far, the cancelled rows of skipped annotations."""
        for control, control_type in sorted(self.controls.items()):
            yield cancelled_rows(skipped, control, control_type)

    def _pseudonyms(self, authors: pa.ChunkedArray) -> pa.Array:
        coded = authors.combine_chunks().dictionary_encode()
        for author in coded.dictionary.to_pylist():
            self.annotators.setdefault(author, f"a-{len(self.annotators) + 1}")
        names = [self.annotators[author] for author in coded.dictionary.to_pylist()]
        return pa.array(names, pa.string()).take(coded.indices)


def _unsound(annotations: pa.Table) -> pa.Table:
    nothing = pa.nulls(annotations.num_rows, pa.string())
    columns = [annotations["task_id"], annotations["annotation_id"], nothing, annotations["rule"]]
    return pa.table(columns, names=REFUSED.names).cast(REFUSED)


def _refused(annotations: pa.Table, found: list[tuple[int, str, str]]) -> pa.Table:
    places, controls, rules = zip(*found, strict=True) if found else ((), (), ())
    named = annotations.select(["task_id", "annotation_id"]).take(pa.array(places, pa.int64()))
    said = [pa.array(controls, pa.string()), pa.array(rules, pa.string())]
    return pa.table([*named.columns, *said], names=REFUSED.names).cast(REFUSED)
