"""What Label Studio leaves in files is found by whole names, in each form it writes them, and goes."""

from __future__ import annotations

import gzip

import pytest

from tasks.clients.label_studio_disk import LabelStudioDisk, LabelStudioLog
from tests.builders.label_studio_files import asked_for

NAMES = {"s3://media/anna/1.png", "s3://media/anna/1"}


@pytest.fixture
def log(tmp_path):
    return LabelStudioLog(tmp_path / "label-studio.log")


@pytest.fixture
def current(tmp_path):
    return tmp_path / "label-studio.log"


def test_uploads_and_exports_that_name_an_object_are_found_and_deleted(tmp_path):
    disk, folder = LabelStudioDisk(tmp_path), tmp_path / "export"
    folder.mkdir()
    mine, other, empty = (folder / name for name in ("mine.json", "other.json", "empty.json"))
    mine.write_text('[{"data": {"image": "s3:\\/\\/media\\/anna\\/1.png"}}]')
    other.write_text('[{"data": {"image": "s3://media/anna/1.png.old"}}, {"data": {"image": "s3://media/anna/12"}}]')
    empty.touch()
    assert disk.files(NAMES) == [mine]
    disk.delete_files(disk.files(NAMES))
    assert sorted(folder.iterdir()) == [empty, other]


def test_a_line_of_the_log_that_names_an_object_is_blanked_where_it_stands(log, current):
    lines = [asked_for("s3://media/bert/1.png"), asked_for("s3://media/anna/1.png"), asked_for("s3://media/anna/12")]
    current.write_text("".join(lines))
    assert log.files(NAMES) == [current]
    log.blank(log.files(NAMES), NAMES)
    assert current.read_text().splitlines(keepends=True) == [lines[0], "-" * (len(lines[1]) - 1) + "\n", lines[2]]
    assert log.files(NAMES) == []


@pytest.mark.parametrize("length", range(1, 7))
def test_a_base64_name_is_found_whatever_its_padding_and_longer_names_are_not_it(log, current, length):
    name = f"s3://media/{'k' * length}"
    for written, found in ((name, [current]), (f"{name}k", []), (f"{name}kkk", [])):
        current.write_text(asked_for(written))
        assert log.files({name}) == found, written
    current.write_text(asked_for(name).replace("=", "%3D").replace("fileuri%3D", "fileuri="))
    assert log.files({name}) == [current]


def test_what_the_server_writes_while_its_log_is_blanked_is_kept(log, current):
    with current.open("a") as server:
        server.write(asked_for("s3://media/anna/1"))
        server.flush()
        log.blank(log.files(NAMES), NAMES)
        server.write("later\n")
    assert current.read_text().splitlines()[1] == "later"


def test_older_parts_of_the_log_are_looked_through_and_packed_ones_go_as_a_whole(log, current):
    current.write_text("")
    older, packed, clean = (current.with_name(f"{current.name}.{part}") for part in ("1", "2.gz", "3.gz"))
    older.write_text(asked_for("s3://media/anna/1", status=200))
    packed.write_bytes(gzip.compress(asked_for("s3://media/anna/1.png").encode()))
    clean.write_bytes(gzip.compress(asked_for("s3://media/bert/1.png").encode()))
    assert log.files(NAMES) == [older, packed]
    log.blank(log.files(NAMES), NAMES)
    assert (set(older.read_text().strip()), packed.exists(), clean.exists()) == ({"-"}, False, True)
    assert log.files(NAMES) == []
