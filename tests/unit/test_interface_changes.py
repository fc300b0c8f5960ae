"""From one labelling configuration to the next: names are mended in every shape of answer, losses are counted."""

from __future__ import annotations

import copy

import pytest

from labelloop.interface.changes import Losses, Renames, renames_of
from labelloop.interface.controls import controls_of
from labelloop.spec.interface import Interface
from labelloop.spec.question import Label, Question

NAMES = {"kitty": "cat"}


def item(kind: str, value: dict, name: str = "q") -> dict:
    return {"id": "r1", "from_name": name, "to_name": "image", "type": kind, "value": value}


def control(tag: str, items: str = "", name: str = "q", **attributes: str) -> str:
    more = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return (
        f'<View><Image name="image" value="$image"/><{tag} name="{name}" toName="image"{more}>{items}</{tag}></View>'
    )


def choices(*values: str, **attributes: str) -> str:
    return control("Choices", "".join(f'<Choice value="{value}"/>' for value in values), **attributes)


def lost(before: str, after: str, *results: list, renames: Renames | None = None) -> dict[str, int]:
    renames = renames or Renames()
    losses = Losses(before, after, renames)
    for result in results:
        losses.look_at(renames.apply(result))
    return dict(losses.counts)


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("choices", {"choices": ["kitty", "dog"]}, {"choices": ["cat", "dog"]}),
        (
            "rectanglelabels",
            {"x": 1, "y": 2, "width": 3, "height": 4, "rotation": 0, "rectanglelabels": ["kitty"]},
            {"x": 1, "y": 2, "width": 3, "height": 4, "rotation": 0, "rectanglelabels": ["cat"]},
        ),
        ("labels", {"start": 0, "end": 5, "text": "kitty", "labels": ["kitty"]}, None),
        ("taxonomy", {"taxonomy": [["animal", "kitty"], ["plant"]]}, {"taxonomy": [["animal", "cat"], ["plant"]]}),
        ("ranker", {"ranker": {"kitty": ["i1"], "_": ["kitty"]}}, {"ranker": {"cat": ["i1"], "_": ["kitty"]}}),
        ("choices", {"choices": ["kitty", "cat", "dog"]}, {"choices": ["cat", "dog"]}),
        ("taxonomy", {"taxonomy": [["kitty", "kitty"], ["cat", "cat"]]}, {"taxonomy": [["cat", "cat"]]}),
        ("ranker", {"ranker": {"kitty": ["i1"], "cat": ["i2"]}}, {"ranker": {"cat": ["i1", "i2"]}}),
        ("textarea", {"text": ["kitty"]}, {"text": ["kitty"]}),
        ("pairwise", {"selected": "left"}, {"selected": "left"}),
        ("rating", {"rating": 4}, {"rating": 4}),
    ],
)
def test_a_label_is_renamed_wherever_an_answer_names_it_and_nowhere_else(kind, before, after):
    given = item(kind, before)
    kept = copy.deepcopy(given)
    (told,) = Renames(labels={"q": NAMES}).apply([given])
    expected = after or {"start": 0, "end": 5, "text": "kitty", "labels": ["cat"]}
    assert (told["value"], told["id"], given) == (expected, "r1", kept)


def test_a_question_is_renamed_and_its_labels_go_by_the_new_name():
    renames = Renames({"q": "animal"}, {"animal": NAMES})
    (told,) = renames.apply([item("choices", {"choices": ["kitty"]})])
    assert (told["from_name"], told["value"]) == ("animal", {"choices": ["cat"]})
    assert renames.apply([told]) == [told]


def test_an_order_without_buckets_stands_under_the_new_name_of_its_question():
    renames = Renames({"q": "order"}, {"order": {"q": "bucket"}})
    (told,) = renames.apply([item("ranker", {"ranker": {"q": ["i1", "i2"]}})])
    assert (told["from_name"], told["value"]) == ("order", {"ranker": {"order": ["i1", "i2"]}})
    assert renames.apply([told]) == [told]


