"""Tasks of no project go with every row that refers to them, table by table; all others stay."""

from __future__ import annotations

from functools import partial

import pytest

from labelloop.errors import UnavailableError
from tasks.clients.label_studio_database import open_postgresql, open_sqlite
from tasks.clients.label_studio_orphans import Orphans

SCHEMA = """
CREATE TABLE task (id INTEGER PRIMARY KEY, data TEXT, project_id INTEGER);
CREATE TABLE task_completion (id INTEGER PRIMARY KEY, task_id INTEGER REFERENCES task (id));
CREATE TABLE tasks_annotationdraft (id INTEGER PRIMARY KEY, annotation_id INTEGER REFERENCES task_completion (id));
INSERT INTO task VALUES (1, '{"unit": "a"}', NULL), (2, '{"unit": "b"}', NULL), (3, '{"unit": "a"}', 7);
INSERT INTO task_completion VALUES (11, 1), (12, 2), (13, 3);
INSERT INTO tasks_annotationdraft VALUES (21, 11), (22, 12), (23, 13);
"""


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "label_studio.sqlite3"
    path.touch()
    opener = partial(open_sqlite, path)
    with opener() as database:
        for statement in filter(str.strip, SCHEMA.split(";")):
            database.run(statement)
    return opener


def rows(database, table):
    with database() as opened:
        return [number for (number,) in opened.run(f"SELECT id FROM {table} ORDER BY id")]  # noqa: S608


def test_only_tasks_of_no_project_are_found_by_name(database):
    assert Orphans(database).find({"a"}) == [1]
    assert Orphans(database).find({"a", "b"}) == [1, 2]
    assert Orphans(database).find({"c"}) == []


def test_a_task_goes_with_answers_and_drafts_and_one_that_has_a_project_stays(database):
    Orphans(database).delete([1, 3])
    assert rows(database, "task") == [2, 3]
    assert rows(database, "task_completion") == [12, 13]
    assert rows(database, "tasks_annotationdraft") == [22, 23]


def test_a_database_that_is_none_of_label_studio_is_told_without_its_address(tmp_path):
    path = tmp_path / "secret.sqlite3"
    path.write_text("no database at all, but long enough to be looked at as if it were one")
    with pytest.raises(UnavailableError, match="LABELLOOP_LABEL_STUDIO_DATA_DIR") as refused:
        Orphans(partial(open_sqlite, path)).find({"a"})
    assert "secret" not in str(refused.value)


def test_a_postgresql_that_does_not_answer_is_told_without_its_password():
    with pytest.raises(UnavailableError, match="LABELLOOP_LABEL_STUDIO_DATABASE_URL") as refused:
        Orphans(partial(open_postgresql, "postgresql://me:secret@127.0.0.1:9/ls")).find({"a"})
    assert "secret" not in str(refused.value)
