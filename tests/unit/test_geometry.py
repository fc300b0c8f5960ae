"""Shapes against other implementations of them, the best matching of two answers, and objects of several."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import shapely
from PIL import Image
from scipy.optimize import linear_sum_assignment

from labelloop.errors import InputError
from labelloop.geometry.brush import covered_runs, opaque_runs
from labelloop.geometry.masks import masks_of, runs_where
from labelloop.geometry.matching import Links, best_links
from labelloop.geometry.objects import objects_of
from labelloop.geometry.outlines import ellipses, polygons, turned_rectangles
from labelloop.geometry.rectangles import Rectangles


def boxes(rng, n, size=20.0):
    return np.column_stack([rng.uniform(0, 80, (n, 2)), rng.uniform(1, size, (n, 2))])


def test_straight_and_turned_boxes_overlap_as_shapely_says_in_the_pixels_of_the_image():
    rng = np.random.default_rng(0)
    box, rotation = boxes(rng, 60, 40.0), rng.choice([0.0, 30.0, 90.0, -45.0], 60)
    wide, high = 1600.0, 900.0
    in_pixels = [
        shapely.affinity.rotate(
            shapely.box(x * wide / 100, y * high / 100, (x + w) * wide / 100, (y + h) * high / 100),
            angle,
            origin=(x * wide / 100, y * high / 100),
        )
        for (x, y, w, h), angle in zip(box, rotation, strict=True)
    ]
    one, other = (side.ravel() for side in np.meshgrid(np.arange(60), np.arange(60)))
    found = Rectangles(box, rotation, np.full(60, high / wide)).similarity(one, other)
    first, second = np.array(in_pixels)[one], np.array(in_pixels)[other]
    common = shapely.area(shapely.intersection(first, second))
    assert found == pytest.approx(common / shapely.area(shapely.union(first, second)), abs=1e-9)


def test_ellipses_and_polygons_have_the_areas_of_their_formulas():
    circle = ellipses(np.array([[50.0, 50, 20, 10]]), np.array([70.0]), np.array([0.5]))
    assert shapely.area(circle.geometry)[0] == pytest.approx(np.pi * 20 * 5, rel=0.002)
    bow_tie = polygons(np.array([[0.0, 0], [2, 2], [2, 0], [0, 2]]), np.zeros(4, dtype=int), 1, np.ones(1))
    assert shapely.area(bow_tie.geometry)[0] == pytest.approx(2.0)
    square = turned_rectangles(np.array([[0.0, 0, 2, 2]]), np.zeros(1), np.ones(1))
    assert shapely.area(shapely.intersection(square.geometry, bow_tie.geometry))[0] == pytest.approx(2.0)


@pytest.mark.slow
@pytest.mark.parametrize("coloured", [False, True])
def test_brush_strokes_are_read_as_label_studio_writes_them(coloured):
    from label_studio_sdk.converter import brush  # not above: it brings nltk, two seconds, to every worker

    rng = np.random.default_rng(1)
    covered = rng.random(700) < 0.4
    covered[100:400] = True
    image = np.repeat(covered[:, None] * 255, 4, axis=1).astype(np.uint8)
    if coloured:
        image[:, :3] = rng.integers(0, 255, (700, 3))
    start, end = covered_runs(brush.encode_rle(image.ravel()))
    found = np.zeros(700, dtype=bool)
    for a, b in zip(start, end, strict=True):
        found[a:b] = True
    assert (found == covered).all()
    assert (start[1:] > end[:-1]).all()


def test_masks_overlap_as_their_pixels_do():
    rng = np.random.default_rng(2)
    images = [rng.random(300) < share for share in (0.1, 0.5, 0.9, 0.5)] + [np.zeros(300, dtype=bool)]
    masks = masks_of([runs_where(image) for image in images])
    one, other = (side.ravel() for side in np.meshgrid(np.arange(5), np.arange(5)))
    expected = [
        (images[a] & images[b]).sum() / max((images[a] | images[b]).sum(), 1) if a != b or a < 4 else 1.0
        for a, b in zip(one, other, strict=True)
    ]
    assert masks.similarity(one, other) == pytest.approx(expected)


def test_a_bitmask_is_what_is_not_transparent_in_its_picture():
    pixels = np.zeros((4, 5, 4), dtype=np.uint8)
    pixels[1, 1:4] = 255
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    picture = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    assert [part.tolist() for part in opaque_runs(picture)] == [[6], [9]]
    for broken in ("data:image/png;base64,AAAA", "data:image/png;base64,%"):
        with pytest.raises(InputError, match="cannot be read"):
            opaque_runs(broken)


def test_matching_gives_up_the_best_link_for_the_best_whole():
    links = Links(*(np.array(c) for c in ([0, 0, 0], [0, 0, 1], [2, 3, 2], [0.9, 0.8, 0.8])))
    assert best_links(links, np.zeros(3, dtype=bool)).similarity.tolist() == [0.8, 0.8]


def test_nobody_shows_an_object_twice_and_a_chain_is_cut_at_its_weakest_link():
    # a - b - c - a': joining all would give the first annotator two shapes of one object.
    links = Links(*(np.array(c) for c in ([0, 1, 2], [0, 1, 2], [1, 2, 3], [0.9, 0.6, 0.8])))
    assert objects_of(links, np.array([0, 1, 2, 0])).tolist() == [0, 0, 1, 1]
    free = objects_of(links, np.array([0, 1, 2, 3]))
    assert free.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("ties", [False, True])
def test_matching_is_the_best_assignment_however_links_tie_or_lie(ties):
    rng = np.random.default_rng(3)
    for _ in range(300):
        worth = rng.random(rng.integers(1, 8, 2)) * (rng.random() < 0.9)
        worth = np.round(worth * 4) / 4 if ties else worth
        order = rng.permutation(worth.size)
        one, other = (side.ravel()[order] for side in np.indices(worth.shape))
        links = Links(np.zeros(worth.size, dtype=int), one, other, worth.ravel()[order])
        found = best_links(links, np.zeros(worth.size, dtype=bool))
        assert found.similarity.sum() == pytest.approx(worth[linear_sum_assignment(worth, maximize=True)].sum())
        assert len(set(found.one)) == len(set(found.other)) == len(found.one)
