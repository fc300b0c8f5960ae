"""Media types: the ending, the first bytes, and which of the two is believed."""

from __future__ import annotations

import pytest

from labelloop.media_type import HEAD_BYTES, could_be, settled_type, type_by_ending

HEADS = {
    "image": ("a.png", b"\x89PNG\r\n\x1a\n", "image/png"),
    "text": ("a.txt", b"good morning", "text/plain"),
    "audio": ("a.wav", b"RIFF\x24\0\0\0WAVEfmt ", "audio/x-wav"),
    "video": ("a.mp4", b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(8), "video/mp4"),
    "pdf": ("a.pdf", b"%PDF-1.7\n", "application/pdf"),
}
KINDS = sorted(HEADS)


@pytest.mark.parametrize("wanted", KINDS)
@pytest.mark.parametrize("given", KINDS)
def test_an_object_is_media_of_its_own_kind_only(wanted, given):
    name, head, settled = HEADS[given]
    promised = type_by_ending(name)
    assert could_be(wanted, promised) == (wanted == given)
    assert settled_type(wanted, promised, head) == (settled if wanted == given else None)


@pytest.mark.parametrize("kind", KINDS)
def test_the_content_alone_settles_what_has_no_ending(kind):
    _, head, settled = HEADS[kind]
    assert could_be(kind, None)
    assert settled_type(kind, None, head) == settled


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "text"])
def test_an_ending_is_not_believed_against_the_content(kind):
    name, _, _ = HEADS[kind]
    assert settled_type(kind, type_by_ending(name), b"good morning") is None


def test_sound_and_pictures_in_one_container_are_told_by_the_ending():
    ogg, mp4 = b"OggS\0\2" + bytes(30), HEADS["video"][1]
    assert settled_type("video", type_by_ending("a.ogv"), ogg) == "video/ogg"
    assert settled_type("audio", type_by_ending("a.oga"), ogg) == "audio/ogg"
    assert settled_type("audio", type_by_ending("a.m4a"), mp4) == "audio/mp4"
    assert settled_type("audio", type_by_ending("a.mp3"), b"\x89PNG\r\n\x1a\n") is None


def test_only_types_that_count_are_let_in():
    png = HEADS["image"][1]
    assert could_be("image", "image/webp", ["image/png", "image/w*"])
    assert not could_be("image", "image/gif", ["image/png"])
    assert settled_type("image", None, png, ["image/png"]) == "image/png"
    assert settled_type("image", None, png, ["image/jpeg"]) is None


def test_a_drawing_in_xml_is_no_image():
    assert not could_be("image", type_by_ending("a.svg"))


def test_text_cut_in_the_middle_of_a_letter_is_text():
    head = ("a" + "ü" * HEAD_BYTES).encode()[:HEAD_BYTES]
    assert settled_type("text", None, head) == "text/plain"
    assert settled_type("text", None, b"\xff\xfe\0a") is None
