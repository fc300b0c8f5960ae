"""Rows that no API of Label Studio shows, as an interrupted bulk deletion leaves them, in either database."""

from __future__ import annotations

import uuid

import pytest

from tasks.clients.label_studio import connect_label_studio
from tasks.clients.label_studio_orphans import Orphans
from tests.contract_suites.label_studio_suite import CONFIG, answer, key


class OrphansSuite:
    """Subclasses give the fixtures `server`, its settings, and `open_database`."""

    @pytest.fixture
    def orphans(self, open_database):
        return Orphans(open_database)

    @pytest.fixture
    def client(self, server):
        return connect_label_studio(server)

    @pytest.fixture
    def units(self):
        return [uuid.uuid4().hex for _ in range(3)]

    @pytest.fixture
    def project(self, client):
        return client.create_project({"title": "orphans", "label_config": CONFIG, "maximum_annotations": 1})

    @pytest.fixture
    def made(self, client, project, units):
        """Three answered tasks; the deletion of the first two was killed between its two steps."""
        return client.import_tasks(
            project,
            [
                {
                    "data": {"unit": unit, "image": f"s3://media/{unit}.png"},
                    "predictions": [{"score": 0.5, "model_version": "v", "result": answer("0")}],
                }
                for unit in units
            ],
        )

    @pytest.fixture
    def rows(self, client, made, open_database):
        """The tasks that have rows in a table."""
        person = client.annotator(f"{uuid.uuid4().hex}@labelloop.test", "a long enough Secret 7")
        for task in made:
            person.submit(task, answer("1"), lead_time=1.0, key=key())
        with open_database() as database:
            for task in made[:2]:
                database.run("UPDATE task SET project_id = NULL WHERE id = :id", id=task)

        def of(table):
            column = "id" if table == "task" else "task_id"
            with open_database() as database:
                found = {number for (number,) in database.run(f"SELECT {column} FROM {table}")}  # noqa: S608
            return sorted(found & set(made))

        return of

    def test_they_are_found_by_name_though_the_server_shows_none(self, client, project, orphans, units, made, rows):
        assert client.task_ids(project) == {made[2]}
        assert orphans.find(set(units)) == made[:2]
        assert orphans.find({units[0], "another"}) == made[:1]
        assert rows("task") == made

    def test_they_go_with_all_rows_of_theirs_and_nothing_else_does(self, client, orphans, project, made, rows):
        orphans.delete([made[0], made[2]])  # the last has a project: it is not for us to take
        orphans.delete([made[0]])
        for table in ("task", "task_completion", "prediction"):
            assert rows(table) == made[1:], table
        assert client.task_ids(project) == {made[2]}
        orphans.delete([made[1]])
        assert rows("task") == made[2:]
