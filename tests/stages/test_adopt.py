"""A project set up by hand in Label Studio becomes one of ours: interface word for word, tasks, answers."""

from __future__ import annotations

import pytest
import yaml

from deployments.cli import adopt_verb
from labelloop.adopt import spec_of
from labelloop.errors import InputError
from labelloop.spec import load_spec
from tasks.adopt import adopt_tasks
from tasks.clients.rounds import current_round
from tasks.sync import sync_references
from tests.builders.annotating import collect, push
from tests.builders.settings import make_settings
from tests.fakes.faults import killed_after_each_effect
from tests.fakes.label_studio import MemoryLabelStudio
from tests.fakes.lake import MemoryLake
from tests.fakes.world import copy_of, make_world, under_lease

XML = """<View>
  <!-- as they wrote it -->
  <Image name="photo" value="$url"/>
  <Choices name="animal" toName="photo"><Choice value="cat"/><Choice value="dog"/></Choices>
</View>"""
PNG = b"\x89PNG\r\n\x1a\n"
N = 4


def address(number: int) -> str:
    return f"s3://media/zoo/{number}.png"


def by_hand(server: MemoryLabelStudio, addresses, **settings) -> int:
    """A project of four years ago: two opinions a task, a caption beside each picture, two tasks answered."""
    made = {
        "title": "Zoo",
        "label_config": XML,
        "expert_instruction": "<p>Cat or <b>dog</b>?</p><script>x</script>Skip<br>birds.",
    }
    made |= {"description": "Summer 2022", "maximum_annotations": 2, "overlap_cohort_percentage": 100}
    project = server.create_project({**made, **settings})
    tasks = [{"data": {"url": shown, "caption": f"no. {n}"}} for n, shown in enumerate(addresses)]
    numbers = server.import_tasks(project, tasks)
    for number in numbers:
        server.set_overlap(number, 2)
    for name, answered in (("ann", numbers[:2]), ("bob", numbers[:1])):
        for number in answered:
            result = [{"from_name": "animal", "to_name": "photo", "type": "choices", "value": {"choices": ["cat"]}}]
            server.annotator(f"{name}@labelloop.test", "x").submit(
                number, result, lead_time=1.0, key=f"{name}{number}"
            )
    return project


def spec_for(server, project):
    """The spec that is written for the project."""
    settings, tasks = server.project(project), server.changed_tasks(project, None)
    document = spec_of(settings, tasks, name="zoo", xml_file="zoo.xml")
    return load_spec(yaml.safe_dump(document), read=lambda _: settings["label_config"])


@pytest.fixture
def server():
    return MemoryLabelStudio()


@pytest.fixture
def project(server):
    return by_hand(server, [address(number) for number in range(N)])


@pytest.fixture
def world(server, project, tmp_path):
    """The spec of the project, and its media."""
    world = make_world(tmp_path, spec_for(server, project), label_studio=server)
    for number in range(N):
        world.media.write("media", f"zoo/{number}.png", PNG + bytes([number]), content_type="image/png")
    under_lease(world, "sync", sync_references)
    return world


def adopt(world, ls_project, faults=None):
    guarded = faults.guard(world) if faults else world
    return under_lease(guarded, "push", adopt_tasks, ls_project).counts


def test_the_spec_leaves_the_project_as_it_is(world):
    spec = world.spec
    assert (spec.title, spec.media.bucket, spec.media.prefix) == ("Zoo", "media", "zoo/")
    assert spec.interface.xml == XML
    assert spec.guidelines.text == "Cat or dog?\n\nSkip\n\nbirds."
    assert (spec.overlap.share, spec.overlap.annotators) == (1.0, 2)


def test_every_task_becomes_a_unit_and_keeps_what_it_holds(world, server, project):
    assert adopt(world, project) == {"adopted": N, "named": N, "without_medium": 0, "unknown": 0, "double": 0}
    refs = {row["key"]: row["ref_id"] for row in world.table("references").read().to_pylist()}
    units = {tuple(row["ref_ids"]): row["unit_id"] for row in world.table("units").read().to_pylist()}
    for n, task in enumerate(sorted(server.all_tasks.values(), key=lambda task: task["id"])):
        ref = refs[f"zoo/{n}.png"]
        assert task["data"] == {"url": address(n), "caption": f"no. {n}", "ref": ref, "unit": units[ref,]}
    assert {row["state"] for row in world.table("tasks").read().to_pylist()} == {"answered", "open"}
    assert {row["inclusion_probability"] for row in world.table("batches").read().to_pylist()} == {None}
    assert current_round(world.hot, "zoo").state == "open"


