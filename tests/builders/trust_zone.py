"""Specs that name every bucket a shared Label Studio opens, as if one team had set all its projects up."""

from __future__ import annotations

import json
from pathlib import Path

from tasks.clients.label_studio_trust import Organisation
from tasks.clients.settings import Settings


def name_open_buckets(settings: Settings, projects: Path) -> None:
    """Write a spec into the folder for each bucket that a project of the server opens."""
    question = {"name": "what", "prompt": "What?", "labels": [{"value": "a"}, {"value": "b"}]}
    rest = {"guidelines": {"text": "Look."}, "interface": {"questions": [question]}, "annotators": {"count": 4}}
    for number, bucket in enumerate(sorted({one.bucket for one in Organisation(settings).open_buckets()})):
        spec = {"name": f"opens-{number}", "title": f"Opens {number}", "media": {"bucket": bucket}, **rest}
        (projects / f"opens-{number}.yaml").write_text(json.dumps(spec), encoding="utf-8")
