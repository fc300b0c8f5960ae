"""Features: the same bytes give the same vector, and what is no media gets a named reason."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from labelloop.errors import InputError
from labelloop.features import extract, features_version, features_width, image_features, text_features
from labelloop.spec.model import Features

SMALL = Features(width=2, height=2)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_shrinking_an_image_that_was_enlarged_gives_its_pixels_back():
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    large = Image.fromarray(np.kron(pixels, np.ones((16, 16), np.uint8)))
    vector = image_features(encoded(large), Features(width=8, height=8))
    assert vector.dtype == np.float32
    assert vector == pytest.approx(pixels.reshape(-1) / 255)


def test_transparent_pixels_are_white():
    image = Image.new("RGBA", (2, 2), (0, 0, 0, 0))
    assert image_features(encoded(image), SMALL) == pytest.approx([1, 1, 1, 1])


def test_a_photograph_is_turned_upright():
    image = Image.fromarray(np.array([[0, 255], [0, 255]], np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by a quarter, clockwise
    turned = image_features(encoded(image, exif=exif), SMALL)
    assert turned == pytest.approx([0, 0, 1, 1])


def test_colour_keeps_three_numbers_for_each_pixel():
    spec = Features(width=1, height=1, mode="RGB")
    assert image_features(encoded(Image.new("RGB", (3, 3), (255, 0, 51))), spec) == pytest.approx([1, 0, 0.2])


@pytest.mark.parametrize("kind", ["image", "text"])
def test_the_width_that_is_announced_is_the_width_that_comes(kind):
    data = encoded(Image.new("L", (5, 5))) if kind == "image" else b"some words"
    assert len(extract(kind, data, SMALL)) == features_width(kind, SMALL)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"%PDF-1.7 no image at all", "no image"),
        (encoded(Image.effect_noise((64, 64), 50))[:-900], "damaged"),
        (b"GIF89a", "no image|damaged"),
    ],
)
def test_bytes_that_are_no_image_get_a_reason(data, reason):
    with pytest.raises(InputError, match=reason):
        image_features(data, SMALL)


def test_an_image_of_too_many_pixels_is_refused_before_it_is_unpacked(monkeypatch):
    monkeypatch.setattr("labelloop.features.MAXIMUM_PIXELS", 99)
    with pytest.raises(InputError, match="too many pixels"):
        image_features(encoded(Image.new("L", (10, 10))), SMALL)


def test_a_text_vector_depends_on_the_words_only():
    assert text_features("Straße 1".encode()) == pytest.approx(text_features("\ufeffstraße  1\n".encode()))
    assert not np.array_equal(text_features(b"cat"), text_features(b"dog"))


@pytest.mark.parametrize(("data", "reason"), [(b"", "empty"), (b"\xff\xfe\x00", "UTF-8")])
def test_bytes_that_are_no_text_get_a_reason(data, reason):
    with pytest.raises(InputError, match=reason):
        text_features(data)


def test_the_version_changes_with_the_declaration():
    versions = {features_version("image", f) for f in (SMALL, Features(width=2, height=3), Features(mode="RGB"))}
    assert len(versions) == 3
    assert features_version("image", SMALL) == features_version("image", Features(width=2, height=2))