def test_answers_come_with_the_next_collect_and_a_push_asks_nobody_again(world, server, project):
    adopt(world, project)
    collect(world)
    answers = world.table("annotations").read().to_pylist()
    assert sorted(row["choices"][0] for row in answers) == ["cat"] * 3
    assert len({row["annotator"] for row in answers}) == 2
    push(world)
    assert len(server.all_tasks) == N
    assert server.project(project)["label_config"] == XML
    assert server.project(project)["description"].startswith("Summer 2022 labelloop:zoo:")
    assert {task["overlap"] for task in server.all_tasks.values() if not task["is_labeled"]} == {2}


def test_killed_after_any_effect_and_run_again_it_ends_as_the_unbroken_run(world, project, tmp_path):
    begun = copy_of(world, tmp_path / "begun")
    adopt(world, project)
    effects = 0
    for effects, again in enumerate(
        killed_after_each_effect(begun, tmp_path, lambda w, f=None: adopt(w, project, f)), 1
    ):
        data = [task["data"] for task in again.label_studio.all_tasks.values()]
        assert [held["url"] for held in data] == [address(n) for n in range(N)]
        for table in ("units", "batches", "tasks"):
            assert again.table(table).read().num_rows == N, f"{table} after effect {effects}"
        assert {held["unit"] for held in data} == set(again.table("tasks").read()["unit_id"].to_pylist())
        assert push(again)["created"] == 0
    assert effects > N


def test_tasks_without_one_known_object_and_doubles_stay_as_they_are(server, tmp_path):
    project = by_hand(server, [address(0), address(0), address(1), "http://elsewhere/1.png"])
    world = make_world(tmp_path, spec_for(server, project), label_studio=server)
    world.lake = MemoryLake()
    world.media.write("media", "zoo/0.png", PNG, content_type="image/png")
    under_lease(world, "sync", sync_references)
    before = {number: dict(task["data"]) for number, task in server.all_tasks.items()}
    assert adopt(world, project) == {"adopted": 1, "named": 1, "without_medium": 1, "unknown": 1, "double": 1}
    assert sum(before[number] == task["data"] for number, task in server.all_tasks.items()) == 3


@pytest.mark.parametrize(
    ("addresses", "settings", "told"),
    [
        ([], {}, "no task of this project"),
        (["http://elsewhere/1.png"], {}, "no task of this project shows an s3:// address"),
        (["s3://media/a", "s3://other/a"], {}, "media of 2 buckets"),
        (
            ["s3://media/a"],
            {"label_config": XML.replace("<Choices", '<Text name="t" value="$caption"/><Choices')},
            "2 fields",
        ),
    ],
)
def test_a_project_that_cannot_be_one_of_ours_is_refused_with_the_reason(server, addresses, settings, told):
    project = by_hand(server, addresses, **settings)
    with pytest.raises(InputError, match=told):
        spec_for(server, project)


@pytest.fixture
def adopt_spec(server, tmp_path, monkeypatch):
    """The verb, in a folder of specs of its own: it writes a spec and stops."""
    monkeypatch.setattr(adopt_verb, "load_settings", lambda: make_settings(projects_dir=tmp_path))
    monkeypatch.setattr(adopt_verb, "connect_label_studio", lambda _: server)
    return lambda project: adopt_verb.adopt("zoo", ls_project=project, spec_only=True)


@pytest.mark.parametrize(("xml", "findings"), [(XML, 0), (XML.replace("toName", 'required="True" toName'), 1)])
def test_findings_of_the_interface_are_told_as_it_is_adopted(server, tmp_path, adopt_spec, capsys, xml, findings):
    adopt_spec(by_hand(server, [address(0)], label_config=xml))
    assert (tmp_path / "zoo.xml").read_text() == xml
    assert (f"mend {findings} finding(s)" in capsys.readouterr().err) == bool(findings)


def test_an_interface_that_somebody_keeps_under_that_name_is_not_overwritten(project, tmp_path, adopt_spec):
    (tmp_path / "zoo.xml").write_text("<View/>")
    with pytest.raises(InputError, match=r"zoo\.xml is there already"):
        adopt_spec(project)
    assert (tmp_path / "zoo.xml").read_text() == "<View/>"
    assert not (tmp_path / "zoo.yaml").exists()


def test_the_interface_that_a_killed_run_wrote_is_taken(project, tmp_path, adopt_spec):
    adopt_spec(project)
    (tmp_path / "zoo.yaml").unlink()
    adopt_spec(project)
    assert (tmp_path / "zoo.yaml").exists()


def test_a_field_that_would_be_replaced_is_refused_before_anything_is_written(world, server, project):
    task = next(iter(server.all_tasks.values()))
    task["data"]["unit"] = "centimetres"
    with pytest.raises(InputError, match="holds a field 'unit'"):
        adopt(world, project)
    assert world.table("units").read().num_rows == 0
    assert task["data"]["unit"] == "centimetres"


def test_a_project_of_another_spec_is_refused_before_anything_is_written(world, server, project):
    server.change_project(project, {"description": "labelloop:cars:0123"})
    with pytest.raises(InputError, match="belongs to another spec"):
        adopt(world, project)
    assert world.table("units").read().num_rows == 0