def test_labels_of_relations_are_renamed_and_missed_though_neither_has_a_name():
    links = Question(name="links", type="relation", prompt="?", labels=(Label(value="of", renamed_from="part"),))
    marks = Question(name="box", type="rectangle", prompt="?", labels=(Label(value="a"),))
    renames = renames_of(Interface(media="image", questions=(marks, links)))
    related = {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right", "labels": ["part"]}
    assert renames.apply([related, related | {"labels": ["of"]}]) == [related | {"labels": ["of"]}] * 2
    before, after = (f'<View><Relations><Relation value="{one}"/></Relations></View>' for one in ("part", "of"))
    assert lost(before, after, [related]) == {"label 'part' of the relations": 1}
    assert lost(before, after, [related], renames=renames) == {}
    assert lost(before, "<View/>", [related]) == {"the relations": 1}


@pytest.mark.parametrize("odd", ["text", None, {}, {"from_name": 3}, {"from_name": "p", "type": "choices"}])
def test_what_is_not_understood_stays_as_it_is(odd):
    assert Renames({"q": "animal"}, {"animal": NAMES}).apply([odd]) == [odd]


def test_renames_are_read_off_questions_and_all_their_labels():
    tree = Label(value="animal", children=(Label(value="cat", renamed_from="kitty"),))
    question = Question(name="kind", renamed_from="q", type="taxonomy", prompt="Which?", labels=(tree,))
    assert renames_of(Interface(questions=(question,))) == Renames({"q": "kind"}, {"kind": NAMES})


def test_the_confirmation_of_a_renamed_question_is_renamed_with_it():
    order = Question(name="order", renamed_from="rank", type="ranking", prompt="Sort")
    interface = Interface(layout="list", questions=(order,))
    assert renames_of(interface).controls == {"rank": "order", "rank_confirmed": "order_confirmed"}


@pytest.mark.parametrize(
    "labels",
    [
        ({"value": "cat", "renamed_from": "dog"}, {"value": "dog"}),
        ({"value": "cat", "renamed_from": "pet"}, {"value": "dog", "renamed_from": "pet"}),
    ],
)
def test_an_old_name_that_leads_to_two_labels_is_refused(labels):
    with pytest.raises(ValueError, match="renamed_from"):
        Question(name="q", prompt="?", labels=labels)


def test_labels_are_found_in_choices_regions_taxonomies_and_buckets():
    nested = '<Choice value="a"><Choice value="b"/></Choice>'
    assert controls_of(control("Taxonomy", nested))["q"].labels == {("a",), ("a", "b")}
    assert controls_of(control("RectangleLabels", '<Label value="car" alias="c"/>'))["q"].labels == {("c",)}
    assert controls_of(control("Ranker", '<Bucket name="best"/>'))["q"].labels == {("best",)}
    assert controls_of(control("Choices", value="$options"))["q"].labels is None


def test_nothing_is_lost_where_labels_come_and_unused_ones_go():
    answers = [item("choices", {"choices": ["a"]})]
    assert lost(choices("a", "b"), choices("a", "c"), answers) == {}


def test_each_answer_that_loses_something_is_counted_once_for_each_thing():
    both = [item("rectanglelabels", {"rectanglelabels": [label]}) for label in ("car", "car", "bus")]
    before = control("RectangleLabels", '<Label value="car"/><Label value="bus"/><Label value="bike"/>')
    after = control("RectangleLabels", '<Label value="bike"/>')
    expected = {"label 'car' of question 'q'": 2, "label 'bus' of question 'q'": 1}
    assert lost(before, after, both, both[:1]) == expected


def test_what_is_renamed_is_not_lost():
    renames = Renames({"q": "animal"}, {"animal": NAMES})
    answers = [item("choices", {"choices": ["kitty"]})]
    assert lost(choices("kitty", "dog"), choices("cat", "dog", name="animal"), answers, renames=renames) == {}
    assert lost(choices("kitty", "dog"), choices("dog", name="animal"), answers, renames=renames) == {
        "label 'cat' of question 'animal'": 1
    }


TREE = '<Choice value="%s"><Choice value="cat"/></Choice><Choice value="%s"/>'


@pytest.mark.parametrize(
    ("before", "after", "answer", "expected"),
    [
        (
            control("Taxonomy", TREE % ("animal", "pet")),
            control("Taxonomy", TREE % ("pet", "animal")),
            item("taxonomy", {"taxonomy": [["animal", "cat"]]}),
            "label 'animal / cat' of question 'q'",
        ),
        (
            control("Taxonomy", TREE % ("animal", "pet")),
            control("Taxonomy", TREE % ("animal", "pet"), maxUsages="1"),
            item("taxonomy", {"taxonomy": [["animal", "cat"], ["pet"]]}),
            "several choices for question 'q'",
        ),
        (
            control("Rating"),
            control("Rating", maxRating="3"),
            item("rating", {"rating": 4}),
            "values above 3 of question 'q'",
        ),
        (
            control("Number", max="many"),
            control("Number", min="0", max="9"),
            item("number", {"number": -1}),
            "values below 0 of question 'q'",
        ),
        (
            control("Ranker"),
            control("Ranker", '<Bucket name="best"/>'),
            item("ranker", {"ranker": {"q": ["i1"]}}),
            "question 'q' as <Ranker> about 'image'",
        ),
        (
            control("Rating", perRegion="true"),
            control("Rating"),
            item("rating", {"rating": 4}),
            "question 'q' as <Rating perRegion=\"true\"> about 'image'",
        ),
    ],
)
def test_whatever_else_an_answer_rests_on_is_missed(before, after, answer, expected):
    assert lost(before, after, [answer]) == {expected: 1}
    assert lost(before, before, [answer]) == lost(after, after, [answer]) == {}


def test_labels_that_become_one_are_told():
    renames = Renames({"q": "animal"}, {"animal": NAMES})
    after = choices("cat", "dog", name="animal")
    assert Losses(choices("kitty", "cat", "dog"), after, renames).merged() == [
        "of question 'animal' label 'kitty' becomes one with 'cat'"
    ]
    assert Losses(choices("kitty", "dog"), after, renames).merged() == Losses(after, after, renames).merged() == []


def test_labels_that_come_with_the_tasks_cannot_be_lost():
    answers = [item("choices", {"choices": ["a"]})]
    assert lost(choices("a", "b"), control("Choices", value="$options"), answers) == {}


def test_what_the_present_interface_does_not_know_is_not_lost_by_the_next():
    answers = [item("choices", {"choices": ["z"]}), item("choices", {"choices": ["a"]}, name="older")]
    assert lost(choices("a", "b"), choices("a"), answers) == {}
