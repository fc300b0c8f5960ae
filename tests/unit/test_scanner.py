"""The scanner of the erasure proof finds a word in every packing, or its zero would mean nothing."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import os
import sqlite3
import zipfile
from contextlib import closing
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from tests.scanner import raw_words_in, scan_folder, words_in

WORD = "digits/ünïque-subject/a.png"
RAW = WORD.encode()
# On both sides of the word, so that it is neither the smallest nor the largest, which statistics would show.
FILLER = [f"{side}-filler-{i}" for side in "az" for i in range(250)]


def parquet(data, **options):
    sink = io.BytesIO()
    pq.write_table(pa.table({"key": [*FILLER, data]}), sink, compression="zstd", **options)
    return sink.getvalue()


def dictionary_alone():
    """A value no row has any more, kept by the dictionary page."""
    sink = io.BytesIO()
    kept = pa.DictionaryArray.from_arrays(pa.array([0, 1] * 50), pa.array([*FILLER, WORD]))
    pq.write_table(pa.table({"key": kept}), sink, compression="zstd", write_statistics=False, store_schema=False)
    return sink.getvalue()


def zipped(data):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", data)
    return sink.getvalue()


def database(value):
    with closing(sqlite3.connect(":memory:")) as made:
        made.execute("CREATE TABLE t (v)")
        made.executemany("INSERT INTO t VALUES (?)", [(value,)])
        made.commit()
        return made.serialize()


PACKINGS = {
    "raw": RAW,
    "gzip": gzip.compress(RAW),
    "zip": zipped(RAW),
    "json escapes": json.dumps({"a": WORD}).encode(),
    "json in json": json.dumps({"stats": json.dumps({"minValues": {"key": WORD}})}).encode(),
    "json line in a log": b"12:00 nothing\n" + json.dumps({WORD: 1}).encode() + b"\n",
    "base64": b"token " + base64.b64encode(RAW),
    "url-safe base64": base64.urlsafe_b64encode(RAW).rstrip(b"="),
    "base64 behind a path": b"GET /api/data/x/" + base64.urlsafe_b64encode(RAW),
    "percent": quote(WORD).encode(),
    "percent within base64": base64.b64encode(quote(WORD).encode()),
    "html": html.escape(WORD).replace("/", "&#x2F;").encode(),
    "parquet": parquet(WORD),
    "parquet dictionary": dictionary_alone(),
    "base64 in parquet": parquet(base64.b64encode(RAW).decode()),
    "json in gzip": gzip.compress(json.dumps([WORD]).encode()),
    "gzip within a volume": os.urandom(64) + gzip.compress(RAW) + os.urandom(64),
    "parquet within a volume": os.urandom(64) + parquet(WORD) + os.urandom(64),
    "sqlite": database(WORD),
    "gzip in sqlite": database(gzip.compress(RAW)),
}


@pytest.mark.parametrize("packed", PACKINGS.values(), ids=PACKINGS)
def test_a_word_is_found_in_every_packing(packed):
    assert words_in(packed, [WORD]) == {WORD}


@pytest.mark.parametrize("packed", PACKINGS.values(), ids=PACKINGS)
def test_a_word_that_is_not_there_is_not_found(packed):
    assert words_in(packed, ["digits/other/a.png"]) == set()


def test_a_scan_of_raw_bytes_alone_misses_most_packings():
    seen = {name for name, packed in PACKINGS.items() if raw_words_in(packed, [WORD])}
    assert seen == {"raw", "sqlite"}


@pytest.fixture
def in_use(tmp_path):
    """A database in log mode, open as a server has it open, that never tidies up by itself."""
    with closing(sqlite3.connect(tmp_path / "server.sqlite3")) as open_database:
        for pragma in ("journal_mode = wal", "wal_autocheckpoint = 0", "secure_delete = off"):
            open_database.execute(f"PRAGMA {pragma}")
        open_database.execute("CREATE TABLE tasks (data)")
        open_database.commit()
        yield open_database


def test_a_row_in_the_write_ahead_log_alone_is_found(tmp_path, in_use):
    in_use.execute("INSERT INTO tasks VALUES (?)", [gzip.compress(RAW)])
    in_use.commit()
    assert scan_folder(tmp_path, [WORD])[WORD] > 0
    assert WORD.encode() not in (tmp_path / "server.sqlite3").read_bytes()


def test_a_deleted_row_is_found_in_free_pages_until_they_are_vacuumed(tmp_path, in_use):
    # Longer than a page: the middle of it lies on overflow pages, broken by the pointers between them.
    in_use.execute("INSERT INTO tasks VALUES (?)", [(WORD + " ") * 1000])
    in_use.execute("DELETE FROM tasks")
    in_use.commit()
    in_use.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert scan_folder(tmp_path, [WORD])[WORD] > 0
    in_use.execute("VACUUM")
    in_use.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert scan_folder(tmp_path, [WORD])[WORD] == 0


@pytest.mark.parametrize("place", ["log", "checkpoint", "data"])
def test_a_word_is_found_in_every_file_of_a_delta_table(tmp_path, place):
    """Statistics are off in our tables; here they are on, since the scanner must see what a mistake would leave."""
    write_deltalake(tmp_path, pa.table({"key": [WORD, "other"]}))
    table = DeltaTable(tmp_path)
    table.create_checkpoint()
    table.delete(f"key = '{WORD}'")
    kept = {"log": "_delta_log/*.json", "checkpoint": "_delta_log/*.checkpoint.parquet", "data": "part-*.parquet"}
    for file in set(tmp_path.rglob("*")) - set(tmp_path.glob(kept[place])):
        if file.is_file():
            file.unlink()
    assert scan_folder(tmp_path, [WORD])[WORD] == {"log": 2, "checkpoint": 1, "data": 1}[place]


def test_names_of_files_are_looked_at_too(tmp_path):
    (tmp_path / "anna.txt").touch()
    assert scan_folder(tmp_path, ["anna"]) == {"anna": 1}
