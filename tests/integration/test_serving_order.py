"""Order, locks and overlap together: four people at once on the real server, served by a real push."""

from __future__ import annotations

import threading
import uuid
from collections import Counter, defaultdict

import httpx
import pytest

from labelloop.push import planned_overlap
from labelloop.spec.sections import View
from tasks.clients.label_studio import connect_label_studio
from tasks.consensus import resolve_labels
from tasks.review import review_disputes
from tasks.rulings import collect_rulings
from tasks.survey import survey
from tests.builders.annotating import choice, collect, push, states, the_project
from tests.builders.chosen_round import choose
from tests.builders.digits import SPEC
from tests.builders.rows import hex_id, write
from tests.fakes.world import make_world, under_lease

pytestmark = pytest.mark.integration

N = 24
PEOPLE = ("ann", "bob", "cis", "dan")
RUN = uuid.uuid4().hex[:8]
EXPERT = f"cis-{RUN}@labelloop.test"


@pytest.fixture
def world(tmp_path, label_studio):
    """A chosen round in a lake of its own, to be pushed to the real server."""
    world = make_world(tmp_path, SPEC, new_id=lambda: uuid.uuid4().hex)
    world.settings = label_studio
    world.label_studio = connect_label_studio(label_studio)
    choose(world, range(N), number=1)
    return world


@pytest.fixture(scope="module")
def people(label_studio):
    server = connect_label_studio(label_studio)
    return [server.annotator(f"{name}-{RUN}@labelloop.test", "a long enough Secret 7") for name in PEOPLE]


def work(person, project: int, served: list[tuple[str, int]], locked: Counter, guard: threading.Lock) -> None:
    """Answer what is handed out until nothing is left, noting each task when it is served."""
    while True:
        with guard:
            task = person.next_task(project)
            if task is None:
                return
            served.append((task.unit_id, person.user_id))
            locked[task.unit_id] += 1
        person.submit(task.task_id, choice("1"), lead_time=1.0, key=str(uuid.uuid4()))


