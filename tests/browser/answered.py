"""For each template what somebody does on the page that shows its sample, and by control what is to arrive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.browser.labelling_page import LabellingPage
from tests.builders.rows import hex_id

WAVE, PLOT, FILM = ".lsf-audio-tag canvas", ".overlay", ".lsf-video-canvas__view canvas"
FIRST, SECOND, THIRD = map(hex_id, range(3))  # items of a list


class Answered(NamedTuple):
    """What somebody does on the page, and by control what arrives."""

    act: Callable[[LabellingPage], None]
    arrives: dict[str, Any]


def text_classification(page: LabellingPage) -> None:
    page.choose("negative")


def text_multi_label(page: LabellingPage) -> None:
    page.look_up("billing: invoices, refunds, prices")
    page.choose("billing", "account")


def image_classification(page: LabellingPage) -> None:
    page.choose("dog", "poor")


def pairwise(page: LabellingPage) -> None:
    page.shows_lines("Why is it salty?", "  In short.")
    page.click_text("It is not salty.")
    page.choose("slightly", "one is better")
    page.type("rationale", "It is <b>short</b> & wrong.")


def triage(page: LabellingPage) -> None:
    page.shows("Item 1 · score 0.90 · model-1")
    page.drag_into("act now", THIRD)
    page.drag_into("no action", SECOND)
    page.drag_into("act now", FIRST)
    page.type("rationale", "smoke")
    page.choose("everything is sorted")


def taxonomy(page: LabellingPage) -> None:
    page.pick("Clothing", "Shoes")


def rating(page: LabellingPage) -> None:
    page.rate(4)
    page.type("reason", "light")


def chat_rating(page: LabellingPage) -> None:
    page.shows_lines("Yes:", "  rivers bring salt.")
    page.rate(2)
    page.choose("untrue", "off the point")


def audio_classification(page: LabellingPage) -> None:
    page.choose("music")


def image_comparison(page: LabellingPage) -> None:
    page.click_picture(1)
    page.choose("one is better")


def near_duplicates(page: LabellingPage) -> None:
    page.drag_into("the same", FIRST)
    page.drag_into("the same", SECOND)
    page.drag_into("another", THIRD)
    page.choose("everything is sorted")


def outlier_review(page: LabellingPage) -> None:
    page.drag_into("damaged", SECOND)
    page.choose("what is left fits nowhere")


def rag_relevance(page: LabellingPage) -> None:
    page.shows_lines("Seas are salt:", "  rivers bring it.")
    page.drag_into("answers it", "seas")
    page.drag_into("irrelevant", "rain")
    page.choose("wholly", "everything is sorted")


def keypoints(page: LabellingPage) -> None:
    page.point("left eye", (0.25, 0.5))
    page.point("nose", (0.5, 0.75))
    page.choose("everything is marked")


def ocr(page: LabellingPage) -> None:
    page.draw("printed", (0.2, 0.3), (0.6, 0.7))
    page.click_picture(0, (0.4, 0.5))
    page.type("transcription", "No. 7")
    page.choose("everything is marked")


def boxes_polygons(page: LabellingPage) -> None:
    page.draw("car", (0.2, 0.3), (0.6, 0.7))
    page.click_picture(0, (0.4, 0.5))
    page.choose("a part")
    page.let_go()
    page.outline("road", (0.7, 0.2), (0.9, 0.2), (0.9, 0.8))
    page.choose("everything is marked")


def named_entities(page: LabellingPage) -> None:
    page.mark_word("person", "Alice")
    page.mark_word("organisation", "Acme")
    page.relate("Alice", "Acme")
    page.choose("everything is marked")


def audio_segments(page: LabellingPage) -> None:
    page.mark_stretch("second speaker", WAVE, (0.2, 0.7), (0.5, 0.7))
    page.click_stretch(WAVE, (0.3, 0.7))
    page.type("transcription", "beep")
    page.choose("everything is marked")


def time_series(page: LabellingPage) -> None:
    page.mark_stretch("climbing", PLOT, (0.25, 0.5), (0.75, 0.5))
    page.choose("everything is marked")


def video_boxes(page: LabellingPage) -> None:
    page.mark_stretch("bicycle", FILM, (0.25, 0.4), (0.5, 0.6))
    page.choose("everything is marked")


def ranked(**buckets: list[str]) -> list[dict[str, Any]]:
    return [
        {"item": item, "rank": rank, "bucket": bucket.replace("_", " ").strip() or "_"}
        for bucket, items in sorted(buckets.items())
        for rank, item in enumerate(items)
    ]


def mark(number: int, label: str, points: list[float] | None = None, **said: Any) -> dict[str, Any]:
    """The mark that was made as this one, on the place to a percent of the object."""
    place = {} if points is None else {"points": pytest.approx(points, abs=1)}
    return {"region_id": number, "labels": [label], **place, **said}


MARKED = ["everything is marked"]
FIRST_FRAME = {
    "frame": 1,
    "points": pytest.approx([21.5, 40, 28.5, 20], abs=1),
    "rotation": 0,
    "enabled": True,
}
SORTED = ["everything is sorted"]
BOX = [20.0, 30.0, 40.0, 40.0]  # x, y, width and height in percent
ANSWERED = {
    "audio-classification": Answered(audio_classification, {"sound": ["music"]}),
    "audio-segments": Answered(
        audio_segments,
        {
            "turns": [mark(0, "second speaker", start=pytest.approx(0.6, abs=0.1), end=pytest.approx(1.5, abs=0.1))],
            "transcription": [{"region_id": 0, "text": "beep"}],
            "turns_confirmed": MARKED,
        },
    ),
    "boxes-polygons": Answered(
        boxes_polygons,
        {
            "surfaces": [mark(0, "road", [70, 20, 90, 20, 90, 80])],
            "vehicles": [mark(1, "car", BOX, rotation=0)],
            "hidden": [{"region_id": 1, "choices": ["a part"]}],
            "vehicles_confirmed": MARKED,
        },
    ),
    "chat-rating": Answered(chat_rating, {"helpful": 2, "faults": ["untrue", "off the point"]}),
    "image-classification": Answered(image_classification, {"content": ["dog"], "quality": ["poor"]}),
    "image-comparison": Answered(image_comparison, {"sharper": ["right"], "sharper_confirmed": ["one is better"]}),
    "keypoints": Answered(
        keypoints,
        {
            "landmarks": [mark(0, "left eye", [25, 50, 0.3]), mark(1, "nose", [50, 75, 0.3])],
            "landmarks_confirmed": MARKED,
        },
    ),
    "named-entities": Answered(
        named_entities,
        {
            "entities": [mark(0, "person", start=0, end=5), mark(1, "organisation", start=16, end=20)],
            "links": [{"from_id": 0, "to_id": 1, "direction": "right", "labels": []}],
            "entities_confirmed": MARKED,
        },
    ),
    "near-duplicates": Answered(
        near_duplicates, {"alike": ranked(the_same=[FIRST, SECOND], another=[THIRD]), "alike_confirmed": SORTED}
    ),
    "ocr": Answered(
        ocr,
        {
            "lines": [mark(0, "printed", BOX, rotation=0)],
            "transcription": [{"region_id": 0, "text": "No. 7"}],
            "lines_confirmed": MARKED,
        },
    ),
    "outlier-review": Answered(
        outlier_review,
        {"verdict": ranked(_=[FIRST, THIRD], damaged=[SECOND]), "verdict_confirmed": ["what is left fits nowhere"]},
    ),
    "pairwise": Answered(
        pairwise,
        {
            "preference": ["right"],
            "strength": ["slightly"],
            "rationale": "It is <b>short</b> & wrong.",
            "preference_confirmed": ["one is better"],
        },
    ),
    "rag-relevance": Answered(
        rag_relevance,
        {
            "relevance": ranked(answers_it=["seas"], irrelevant=["rain"]),
            "answerable": ["wholly"],
            "relevance_confirmed": SORTED,
        },
    ),
    "rating": Answered(rating, {"appeal": 4, "reason": "light"}),
    "taxonomy": Answered(taxonomy, {"category": [["Clothing", "Shoes"]]}),
    "text-classification": Answered(text_classification, {"sentiment": ["negative"]}),
    "text-multi-label": Answered(text_multi_label, {"topics": ["billing", "account"]}),
    "time-series": Answered(
        time_series,
        {
            "activity": [mark(0, "climbing", start=pytest.approx(6, abs=1), end=pytest.approx(19, abs=1))],
            "activity_confirmed": MARKED,
        },
    ),
    "triage": Answered(
        triage,
        {
            "urgency": ranked(act_now=[THIRD, FIRST], no_action=[SECOND]),
            "rationale": "smoke",
            "urgency_confirmed": SORTED,
        },
    ),
    "video-boxes": Answered(
        video_boxes,
        {
            "things": [mark(0, "bicycle", frames=[FIRST_FRAME])],
            "things_confirmed": MARKED,
        },
    ),
}
