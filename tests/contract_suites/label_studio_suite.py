"""What every Label Studio must do; the fake and the real server pass the same tests."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from labelloop.errors import InputError
from tasks.clients.label_studio import LabelStudio

PASSWORD = "a long enough Secret 7"
CONFIG = """<View>
  <Image name="image" value="$image"/>
  <Choices name="digit" toName="image"><Choice value="0"/><Choice value="1"/></Choices>
</View>"""


def answer(choice: str) -> list[dict]:
    return [{"from_name": "digit", "to_name": "image", "type": "choices", "value": {"choices": [choice]}}]


def key() -> str:
    return str(uuid.uuid4())


class LabelStudioSuite:
    """Subclasses give `label_studio`, `people` (name to that person's session) and `delete_user` (by number)."""

    @pytest.fixture
    def marker(self) -> str:
        return f"labelloop:suite:{uuid.uuid4().hex}"

    @pytest.fixture
    def project(self, label_studio: LabelStudio, marker) -> int:
        return label_studio.create_project(
            {
                "title": "contract suite",
                "description": marker,
                "label_config": CONFIG,
                "maximum_annotations": 1,
                "sampling": "Uncertainty sampling",
                "show_collab_predictions": False,
            }
        )

    def tasks(self, label_studio, project, scores, version="v1") -> list[int]:
        return label_studio.import_tasks(
            project,
            [
                {
                    "data": {"unit": f"{n:032x}", "image": f"s3://media/{n}.png"},
                    "predictions": [{"score": score, "model_version": version, "result": []}],
                }
                for n, score in enumerate(scores)
            ],
        )

    def test_a_project_is_found_by_its_marker(self, label_studio, project, marker):
        assert label_studio.find_project(marker) == project
        assert label_studio.find_project("labelloop:suite:another") is None

    def test_project_settings_are_read_back_as_changed(self, label_studio, project):
        label_studio.change_project(project, {"show_collab_predictions": True})
        settings = label_studio.project(project)
        assert settings["show_collab_predictions"] is True
        assert settings["label_config"] == CONFIG

    def test_hiding_predictions_makes_the_project_forget_whose_order_its_queue(self, label_studio, project):
        self.tasks(label_studio, project, [0.5])
        assert label_studio.project(project)["model_version"] == "v1"
        label_studio.change_project(project, {"show_collab_predictions": False})
        assert label_studio.project(project)["model_version"] == ""
        label_studio.change_project(project, {"show_collab_predictions": False, "model_version": "v1"})
        assert label_studio.project(project)["model_version"] == "v1"

    def test_an_absent_project_is_none(self, label_studio):
        assert label_studio.project(10**9) is None

    def test_saved_views_are_listed_with_their_filters_and_deleted_one_by_one(self, label_studio, project):
        condition = {"filter": "filter:tasks:data.image", "operator": "contains", "type": "String", "value": "anna/"}
        data = {"filters": {"conjunction": "and", "items": [condition]}}
        first, second = label_studio.save_view(project, data), label_studio.save_view(project, {"title": "plain"})
        views = label_studio.views(project)
        assert set(views) == {first, second}
        assert views[first]["filters"]["items"][0]["value"] == "anna/"
        label_studio.delete_view(first)
        label_studio.delete_view(first)
        assert set(label_studio.views(project)) == {second}

    def test_a_storage_is_made_once(self, label_studio, project):
        assert label_studio.ensure_storage(project, "media") == label_studio.ensure_storage(project, "media")

    def test_imported_tasks_get_numbers_in_the_order_sent(self, label_studio, project):
        numbers = self.tasks(label_studio, project, [0.3, 0.2, 0.1])
        assert label_studio.task_ids(project) == set(numbers)
        units = {t.task_id: t.unit_id for t in label_studio.tasks(project, numbers)}
        assert [units[n] for n in numbers] == [f"{n:032x}" for n in range(3)]

    def test_absent_tasks_are_left_out_of_a_look_up(self, label_studio, project):
        (number,) = self.tasks(label_studio, project, [0.5])
        assert [t.task_id for t in label_studio.tasks(project, [number, 10**9])] == [number]
        assert label_studio.tasks(project, []) == []

    def test_an_import_with_one_bad_task_imports_none(self, label_studio, project):
        with pytest.raises(InputError):
            label_studio.import_tasks(project, [{"data": {"unit": "a", "image": "s3://media/a"}}, {"data": {}}])
        assert label_studio.task_ids(project) == set()

    def test_a_refused_prediction_is_told(self, label_studio, project):
        (number,) = self.tasks(label_studio, project, [0.5])
        wrong = {"task": number, "score": 5.5, "model_version": "v2", "result": []}
        with pytest.raises(InputError, match="0 of 1"):
            label_studio.import_predictions(project, [wrong])

    def test_predictions_are_counted_and_replaced_by_task(self, label_studio, project):
        first, second, third = self.tasks(label_studio, project, [0.5, 0.6, 0.7])
        new = [{"task": number, "score": 0.1, "model_version": "v2", "result": []} for number in (first, second)]
        label_studio.import_predictions(project, new)
        assert self.predictions(label_studio, project) == {
            first: (2, "v1,v2"),
            second: (2, "v1,v2"),
            third: (1, "v1"),
        }
        label_studio.delete_predictions(project, [first, third])
        settings = label_studio.project(project)
        assert (settings["task_number"], settings["total_predictions_number"]) == (3, 2)
        label_studio.import_predictions(project, new[:1])
        assert self.predictions(label_studio, project) == {first: (1, "v2"), second: (2, "v1,v2"), third: (0, "")}

    def test_a_task_tells_the_score_that_orders_the_queue(self, label_studio, project):
        first, second = self.tasks(label_studio, project, [0.25, 0.5])
        new = {"task": second, "score": 0.75, "model_version": "v2", "result": []}
        label_studio.import_predictions(project, [new])
        assert self.scores(label_studio, project) == {first: 0.25, second: 0.5}
        label_studio.change_project(project, {"model_version": "v2"})
        assert self.scores(label_studio, project) == {first: None, second: 0.75}

    def scores(self, label_studio, project) -> dict[int, float | None]:
        return {task.task_id: task.score for task in label_studio.changed_tasks(project, None)}

    def predictions(self, label_studio, project) -> dict[int, tuple[int, str]]:
        """How many predictions each task has, and of which versions."""
        found = label_studio.changed_tasks(project, None)
        return {task.task_id: (task.predictions, task.versions) for task in found}

    def test_the_newest_change_is_that_of_the_task_changed_last(self, label_studio, project):
        assert label_studio.newest_change(project) is None
        first, second = self.tasks(label_studio, project, [0.5, 0.6])
        label_studio.set_overlap(first, 2)
        changed = {task.task_id: task.updated_at for task in label_studio.tasks(project, [first, second])}
        assert label_studio.newest_change(project) == changed[first] > changed[second]

    def test_tasks_are_listed_after_a_number(self, label_studio, project):
        first, second, third = self.tasks(label_studio, project, [0.1, 0.2, 0.3])
        assert [task.task_id for task in label_studio.tasks_after(project, first)] == [second, third]

    def test_one_annotation_for_all_resets_every_overlap(self, label_studio, project, people):
        first, second = self.tasks(label_studio, project, [0.1, 0.2])
        label_studio.change_project(project, {"maximum_annotations": 3})
        label_studio.set_overlap(second, 2)
        people("ann").submit(second, answer("1"), lead_time=1.0, key=key())
        label_studio.change_project(project, {"maximum_annotations": 1})
        found = label_studio.tasks(project, [first, second])
        assert [(task.overlap, task.finished) for task in found] == [(1, False), (1, True)]

    def test_an_answer_can_be_given_other_names_and_its_annotator_stays(self, label_studio, project, people):
        (number,) = self.tasks(label_studio, project, [0.5])
        ann = people("ann")
        given = ann.submit(number, answer("1"), lead_time=2.5, key=key())
        (before,) = label_studio.tasks(project, [number])
        seen = []
        label_studio.change_answer(given, lambda present: seen.append(list(present)) or answer("0"))
        label_studio.change_answer(10**9, list)
        assert [item["value"] for (item,) in seen] == [{"choices": ["1"]}]
        (task,) = label_studio.changed_tasks(project, before.updated_at)
        (told,) = task.annotations
        assert (told.user_id, told.lead_time, told.result[0]["value"]) == (ann.user_id, 2.5, {"choices": ["0"]})

    def test_a_view_is_saved_and_replaced(self, label_studio, project):
        waiting = {"filter": "filter:tasks:total_annotations", "operator": "equal", "type": "Number", "value": 0}
        view = {
            "title": "Queue",
            "type": "list",
            "target": "tasks",
            "ordering": ["tasks:predictions_score"],
            "filters": {"conjunction": "and", "items": [waiting]},
        }
        number = label_studio.save_view(project, view)
        assert label_studio.views(project)[number].items() >= view.items()
        other = view | {"ordering": ["-tasks:updated_at"], "filters": {"conjunction": "and", "items": []}}
        assert label_studio.save_view(project, other, number) == number
        assert label_studio.views(project)[number].items() >= other.items()

    def test_a_storage_fits_once_it_is_set_up(self, label_studio, project):
        assert not label_studio.storage_fits(project, "media")
        label_studio.ensure_storage(project, "media")
        assert label_studio.storage_fits(project, "media")
        assert not label_studio.storage_fits(project, "elsewhere")

    def test_the_queue_is_served_least_confident_first(self, label_studio, project, people):
        numbers = self.tasks(label_studio, project, [0.9, 0.1, 0.5])
        ann, served = people("ann"), []
        while task := ann.next_task(project):
            served.append(task.task_id)
            ann.submit(task.task_id, answer("1"), lead_time=1.0, key=key())
        assert served == [numbers[1], numbers[2], numbers[0]]

    def test_the_queue_follows_the_version_the_project_names(self, label_studio, project, people):
        first, second = self.tasks(label_studio, project, [0.1, 0.9])
        label_studio.import_predictions(
            project,
            [
                {"task": first, "score": 0.9, "model_version": "v2", "result": []},
                {"task": second, "score": 0.1, "model_version": "v2", "result": []},
            ],
        )
        with pytest.raises(InputError):
            label_studio.change_project(project, {"model_version": "v3"})
        label_studio.change_project(project, {"model_version": "v2"})
        assert people("ann").next_task(project).task_id == second

    def test_two_people_at_once_get_two_tasks(self, label_studio, project, people):
        first, second = self.tasks(label_studio, project, [0.1, 0.2])
        ann, bob = people("ann"), people("bob")
        assert [p.next_task(project).task_id for p in (ann, bob, ann)] == [first, second, first]

    def test_a_task_goes_to_as_many_people_as_its_overlap(self, label_studio, project, people):
        (number,) = self.tasks(label_studio, project, [0.5])
        label_studio.set_overlap(number, 2)
        for name in ("ann", "bob"):
            person = people(name)
            assert person.next_task(project).task_id == number
            person.submit(number, answer("1"), lead_time=1.0, key=key())
        assert people("cis").next_task(project) is None
        (task,) = label_studio.tasks(project, [number])
        assert (task.overlap, task.finished, len(task.annotations)) == (2, True, 2)

    def test_a_reopened_task_goes_to_those_who_have_not_answered(self, label_studio, project, people):
        (number,) = self.tasks(label_studio, project, [0.5])
        ann, bob = people("ann"), people("bob")
        ann.submit(number, answer("1"), lead_time=1.0, key=key())
        label_studio.set_overlap(number, 2)
        assert bob.next_task(project) is None
        label_studio.reopen(number)
        assert ann.next_task(project) is None
        assert bob.next_task(project).task_id == number

    def test_a_finished_task_goes_to_nobody_and_keeps_its_answers(self, label_studio, project, people):
        (number,) = self.tasks(label_studio, project, [0.5])
        label_studio.set_overlap(number, 2)
        people("ann").submit(number, answer("1"), lead_time=1.0, key=key())
        label_studio.finish(number)
        assert people("bob").next_task(project) is None
        (task,) = label_studio.tasks(project, [number])
        assert (task.finished, task.answers) == (True, 1)

    def test_a_task_lowered_to_its_answers_goes_to_nobody_unfinished(self, label_studio, project, people):
        (number,) = self.tasks(label_studio, project, [0.5])
        label_studio.set_overlap(number, 2)
        people("ann").submit(number, answer("1"), lead_time=1.0, key=key())
        label_studio.set_overlap(number, 1)
        assert people("bob").next_task(project) is None
        (task,) = label_studio.tasks(project, [number])
        assert (task.finished, task.answers, task.overlap) == (False, 1, 1)

    def test_what_a_task_shows_can_be_replaced_and_the_rest_stays(self, label_studio, project, people):
        (number,) = self.tasks(label_studio, project, [0.5])
        people("ann").submit(number, answer("1"), lead_time=1.0, key=key())
        (before,) = label_studio.tasks(project, [number])
        label_studio.change_data(number, {"unit": before.unit_id, "image": "s3://media/moved.png"})
        (after,) = label_studio.tasks(project, [number])
        assert after.data == {"unit": before.unit_id, "image": "s3://media/moved.png"}
        assert (after.unit_id, after.annotations, after.finished) == (before.unit_id, before.annotations, True)
        assert (after.predictions, after.data["image"]) == (1, "s3://media/moved.png")

    def test_a_skipped_task_goes_to_somebody_else(self, label_studio, project, people):
        (number,) = self.tasks(label_studio, project, [0.5])
        ann, bob = people("ann"), people("bob")
        ann.skip(number)
        assert ann.next_task(project) is None
        assert bob.next_task(project).task_id == number
        (task,) = label_studio.tasks(project, [number])
        assert [(a.cancelled, a.result) for a in task.annotations] == [(True, ())]
        assert not task.finished

    def test_an_answer_is_taken_once_per_key(self, label_studio, project, people):
        (number,) = self.tasks(label_studio, project, [0.5])
        ann, once = people("ann"), key()
        assert ann.submit(number, answer("1"), lead_time=2.5, key=once) is not None
        assert ann.submit(number, answer("1"), lead_time=2.5, key=once) is None
        (task,) = label_studio.tasks(project, [number])
        (given,) = task.annotations
        assert (given.user_id, given.lead_time, given.cancelled) == (ann.user_id, 2.5, False)
        assert given.result[0]["value"] == {"choices": ["1"]}

    def test_changes_are_answers_edits_and_deletions_and_nothing_else(self, label_studio, project, people):
        answered, edited, emptied, untouched = self.tasks(label_studio, project, [0.1, 0.2, 0.3, 0.4])
        ann = people("ann")
        second = ann.submit(edited, answer("0"), lead_time=1.0, key=key())
        third = ann.submit(emptied, answer("0"), lead_time=1.0, key=key())
        everything = list(label_studio.changed_tasks(project, None))
        assert [t.task_id for t in everything] == [answered, edited, emptied, untouched]
        since = max(t.updated_at for t in everything) + timedelta(milliseconds=1)
        ann.submit(answered, answer("1"), lead_time=1.0, key=key())
        ann.edit(second, answer("1"))
        ann.withdraw(third)
        changed = {t.task_id: t for t in label_studio.changed_tasks(project, since)}
        assert list(changed) == [answered, edited, emptied]
        assert changed[edited].annotations[0].result[0]["value"] == {"choices": ["1"]}
        assert changed[emptied].annotations == ()
        assert not changed[emptied].finished

    def test_a_deleted_task_is_gone_and_deleting_it_again_is_fine(self, label_studio, project, people):
        first, second = self.tasks(label_studio, project, [0.1, 0.2])
        people("ann").submit(first, answer("1"), lead_time=1.0, key=key())
        label_studio.delete_task(first)
        label_studio.delete_task(first)
        assert label_studio.task_ids(project) == {second}
        assert label_studio.project(project)["total_predictions_number"] == 1

    def test_the_answers_of_deleted_accounts_stay_and_each_is_of_somebody_unknown(
        self, label_studio, project, people, delete_user
    ):
        first, second = self.tasks(label_studio, project, [0.1, 0.2])
        guest = people("guest")
        given = [guest.submit(number, answer("1"), lead_time=1.0, key=key()) for number in (first, second)]
        delete_user(guest.user_id)
        tasks = label_studio.changed_tasks(project, None)
        assert [a.user_id for t in tasks for a in t.annotations] == [-number for number in given]

    def test_people_are_found_by_email_whatever_its_case(self, label_studio, people, email_of):
        ann = people("ann")
        assert label_studio.user_ids([email_of("ann").upper(), "nobody@labelloop.test"]) == {ann.user_id}
        assert label_studio.user_ids([]) == frozenset()

    def test_a_person_comes_back_to_the_same_account(self, label_studio, people, email_of):
        assert label_studio.annotator(email_of("ann"), PASSWORD).user_id == people("ann").user_id
