"""The labelling interface: from the spec to Label Studio's XML, a lint for it, and answers back into typed values."""

from __future__ import annotations

from labelloop.interface.answer import COLUMNS, Answer, Asked
from labelloop.interface.build import build
from labelloop.interface.finding import Finding
from labelloop.interface.lint import lint
from labelloop.interface.parse import asked_by, parse

__all__ = ["COLUMNS", "Answer", "Asked", "Finding", "asked_by", "build", "lint", "parse"]
