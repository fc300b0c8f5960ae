"""The labelling interface: from the spec to Label Studio's XML, a lint for it, and answers back into typed values."""

from __future__ import annotations

from labelloop.interface.build import build
from labelloop.interface.finding import Finding
from labelloop.interface.lint import lint
from labelloop.interface.parse import Answer, parse

__all__ = ["Answer", "Finding", "build", "lint", "parse"]
