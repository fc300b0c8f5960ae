"""Agreement of tracks in a video: interpolation as Label Studio does it, key frames, and who follows whom."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from labelloop.agreement.region_figures import region_figures
from labelloop.agreement.regions import read_regions
from labelloop.agreement.tracks import track_figures
from labelloop.errors import InputError

BOX = (10.0, 10.0, 4.0, 4.0)


def track(*keys, label="car"):
    frames = [
        {"frame": frame, "points": list(box), "rotation": 0.0, "enabled": enabled} for frame, box, enabled in keys
    ]
    return {"labels": [label], "frames": frames}


def still(left, first=1, last=9):
    box = (left, 10.0, 4.0, 4.0)
    return track((first, box, True), (last, box, False))


def moving(left, right, first=1, last=9):
    return track((first, (left, 10.0, 4.0, 4.0), True), (last, (right, 10.0, 4.0, 4.0), False))


def answers(*rows):
    return pd.DataFrame(rows, columns=["unit", "annotator", "regions"])


def of_all(*rows):
    return {figure.metric: figure for figure in track_figures(answers(*rows), n_min=1)}


def test_a_track_moves_evenly_hides_after_a_disabled_key_frame_and_stays_at_its_last_place():
    far = (30.0, 10.0, 4.0, 8.0)
    keys = track((5, BOX, True), (15, far, False), (20, BOX, True))
    tracks = read_regions(answers((1, "a", [keys])), "track").shapes
    found = tracks.at(0, np.array([4, 5, 10, 15, 16, 20, 500]))
    assert found.visible.tolist() == [False, True, True, True, False, True, True]
    assert found.box[2].tolist() == [20.0, 10.0, 4.0, 6.0]
    assert found.box[6].tolist() == list(BOX)


def test_equal_tracks_agree_wholly_however_their_key_frames_lie():
    more_keys = track((1, (0.0, 10, 4, 4), True), (5, (10.0, 10, 4, 4), True), (9, (20.0, 10, 4, 4), False))
    found = of_all((1, "a", [moving(0.0, 20.0)]), (1, "b", [more_keys]))
    assert [figure.value for figure in found.values()] == pytest.approx([1.0, 1.0, 1.0])


def test_two_empty_answers_agree_and_one_empty_answer_follows_nobody():
    empty = of_all((1, "a", []), (1, "b", []))
    assert [empty[name].value for name in ("key_frame_iou", "idf1")] == [1.0, 1.0]
    assert empty["identity_consistency"].reason is not None
    one = of_all((1, "a", []), (1, "b", [still(0.0)]))
    assert [one[name].value for name in ("key_frame_iou", "idf1")] == [0.0, 0.0]


def test_swapped_identities_cost_nothing_at_the_key_frames_but_half_of_the_following():
    box_of = {"left": (0.0, 10.0, 4.0, 4.0), "right": (50.0, 10.0, 4.0, 4.0)}
    true = [track((1, box_of[side], True), (2, box_of[side], True)) for side in ("left", "right")]
    swapped = [
        track((1, box_of[one], True), (2, box_of[other], True))
        for one, other in (("left", "right"), ("right", "left"))
    ]
    found = of_all((1, "a", true), (1, "b", swapped))
    assert found["key_frame_iou"].value == 1.0
    assert found["idf1"].value == pytest.approx(0.5)
    assert found["identity_consistency"].value == pytest.approx(0.5)


def test_figures_by_hand():
    # The other begins at frame 5: of the key frames 1, 5 and 9 they share two, in the same place.
    found = of_all((1, "a", [still(0.0)]), (1, "b", [still(0.0, first=5)]))
    assert found["idf1"].value == found["key_frame_iou"].value == pytest.approx(2 * 2 / 5)
    assert found["identity_consistency"].value == 1.0


def test_whole_tracks_are_compared_like_other_regions():
    rows = [(1, "a", [still(0.0), still(50.0)]), (1, "b", [still(0.0)])]
    figures = region_figures(answers(*rows), "track", ["mean_iou", "f1", "missed_objects"], n_min=1)
    assert [figure.value for figure in figures] == pytest.approx([2 / 3, 2 / 3, 1 / 2])


def test_more_videos_give_an_interval():
    rng = np.random.default_rng(0)
    shifts = rng.uniform(0, 3, 30)
    rows = [(unit, who, [still(10.0 + shift * (who == "b"))]) for unit, shift in enumerate(shifts) for who in "ab"]
    figure = of_all(*rows)["key_frame_iou"]
    assert figure.low < figure.value < figure.high
    assert figure.value == pytest.approx(np.mean((4 - shifts) / (4 + shifts)))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ([(1, BOX, True), (1, BOX, True)], "repeat a frame"),
        ([(1, (0.0, 0.0, np.nan, 4.0), True)], "no finite numbers"),
        ([(1, (0.0, 0.0, 4.0), True)], "have not 4 coordinates"),
    ],
)
def test_key_frames_that_cannot_be_placed_are_refused(keys, message):
    with pytest.raises(InputError, match=message):
        read_regions(answers((1, "a", [track(*keys)])), "track")


def test_what_is_no_metric_of_tracks_is_refused():
    with pytest.raises(InputError, match="does not compare tracks"):
        track_figures(answers((1, "a", [])), ["mota"])
