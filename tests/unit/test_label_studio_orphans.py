"""Tasks of no project go with every row that refers to them, table by table; all others stay."""

from __future__ import annotations

from functools import partial

import pytest

from labelloop.errors import UnavailableError
from tasks.clients.label_studio_database import open_postgresql, open_sqlite
from tasks.clients.label_studio_orphans import Orphans
from tests.builders.label_studio_files import ids_in, make_database

TASKS = [(1, '{"unit": "a"}', None), (2, '{"unit": "b"}', None), (3, '{"unit": "a"}', 7)]


@pytest.fixture
def path(tmp_path):
    return make_database(tmp_path, TASKS)


@pytest.fixture
def orphans(path):
    return Orphans(partial(open_sqlite, path))


def test_only_tasks_of_no_project_are_found_by_name(orphans):
    assert orphans.find({"a"}) == [1]
    assert orphans.find({"a", "b"}) == [1, 2]
    assert orphans.find({"c"}) == []


def test_a_task_goes_with_answers_and_drafts_and_one_that_has_a_project_stays(orphans, path):
    orphans.delete([1, 3])
    assert ids_in(path, "task") == [2, 3]
    assert ids_in(path, "task_completion") == [12, 13]
    assert ids_in(path, "draft") == [22, 23]


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
