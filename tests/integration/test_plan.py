"""Plan and apply on the real Label Studio: another interface over answers, settings and tasks edited by hand."""

from __future__ import annotations

import uuid

import pytest

from labelloop.errors import DecisionNeeded
from tasks.clients.label_studio import connect_label_studio
from tasks.survey import survey
from tests.builders.annotating import choice, collect, push, the_project
from tests.builders.chosen_round import choose
from tests.builders.digits import SPEC
from tests.builders.respecified import asking, changes, respecified
from tests.fakes.world import make_world

pytestmark = pytest.mark.integration


@pytest.fixture
def world(tmp_path, label_studio):
    """Three tasks on the real server, the first of them answered."""
    world = make_world(tmp_path, SPEC.replace("share: 0.2", "share: 0.0"), new_id=lambda: uuid.uuid4().hex)
    world.settings, world.label_studio = label_studio, connect_label_studio(label_studio)
    choose(world, range(3), number=1)
    push(world)
    ann = world.label_studio.annotator(f"ann-{uuid.uuid4().hex[:8]}@labelloop.test", "a long enough Secret 7")
    task = ann.next_task(the_project(world))
    ann.submit(task.task_id, choice("1"), lead_time=1.0, key=str(uuid.uuid4()))
    return world


def test_another_interface_renames_or_refuses_and_leaves_nothing_to_do(world):
    with pytest.raises(DecisionNeeded, match="label '1' of question 'digit': 1 answers"):
        push(asking(world, "0", "2"))
    asking(world, "0", {"value": "one", "renamed_from": "1"}, "3", name="number", renamed_from="digit")
    assert changes(world) == {"set label_config": 1, "rename in answers": 1}
    push(world)
    assert changes(world) == changes(world, full=True) == {}
    collect(world)
    (row,) = world.table("annotations").read().to_pylist()
    assert (row["control"], row["choices"]) == ("number", ["one"])


def test_what_a_hand_changed_is_found_and_mended(world):
    queue = {"title": "Queue", "show": "waiting", "order": "queue"}
    respecified(world, workbench={"views": [queue]})
    push(world)
    server, project = world.label_studio, the_project(world)
    first, second, third = sorted(server.task_ids(project))
    server.change_project(project, {"title": "Mine", "maximum_annotations": 2})
    server.delete_predictions(project, [third])
    server.import_tasks(project, [{"data": dict(server.tasks(project, [second])[0].data)}])
    server.change_data(second, {"unit": "0" * 32, "image": "s3://media/elsewhere.png"})
    assert changes(world) == {
        "overwrite maximum_annotations": 1,
        "overwrite title": 1,
        "delete doubles and orphans": 1,
        "mend what tasks show": 1,
        "replace predictions": 1,
    }
    push(world)
    assert changes(world) == changes(world, full=True) == {}
    assert {task.overlap for task in server.tasks(project, [second, third])} == {1}
    assert survey(world).there == 3
    assert first in server.task_ids(project)
