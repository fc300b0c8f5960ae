"""The error tree: drawn as it is, and whole after crossing a process."""

from __future__ import annotations

import inspect
import pickle

import pytest

from labelloop import errors
from labelloop.errors import LabelloopError

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, LabelloopError)]


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_crosses_processes_whole(kind):
    error = kind("the batch size is -3", remedy="give a whole number from 0", value=-3, where=["a"])
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(copy), copy.what, copy.remedy, copy.facts) == (kind, error.what, error.remedy, error.facts)
    assert str(copy) == "the batch size is -3; give a whole number from 0"


def test_a_message_without_a_remedy_ends_with_what_happened():
    assert str(LabelloopError("it broke")) == "it broke"


def test_the_drawing_is_the_tree():
    bases = {kind.__name__: kind.__mro__[1].__name__ for kind in CLASSES if kind is not LabelloopError}
    assert _drawn(errors.__doc__) == bases


def _drawn(text):
    """Return child to parent as the lines of the drawing say; each level is indented by four."""
    parents, path = {}, []
    for line in text.splitlines():
        name = line.lstrip("│├└─ ").split(" ")[0]
        if name not in {kind.__name__ for kind in CLASSES}:
            continue
        depth = (len(line) - len(line.lstrip("│├└─ "))) // 4
        path = [*path[:depth], name]
        if depth:
            parents[name] = path[depth - 1]
    return parents
