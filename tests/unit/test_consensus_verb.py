"""`labelloop consensus` with every method: what it writes, what it refuses."""

from __future__ import annotations

import json

import pandas as pd
import pyarrow.parquet as pq
import pytest

from deployments.cli.statistics_verbs import consensus
from labelloop.consensus import METHODS, METHODS_OF_ITEMS
from labelloop.errors import InputError

COLUMNS = ["unit", "label", "confidence", "n", "probabilities"]
RATINGS = "unit,annotator,value\n1,a,1\n1,b,1\n1,c,2\n2,a,2\n2,b,2\n2,c,1\n"
PAIRS = "unit,annotator,left,right,value\n1,a,x,y,left\n1,b,x,y,x\n2,a,y,z,left\n"
LISTS = 'unit,annotator,value\n1,a,"[""x"", ""y""]"\n2,b,"[""y"", ""z""]"\n'


@pytest.fixture
def given(tmp_path):
    def write(text, name="ratings.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


@pytest.mark.parametrize("method", [*METHODS, *METHODS_OF_ITEMS])
def test_every_method_writes_the_columns_that_scripts_rely_on(method, given, tmp_path, capsys):
    text = {"bradley-terry": PAIRS, "plackett-luce": LISTS}.get(method, RATINGS)
    rulings = given("unit,value\n1,1\n", "rulings.csv") if method == "gold-weighted" else None
    consensus(given(text), method=method, out=tmp_path / "labels.parquet", rulings=rulings, json=True)
    written = pq.read_table(tmp_path / "labels.parquet")
    assert written.column_names[:5] == COLUMNS
    classes = json.loads((written.schema.metadata or {}).get(b"classes", b"null")) or written["classes"][0].as_py()
    assert len(classes) == len(written["probabilities"][0])
    assert json.loads(capsys.readouterr().out)["units"] == written.num_rows == 2


@pytest.mark.parametrize(("method", "text"), [("bradley-terry", PAIRS), ("plackett-luce", LISTS)])
def test_the_items_are_written_strongest_first(method, text, given, tmp_path):
    consensus(given(text), method=method, out=tmp_path / "labels.parquet", items=tmp_path / "items.parquet")
    items = pq.read_table(tmp_path / "items.parquet")
    assert items["item"].to_pylist() == ["x", "y", "z"]
    assert items["rank"].to_pylist() == [1, 2, 3]


def test_a_ruling_wins_over_the_votes(given, tmp_path):
    rulings = given("unit,value\n1,2\n3,1\n", "rulings.csv")
    consensus(given(RATINGS), method="majority", out=tmp_path / "labels.parquet", rulings=rulings)
    assert pd.read_parquet(tmp_path / "labels.parquet")["label"].tolist() == [2, 2, 1]


def test_words_have_a_median_in_the_order_given(given, tmp_path):
    words = given("unit,annotator,value\n1,a,good\n1,b,bad\n1,c,fair\n")
    consensus(words, method="median", out=tmp_path / "labels.parquet", category=("good", "fair", "bad"))
    assert pd.read_parquet(tmp_path / "labels.parquet")["label"].tolist() == ["fair"]
    with pytest.raises(InputError, match="order"):
        consensus(words, method="median", out=tmp_path / "labels.parquet")


@pytest.mark.parametrize(
    ("method", "text", "items", "why"),
    [
        ("majority", RATINGS, True, "compares no items"),
        ("gold-weighted", RATINGS, False, "nobody answered a gold unit"),
        ("bradley-terry", RATINGS, False, "lack the column left, right"),
        ("plackett-luce", RATINGS, False, "no list of items"),
    ],
)
def test_what_a_method_cannot_use_is_refused_and_nothing_is_written(method, text, items, why, given, tmp_path):
    wanted = tmp_path / "items.parquet" if items else None
    with pytest.raises(InputError, match=why):
        consensus(given(text), method=method, out=tmp_path / "labels.parquet", items=wanted)
    assert not list(tmp_path.glob("*.parquet"))
