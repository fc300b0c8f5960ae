"""The scanner of the erasure proof finds a word in every packing, or its zero would mean nothing."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.scanner import words_in

WORD = "digits/ünïque-subject/a.png"
RAW = WORD.encode()


def parquet(data):
    sink = io.BytesIO()
    pq.write_table(pa.table({"key": [*(f"filler-{i}" for i in range(500)), data]}), sink, compression="zstd")
    return sink.getvalue()


def zipped(data):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", data)
    return sink.getvalue()


PACKINGS = {
    "raw": RAW,
    "gzip": gzip.compress(RAW),
    "zip": zipped(RAW),
    "json escapes": json.dumps({"a": WORD}).encode(),
    "base64": b"token " + base64.b64encode(RAW),
    "url-safe base64": base64.urlsafe_b64encode(RAW).rstrip(b"="),
    "percent": quote(WORD).encode(),
    "parquet": parquet(WORD),
    "base64 in parquet": parquet(base64.b64encode(RAW).decode()),
    "json in gzip": gzip.compress(json.dumps([WORD]).encode()),
}


@pytest.mark.parametrize("packed", PACKINGS.values(), ids=PACKINGS)
def test_a_word_is_found_in_every_packing(packed):
    assert words_in(packed, [WORD]) == {WORD}


@pytest.mark.parametrize("packed", PACKINGS.values(), ids=PACKINGS)
def test_a_word_that_is_not_there_is_not_found(packed):
    assert words_in(packed, ["digits/other/a.png"]) == set()
