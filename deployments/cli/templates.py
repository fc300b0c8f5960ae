"""Templates of specs: each says what is asked, and gets the sections it leaves out from what all have in common."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template
from typing import Final

import yaml

from labelloop.errors import InputError
from labelloop.spec.project import project_name

TEMPLATES: Final = Path(__file__).resolve().parents[1] / "projects" / "templates"
_SHARED: Final = TEMPLATES / "shared"
# Which objects are the media of a project, by their ending.
_INCLUDED: Final = {
    "image": ("*.png", "*.jpg", "*.jpeg", "*.webp"),
    "text": ("*.txt",),
    "audio": ("*.mp3", "*.wav", "*.flac", "*.m4a"),
    "video": ("*.mp4", "*.webm"),
    "time_series": ("*.csv",),
    "dialogue": ("*.json",),
    "record": ("*.json",),
}
_SECTION: Final = re.compile(r"^(?=[a-z_]+:)", re.MULTILINE)


def template_names() -> list[str]:
    """Return the names of the templates, sorted."""
    return sorted(path.stem for path in TEMPLATES.glob("*.yaml"))


def fill(template: str, name: str) -> str:
    """Return the spec that a template makes for a project.

    Raises:
        InputError: there is no such template, or the name is no project name; the message says what is.
    """
    if template not in template_names():
        raise InputError(f"there is no template {template!r}", remedy=f"choose one of {', '.join(template_names())}")
    about, _, asked = _read(TEMPLATES / f"{template}.yaml").partition("\n")
    said = yaml.safe_load(asked)
    globs = ", ".join(f'"{glob}"' for glob in _INCLUDED[said["interface"]["media"]])
    values = {
        "name": project_name(name),
        "title": f"{name.replace('-', ' ').capitalize()} labelling",
        "about": about.removeprefix("# "),
        "include": f"[{globs}]",
    }
    parts = [part.strip() for part in _SECTION.split(_read(_SHARED / "rest.yaml"))]
    rest = [part for part in parts if part and part.partition(":")[0] not in said]
    whole = "\n\n".join([_read(_SHARED / "head.yaml").strip(), asked.strip(), *rest])
    return Template(whole).substitute(values) + "\n"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