def test_four_people_at_once_are_served_in_order_with_locks_and_overlap(world, people):
    push(world)
    project, served, locked, guard = the_project(world), [], Counter(), threading.Lock()
    threads = [threading.Thread(target=work, args=(p, project, served, locked, guard)) for p in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    wanted = {hex_id(u): planned_overlap(world.spec, hex_id(u)) for u in range(N)}
    assert Counter(unit for unit, _ in served) == wanted
    assert max(Counter(served).values()) == 1
    for person in people:
        mine = [unit for unit, user in served if user == person.user_id]
        assert mine == sorted(mine)
    first = list(dict.fromkeys(unit for unit, _ in served))
    assert first == sorted(first)

    assert collect(world)["annotations"] == sum(wanted.values())
    assert set(states(world)) == {"answered"}
    opinions = defaultdict(set)
    for row in world.table("annotations").read().to_pylist():
        opinions[row["unit_id"]].add(row["annotator"])
    assert {unit: len(who) for unit, who in opinions.items()} == wanted


def test_open_tasks_are_served_in_the_order_of_a_new_model(world, people):
    push(world)
    write(
        world,
        "predictions",
        [
            {
                "ref_id": hex_id(u),
                "model_version": "m1",
                "media_version": "v1",
                "predicted": "1",
                "confidence": 0.95 - u / 100,
                "probabilities": [0.9, 0.1],
                "classes": ["1", "0"],
            }
            for u in range(N)
        ],
    )
    write(world, "models", [{"model_version": "m1", "promoted": True, "trained_on_erased": False}])
    assert push(world)["rescored"] == N
    assert world.label_studio.project(the_project(world))["total_predictions_number"] == N
    served = [person.next_task(the_project(world)).unit_id for person in people]
    places = [hex_id(u) for u in reversed(range(N)) for _ in range(planned_overlap(world.spec, hex_id(u)))]
    assert served == places[: len(people)]


def test_what_is_refused_skipped_or_deleted_on_the_real_server_comes_home_like_in_memory(world, people):
    push(world)
    project, (ann, bob, cis, _) = the_project(world), people
    tasks = [ann.next_task(project), bob.next_task(project)]
    ann.submit(tasks[0].task_id, [{"foo": 1}], lead_time=1.0, key=str(uuid.uuid4()))
    number = bob.submit(tasks[1].task_id, choice("1"), lead_time=1.0, key=str(uuid.uuid4()))
    cis.skip(cis.next_task(project).task_id)
    counts = collect(world)
    assert (counts["refused"], counts["annotations"]) == (1, 2)
    bob.edit(number, choice("2"))
    collect(world)
    rows = world.table("annotations").read().sort_by("state").to_pylist()
    assert [(row["state"], row["choices"]) for row in rows] == [("active", ["2"]), ("cancelled", None)]
    bob.withdraw(number)
    assert collect(world)["deleted"] == 1
    world.label_studio.delete_task(tasks[0].task_id)
    assert collect(world)["vanished"] == 1


def test_a_second_push_finds_nothing_to_mend_on_the_real_server(world):
    push(world)
    assert (survey(world).rows(), survey(world, full=True).rows()) == ([], [])
    counts = push(world)
    assert counts == dict.fromkeys(counts, 0) | {"already_there": N}


def disputed(world, *people) -> tuple[int, str]:
    """Let two people answer one task differently; the reviewing project and the unit that comes before the expert."""
    world.spec = world.spec.model_copy(
        update={
            "annotators": world.spec.annotators.model_copy(update={"count": 2, "experts": 1}),
            "consensus": world.spec.consensus.model_copy(update={"method": "majority"}),
            "review": world.spec.review.model_copy(update={"share": 0.0}),
        }
    )
    world.settings = world.settings.model_copy(update={"experts": (EXPERT,)})
    push(world)
    task = people[0].next_task(the_project(world))
    for person, value in zip(people, "12", strict=True):
        person.submit(task.task_id, choice(value), lead_time=1.0, key=str(uuid.uuid4()))
    collect(world)
    under_lease(world, "consensus", resolve_labels)
    assert under_lease(world, "review", review_disputes).counts == {"cases": 1, "created": 1, "refused": 0}
    return world.hot.get("label-studio/digits-review.json").value["ls_project"], task.unit_id


def decided(world) -> tuple[str | None, str]:
    """The one label and who decided it, after the next night."""
    under_lease(world, "rulings", collect_rulings)
    under_lease(world, "consensus", resolve_labels)
    (label,) = world.table("labels").read().to_pylist()
    return label["label"], label["decided_by"]


def test_a_conflict_comes_before_the_expert_and_the_ruling_home_as_it_is_now(world, people):
    ann, bob, expert, _ = people
    reviewing, unit = disputed(world, ann, bob)
    case = expert.next_task(reviewing)
    assert (case.unit_id, sorted(case.data["competing_answers"].values())) == (unit, ["1", "2"])
    ruling = expert.submit(case.task_id, choice("2"), lead_time=1.0, key=str(uuid.uuid4()))
    assert decided(world) == ("2", "expert")
    expert.edit(ruling, choice("1"))
    assert decided(world) == ("1", "expert")
    expert.withdraw(ruling)
    assert decided(world) == (None, "consensus")


def test_a_case_that_somebody_else_answered_comes_before_the_expert_again(world, people):
    ann, bob, expert, dan = people
    reviewing, unit = disputed(world, ann, bob)
    dan.submit(dan.next_task(reviewing).task_id, choice("1"), lead_time=1.0, key=str(uuid.uuid4()))
    assert (decided(world), expert.next_task(reviewing)) == ((None, "consensus"), None)
    under_lease(world, "review", review_disputes)
    assert expert.next_task(reviewing).unit_id == unit


def asking_as_a_page(settings) -> httpx.Client:
    token = {"Authorization": f"Token {settings.label_studio_token.get_secret_value()}"}
    return httpx.Client(base_url=settings.label_studio_url, headers=token, timeout=60)


def displayed(page: httpx.Client, view: int) -> list[int]:
    """The tasks that a tab lists."""
    return [task["id"] for task in page.get(f"/api/tasks?view={view}&page_size=100").json()["tasks"]]


def labelled_as_displayed(page: httpx.Client, project: int, view: dict) -> list[int]:
    """Answer all tasks that are handed out to somebody who labels a tab as displayed, and return them."""
    shown, served = {name: view[name] for name in ("filters", "ordering")}, []
    while (found := page.post(f"/api/dm/actions?id=next_task&project={project}", json=shown)).is_success:
        served.append(found.json()["id"])
        page.post(f"/api/tasks/{served[-1]}/annotations", json={"result": choice("1")}).raise_for_status()
    assert found.status_code == 404
    return served


def test_tabs_that_share_the_queue_have_no_task_in_common_and_are_labelled_in_its_order(world):
    choose(world, [digit << 124 for digit in range(1, 16)], number=2)  # ids with every first digit
    titles = ("Desk 1", "Desk 2")
    views = tuple(View(title=title, show="waiting", part=n, parts=2) for n, title in enumerate(titles, 1))
    world.spec = world.spec.model_copy(update={"workbench": world.spec.workbench.model_copy(update={"views": views})})
    push(world)
    server, project = world.label_studio, the_project(world)
    tabs = {view["title"]: (number, view) for number, view in server.views(project).items()}
    with asking_as_a_page(world.settings) as page:
        first, second = (displayed(page, tabs[title][0]) for title in titles)
        assert sorted(first + second) == sorted(server.task_ids(project))
        assert (len(first), len(second)) == (N + 7, 8)
        assert labelled_as_displayed(page, project, tabs["Desk 2"][1]) == second
    score = {row["task_id"]: row["queue_score"] for row in world.table("tasks").read().to_pylist()}
    assert second == sorted(second, key=score.get)
