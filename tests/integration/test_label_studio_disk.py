"""Rows that no API of Label Studio shows, as an interrupted bulk deletion leaves them, and files it never deletes."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing

import pytest

from tasks.clients.label_studio import connect_label_studio
from tasks.clients.label_studio_disk import LabelStudioDisk
from tests.contract_suites.label_studio_suite import CONFIG, answer, key

pytestmark = pytest.mark.integration


@pytest.fixture
def disk(label_studio):
    return LabelStudioDisk(label_studio.label_studio_data_dir)


@pytest.fixture
def database(label_studio):
    path = label_studio.label_studio_data_dir / "label_studio.sqlite3"
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as opened:
        yield opened


def test_rows_of_no_project_are_found_and_cleared_with_all_that_belongs_to_them(label_studio, disk, database):
    client = connect_label_studio(label_studio)
    units = [uuid.uuid4().hex for _ in range(3)]
    project = client.create_project({"title": "orphans", "label_config": CONFIG, "maximum_annotations": 1})
    made = client.import_tasks(
        project,
        [
            {
                "data": {"unit": unit, "image": f"s3://media/{unit}.png"},
                "predictions": [{"score": 0.5, "model_version": "v", "result": answer("0")}],
            }
            for unit in units
        ],
    )
    person = client.annotator(f"{uuid.uuid4().hex}@labelloop.test", "a long enough Secret 7")
    for task in made:
        person.submit(task, answer("1"), lead_time=1.0, key=key())
    # What a bulk deletion that is killed between its two steps leaves.
    database.executemany("UPDATE task SET project_id = NULL WHERE id = ?", [(task,) for task in made[:2]])
    assert client.task_ids(project) == {made[2]}
    assert disk.orphans(set(units)) == made[:2]
    assert disk.orphans({units[0]}) == made[:1]
    disk.delete_orphans([made[0], made[2]])  # the last has a project: it is not for us to take
    disk.delete_orphans([made[0]])
    assert disk.orphans(set(units)) == made[1:2]
    assert client.task_ids(project) == {made[2]}
    answers = database.execute("SELECT task_id FROM task_completion WHERE task_id IN (?, ?, ?)", made)
    predictions = database.execute("SELECT task_id FROM prediction WHERE task_id IN (?, ?, ?)", made)
    for rows in (answers, predictions):
        assert sorted(task for (task,) in rows) == made[1:]
    disk.delete_orphans([made[1]])
    assert disk.orphans(set(units)) == []


def test_uploads_and_exports_that_name_an_object_are_found_and_deleted(label_studio, disk):
    folder = label_studio.label_studio_data_dir / "export"
    folder.mkdir(exist_ok=True)
    mine, other = folder / f"{uuid.uuid4().hex}.json", folder / f"{uuid.uuid4().hex}.json"
    mine.write_text('[{"data": {"image": "s3:\\/\\/media\\/anna\\/1.png"}}]')
    other.write_text('[{"data": {"image": "s3://media/anna/1.png.old"}}, {"data": {"image": "s3://media/anna/12"}}]')
    names = {"s3://media/anna/1.png", "s3://media/anna/1"}
    assert disk.files(names) == [mine]
    disk.delete_files(disk.files(names))
    assert (mine.exists(), other.exists()) == (False, True)
    other.unlink()
