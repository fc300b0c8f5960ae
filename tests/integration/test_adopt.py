"""`labelloop adopt` on the real servers: a project that people set up by hand goes on as one of ours."""

from __future__ import annotations

import json
import uuid

import pytest

from tasks.clients.label_studio import connect_label_studio
from tasks.clients.world import open_world
from tests.builders.annotating import collect, push
from tests.contract_suites.label_studio_suite import PASSWORD, answer, key

pytestmark = pytest.mark.integration
XML = """<View>
  <Image name="image" value="$picture"/>
  <Choices name="digit" toName="image"><Choice value="0"/><Choice value="1"/></Choices>
</View>"""
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def environment(stack_environment, stack, tmp_path, monkeypatch):
    """The stack, with a folder of specs and a lake of its own."""
    monkeypatch.setenv("LABELLOOP_PROJECTS_DIR", str(tmp_path))
    monkeypatch.setenv("LABELLOOP_LAKE_URI", f"{stack.variables['LABELLOOP_LAKE_URI']}/{uuid.uuid4().hex}")


@pytest.fixture
def ls_project(label_studio):
    """Two tasks with a caption beside the picture, the first one answered."""
    client, folder = connect_label_studio(label_studio), uuid.uuid4().hex
    project = client.create_project({"title": "Made by hand", "label_config": XML, "description": "of 2022"})
    data = [{"picture": f"s3://media/{folder}/{n}.png", "caption": f"no. {n}"} for n in range(2)]
    first, _ = client.import_tasks(project, [{"data": held} for held in data])
    person = client.annotator(f"{folder}@labelloop.test", PASSWORD)
    person.submit(first, answer("1"), lead_time=1.0, key=key())
    return project


def put_media(world):
    for n in range(2):
        world.media.write("media", f"{world.spec.media.prefix}{n}.png", PNG + bytes([n]), content_type="image/png")


@pytest.mark.usefixtures("prefect", "environment")
def test_a_project_is_adopted_with_its_tasks_and_answers_and_nothing_is_asked_again(labelloop, ls_project):
    code, _, told = labelloop("adopt", "zoo", "--ls-project", 10**9)
    assert (code, "has no project" in told) == (2, True)
    assert labelloop("adopt", "zoo", "--ls-project", ls_project, "--spec-only")[0] == 0
    world = open_world("zoo")
    put_media(world)
    code, told, _ = labelloop("adopt", "zoo", "--ls-project", ls_project, "--json")
    assert code == 0
    assert json.loads(told)[-1]["counts"] == {
        "adopted": 2,
        "named": 2,
        "without_medium": 0,
        "unknown": 0,
        "double": 0,
    }
    assert push(world)["created"] == 0
    collect(world)
    (row,) = world.table("annotations").read().to_pylist()
    assert (row["control"], row["choices"]) == ("digit", ["1"])
    known = world.label_studio.changed_tasks(ls_project, None)
    assert sorted(task.data["caption"] for task in known) == ["no. 0", "no. 1"]
    assert world.label_studio.project(ls_project)["label_config"] == XML
